/** Equality and hashing of plain JSON, where a field that is `undefined` is a field that is not there. */
import { createHash } from 'node:crypto';

export function sameJson(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, position) => sameJson(item, b[position]));
  }
  const [left, right] = [definedEntries(a), new Map(definedEntries(b))];
  return left.length === right.size && left.every(([name, value]) => right.has(name) && sameJson(value, right.get(name)));
}

/**
 * A copy without fields that hold an empty map. Server-side apply turns such a map into null where the schema leaves its
 * values open, and then refuses the null.
 */
export function withoutEmptyMaps(value: object): object {
  return Object.fromEntries(
    definedEntries(value)
      .map(([name, item]): [string, unknown] => [name, isMap(item) ? withoutEmptyMaps(item) : item])
      .filter(([, item]) => !isMap(item) || Object.keys(item).length > 0),
  );
}

function isMap(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** 16 hexadecimal digits that do not depend on the order of fields. */
export function hashJson(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value, sortFields)).digest('hex').slice(0, 16);
}

function sortFields(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function definedEntries(value: object): [string, unknown][] {
  return Object.entries(value).filter(([, item]) => item !== undefined);
}
