/** Lists that may hold nothing twice: `x-kubernetes-list-type` set, and map by its keys. */
import { canonicalJson } from '../files.ts';
import { fieldSchema, isList, isObject } from './schema.ts';
import type { Json, JsonObject, Schema } from './schema.ts';
import { violation } from './violations.ts';
import type { Violation } from './violations.ts';

/** Of each thing that is there more than once, the second place is told. */
export function listViolations(value: Json, schema: Schema | undefined, at = ''): Violation[] {
  if (schema === undefined) return [];
  if (isList(value)) return [...duplicates(value, schema, at), ...value.flatMap((item, index) => listViolations(item, schema.items, `${at}[${index}]`))];
  if (!isObject(value)) return [];
  const { properties = {} } = schema;
  return Object.entries(value).flatMap(([name, held]) => {
    const below = !Object.hasOwn(properties, name) ? `${at}[${name}]` : at === '' ? name : `${at}.${name}`;
    return listViolations(held, fieldSchema(schema, name), below);
  });
}

function duplicates(list: readonly Json[], schema: Schema, at: string): Violation[] {
  const twice = (values: readonly Json[]): Violation[] => repeated(values).map(({ value, index }) => violation('Duplicate', `${at}[${index}]`, '', value));
  const type = schema['x-kubernetes-list-type'] ?? 'atomic';
  switch (type) {
    case 'atomic': return [];
    case 'set': return twice(list);
    case 'map': {
      const stranger = list.findIndex((item) => item !== null && !isObject(item));
      if (stranger >= 0) return [violation('Invalid', `${at}[${stranger}]`, 'must be an object for an array of list-type map', list[stranger] ?? null)];
      return twice(list.map((item) => keyOf(item, schema['x-kubernetes-list-map-keys'] ?? [])));
    }
  }
}

function keyOf(item: Json, names: readonly string[]): JsonObject {
  const object = isObject(item) ? item : {};
  return Object.fromEntries(names.flatMap((name): [string, Json][] => (object[name] === undefined ? [] : [[name, object[name]]])));
}

function repeated(list: readonly Json[]): { readonly value: Json; readonly index: number }[] {
  const seen = new Map<string, number>();
  return list.flatMap((value, index) => {
    const key = canonicalJson(value);
    const times = (seen.get(key) ?? 0) + 1;
    seen.set(key, times);
    return times === 2 ? [{ value, index }] : [];
  });
}
