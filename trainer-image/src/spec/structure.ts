/** Validation of a value against a structural schema, as kube-openapi's `validate` does it: by the kind of the value, whatever type the schema wants. */
import { fieldSchema, isList, isObject } from './schema.ts';
import type { Json, JsonObject, Schema } from './schema.ts';
import { occursIn } from './regex.ts';
import { goFloat, goNumber, isInt64, violation } from './violations.ts';
import type { Violation } from './violations.ts';

/** Everything that is wrong but for the rules in CEL. @param at  field that holds the value; empty for the whole object */
export function structureViolations(value: Json, schema: Schema, at = ''): Violation[] {
  const found = [...typeViolations(value, schema, at), ...enumViolations(value, schema, at)];
  if (typeof value === 'string') return [...found, ...textViolations(value, schema, at)];
  if (typeof value === 'number') return [...found, ...numberViolations(value, schema, at)];
  if (isList(value)) return [...found, ...listViolations(value, schema, at)];
  return isObject(value) ? [...found, ...objectViolations(value, schema, at)] : found;
}

function typeViolations(value: Json, schema: Schema, at: string): Violation[] {
  const wanted = schema['x-kubernetes-int-or-string'] === true ? ['integer', 'string'] : schema.type === undefined ? [] : [schema.type];
  if (wanted.length === 0 || (value === null && schema.nullable === true)) return [];
  const has = typeOf(value);
  if (wanted.includes(has) || (has === 'integer' && wanted.includes('number'))) return [];
  // Where a text has a format, kube-openapi takes a list as well, and names the format and what Go calls the value.
  if (schema.format === 'date-time' && value !== null) return isList(value) ? [] : [wrongType(at, schema.format, goTypes[has] ?? '')];
  return [wrongType(at, wanted.join(','), has)];
}

const goTypes: Readonly<Record<string, string>> = { integer: 'int64', number: 'float64' };

function wrongType(at: string, wanted: string, has: string): Violation {
  return violation('TypeInvalid', at, `${at} in body must be of type ${wanted}: "${has}"`, has);
}

function typeOf(value: Json): string {
  if (value === null) return 'null';
  if (isList(value)) return 'array';
  if (typeof value === 'number') return isInt64(value) ? 'integer' : 'number';
  return typeof value;
}

function enumViolations(value: Json, schema: Schema, at: string): Violation[] {
  if (schema.enum === undefined || schema.enum.includes(value)) return [];
  const texts = schema.enum.map((allowed) => JSON.stringify(typeof allowed === 'string' ? allowed : JSON.stringify(allowed)));
  return [violation('NotSupported', at, `supported values: ${texts.join(', ')}`, value)];
}

function textViolations(text: string, schema: Schema, at: string): Violation[] {
  const isOfFormat = schema.format !== 'date-time' || isDateTime(text);
  return [...lengthViolations(text, schema, at), ...(isOfFormat ? [] : [violation('TypeInvalid', at, `${at} in body must be of type date-time: ${JSON.stringify(text)}`, text)])];
}

/** Only the first that is wrong, as the API server. Lengths are in code points. */
function lengthViolations(text: string, { minLength, maxLength, pattern }: Schema, at: string): Violation[] {
  const length = Array.from(text).length;
  if (maxLength !== undefined && length > maxLength) return [violation('TooLong', at, `may not be more than ${maxLength} ${maxLength === 1 ? 'byte' : 'bytes'}`)];
  if (minLength !== undefined && length < minLength) return [violation('Invalid', at, `${at} in body should be at least ${minLength} chars long`, text)];
  if (pattern !== undefined && !occursIn(pattern, text)) return [violation('Invalid', at, `${at} in body should match '${pattern}'`, text)];
  return [];
}

/** RFC 3339, section 5.6, as loosely as `strfmt.IsDateTime` takes it. */
function isDateTime(text: string): boolean {
  const [, date = '', hour = '', minute = '', second = ''] = /^(\d{4}-\d{2}-\d{2})t(\d{2}):(\d{2}):(\d{2})(?:.\d+)?(?:z|[+-]\d{2}:\d{2})$/.exec(text.toLowerCase()) ?? [];
  const day = new Date(`${date}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(date) && hour <= '23' && minute <= '59' && second <= '59';
}

function numberViolations(value: number, { minimum, maximum }: Schema, at: string): Violation[] {
  // The API server compares whole numbers with bounds that lost their fraction: it takes 0 where 1e-10 is the least.
  const bound = (limit: number): number => (isInt64(value) ? Math.trunc(limit) : limit);
  const shown = (limit: number): string => (isInt64(value) ? goNumber(bound(limit)) : goFloat(limit));
  const found: Violation[] = [];
  if (maximum !== undefined && value > bound(maximum)) found.push(violation('Invalid', at, `${at} in body should be less than or equal to ${shown(maximum)}`, value));
  if (minimum !== undefined && value < bound(minimum)) found.push(violation('Invalid', at, `${at} in body should be greater than or equal to ${shown(minimum)}`, value));
  return found;
}

function listViolations(list: readonly Json[], { items, minItems, maxItems }: Schema, at: string): Violation[] {
  const found = items === undefined ? [] : list.flatMap((item, index) => structureViolations(item, items, `${at}[${index}]`));
  if (minItems !== undefined && list.length < minItems) found.push(violation('Invalid', at, `${at} in body should have at least ${minItems} items`, list.length));
  if (maxItems !== undefined && list.length > maxItems) found.push(tooMany(at, list.length, maxItems));
  return found;
}

function objectViolations(object: JsonObject, schema: Schema, at: string): Violation[] {
  const { required = [], minProperties, maxProperties } = schema;
  const fields = Object.entries(object);
  const below = (name: string): string => (at === '' ? name : `${at}.${name}`);
  const found = fields.flatMap(([name, value]) => {
    const field = fieldSchema(schema, name);
    return field === undefined ? [] : structureViolations(value, field, below(name));
  });
  if (minProperties !== undefined && fields.length < minProperties) found.push(violation('Invalid', at, `${at} in body should have at least ${minProperties} properties`, fields.length));
  if (maxProperties !== undefined && fields.length > maxProperties) found.push(tooMany(at, fields.length, maxProperties));
  return [...found, ...required.filter((name) => !Object.hasOwn(object, name)).map((name) => violation('Required', below(name), ''))];
}

function tooMany(at: string, has: number, most: number): Violation {
  return violation('TooMany', at, `must have at most ${most} ${most === 1 ? 'item' : 'items'}`, has);
}
