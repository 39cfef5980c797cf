/**
 * What the API server does to a value before it looks whether it is valid. As apiextensions-apiserver's `defaulting` does it: nulls that
 * mean nothing are taken away first; then a field that is absent, or null where null is not allowed, gets its default; then what is in
 * the fields gets theirs, also in a default that was just filled in.
 */
import { fieldSchema, isList, isObject } from './schema.ts';
import type { Json, Schema } from './schema.ts';

/** The value with every default filled in. What is given is not changed. */
export function withDefaults(value: Json, schema: Schema): Json {
  return filled(withoutNulls(value, schema), schema);
}

const isNullOutOfPlace = (value: Json | undefined, schema: Schema | undefined): boolean => value === null && schema !== undefined && schema.nullable !== true;

/** Without fields that are null where null is not allowed and no default takes its place. Items of lists stay. */
function withoutNulls(value: Json, schema: Schema | undefined): Json {
  if (isList(value)) return value.map((item) => withoutNulls(item, schema?.items));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([name, held]): [string, Json][] => {
    const field = fieldSchema(schema, name);
    return isNullOutOfPlace(held, field) && field?.default === undefined ? [] : [[name, withoutNulls(held, field)]];
  }));
}

function filled(value: Json, schema: Schema | undefined): Json {
  if (schema === undefined) return value;
  const orDefault = (held: Json, of: Schema | undefined): Json => filled(isNullOutOfPlace(held, of) ? of?.default ?? null : held, of);
  if (isList(value)) return value.map((item) => orDefault(item, schema.items));
  if (!isObject(value)) return value;
  const absent = Object.entries(schema.properties ?? {}).filter(([name, field]) => field.default !== undefined && !Object.hasOwn(value, name));
  return Object.fromEntries([
    ...Object.entries(value).map(([name, held]): [string, Json] => [name, orDefault(held, fieldSchema(schema, name))]),
    ...absent.map(([name, field]): [string, Json] => [name, orDefault(null, field)]),
  ]);
}
