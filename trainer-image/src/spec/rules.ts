/** The rules in CEL that stand in a schema (`x-kubernetes-validations`), judged for an object that is new. */
import { compile } from './cel.ts';
import type { Expression } from './cel.ts';
import { fieldSchema, isList, isObject } from './schema.ts';
import type { Json, Rule, Schema } from './schema.ts';
import { ruleViolation } from './violations.ts';
import type { Violation, ViolationKind } from './violations.ts';

/** @param value  valid by its structure, with all defaults. @param at  field that holds it; empty for the whole object */
export function ruleViolations(value: Json | undefined, schema: Schema | undefined, at = ''): Violation[] {
  if (value === undefined || value === null || schema === undefined) return [];
  const own = schema['x-kubernetes-validations'] ?? [];
  const self = own.length === 0 ? undefined : celValue(value, schema, at === '');
  const found = own.flatMap((rule) => judge(rule, self, value, at));
  if (isList(value)) return [...found, ...value.flatMap((item, index) => ruleViolations(item, schema.items, `${at}[${index}]`))];
  if (!isObject(value)) return found;
  return [...found, ...Object.entries(value).flatMap(([name, held]) => {
    const below = !Object.hasOwn(schema.properties ?? {}, name) ? `${at}[${name}]` : at === '' ? name : `${at}.${name}`;
    return ruleViolations(held, fieldSchema(schema, name), below);
  })];
}

const expressions = new Map<string, Expression>();

function compiled(text: string): Expression {
  const known = expressions.get(text) ?? compile(text);
  expressions.set(text, known);
  return known;
}

const kinds = { FieldValueInvalid: 'Invalid', FieldValueForbidden: 'Forbidden', FieldValueRequired: 'Required', FieldValueDuplicate: 'Duplicate' } as const satisfies Record<NonNullable<Rule['reason']>, ViolationKind>;

function judge(rule: Rule, self: unknown, value: Json, at: string): Violation[] {
  const expression = compiled(rule.rule);
  // Such a rule compares with what was before; a new object has no before.
  if (expression.usesOldSelf) return [];
  try {
    if (expression.evaluate(self) === true) return [];
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n', 1)[0] ?? '' : String(error);
    return [ruleViolation('Invalid', at, `${why} evaluating rule: ${rule.message ?? rule.rule}`)];
  }
  const kind = kinds[rule.reason ?? 'FieldValueInvalid'];
  const where = rule.fieldPath === undefined ? at : `${at}${rule.fieldPath}`.replace(/^\./, '');
  const showsValue = kind !== 'Forbidden' && kind !== 'Required' && !isList(value) && !isObject(value);
  return [ruleViolation(kind, where, messageOf(rule, self), showsValue ? value : undefined)];
}

function messageOf({ rule, message, messageExpression }: Rule, self: unknown): string {
  const otherwise = message?.trim() ?? `failed rule: ${rule.trim()}`;
  if (messageExpression === undefined) return otherwise;
  try {
    const told = compiled(messageExpression).evaluate(self);
    const text = typeof told === 'string' ? told.trim() : '';
    return text === '' || text.includes('\n') ? otherwise : text;
  } catch {
    // As the API server: a message that cannot be made must not hide that the rule is broken.
    return otherwise;
  }
}

/** CEL has whole numbers and others; which one a number is, the schema says. Names of fields are escaped where CEL has another use for them. */
function celValue(value: Json, schema: Schema | undefined, isRoot: boolean): unknown {
  if (typeof value === 'number') return schema?.type === 'number' || !Number.isInteger(value) ? value : BigInt(value);
  if (isList(value)) return value.map((item) => celValue(item, schema?.items, false));
  if (typeof value === 'string') return schema?.format === 'date-time' ? new Date(value) : value;
  if (!isObject(value)) return value;
  const { properties = {} } = schema ?? {};
  const fields = Object.entries(value).map(([name, held]): [string, unknown] => [Object.hasOwn(properties, name) ? escaped(name) : name, celValue(held, fieldSchema(schema, name), false)]);
  // What users name themselves may be "constructor", which the library would ask for an object's type.
  if (!isRoot) return schema?.properties === undefined ? new Map(fields) : Object.fromEntries(fields);
  const { name, generateName } = isObject(value.metadata) ? value.metadata : {};
  return { ...Object.fromEntries(fields), metadata: { ...(name === undefined ? {} : { name }), ...(generateName === undefined ? {} : { generateName }) } };
}

const reserved = new Set(['true', 'false', 'null', 'in', 'as', 'break', 'const', 'continue', 'else', 'for', 'function', 'if', 'import', 'let', 'loop', 'package', 'namespace', 'return', 'var', 'void', 'while']);
const escapes: Readonly<Record<string, string>> = { '__': '__underscores__', '.': '__dot__', '-': '__dash__', '/': '__slash__' };

function escaped(name: string): string {
  return reserved.has(name) ? `__${name}__` : name.replace(/__|[-./]/g, (found) => escapes[found] ?? found);
}
