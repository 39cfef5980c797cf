/** Fields that the schema does not have, each with the one that was probably meant. */
import { fieldSchema, isList, isObject } from './schema.ts';
import type { Json, JsonObject, Schema } from './schema.ts';
import { violation } from './violations.ts';
import type { Violation } from './violations.ts';

/** Of ObjectMeta and TypeMeta, which no schema lists. */
const typeMeta = ['apiVersion', 'kind', 'metadata'];
const objectMeta = [
  'name', 'generateName', 'namespace', 'labels', 'annotations', 'finalizers', 'ownerReferences', 'uid', 'resourceVersion', 'generation', 'creationTimestamp', 'deletionTimestamp',
  'deletionGracePeriodSeconds', 'selfLink', 'managedFields',
];

/** In a whole object of the API. */
export function unknownFields(object: JsonObject, schema: Schema): Violation[] {
  const { metadata } = object;
  const known = [...Object.keys(schema.properties ?? {}), ...typeMeta];
  return [
    ...Object.keys(object).filter((name) => !known.includes(name)).map((name) => unknown(name, '', known)),
    ...(isObject(metadata) ? Object.keys(metadata).filter((name) => !objectMeta.includes(name)).map((name) => unknown(name, 'metadata', objectMeta)) : []),
    ...Object.entries(schema.properties ?? {}).flatMap(([name, field]) => (typeMeta.includes(name) ? [] : unknownIn(object[name], field, name))),
  ];
}

/** @param schema  undefined where the schema says nothing, as of the items of what is no list */
function unknownIn(value: Json | undefined, schema: Schema | undefined, at: string): Violation[] {
  const { properties = {}, items } = schema ?? {};
  const takesAny = schema?.['x-kubernetes-preserve-unknown-fields'] === true;
  if (isList(value)) return takesAny && items === undefined ? [] : value.flatMap((item, index) => unknownIn(item, items, `${at}[${index}]`));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, held]) => {
    const field = fieldSchema(schema, name);
    if (field !== undefined) return unknownIn(held, field, `${at}.${name}`);
    return takesAny ? [] : [unknown(name, at, Object.keys(properties))];
  });
}

function unknown(name: string, parent: string, known: readonly string[]): Violation {
  const at = parent === '' ? name : `${parent}.${name}`;
  const meant = nearest(name, known);
  const told = violation('UnknownField', at, '');
  const message = `${told.message} "${at}"`;
  return { ...told, message, sentence: meant === undefined ? `${message}${hasOnly(parent, known)}` : `${message}; did you mean "${meant}"?` };
}

function hasOnly(parent: string, known: readonly string[]): string {
  return known.length === 0 ? '' : `; ${parent === '' ? 'the object' : parent} has ${known.join(', ')}`;
}

/** The name that takes fewest edits; undefined where the nearest is another word. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const distances = known.map((other) => ({ other, distance: editDistance(name.toLowerCase(), other.toLowerCase()) })).sort((a, b) => a.distance - b.distance);
  const [best] = distances;
  return best !== undefined && best.distance <= Math.max(1, Math.floor(Math.min(name.length, best.other.length) / 3)) ? best.other : undefined;
}

/** Insertions, deletions, substitutions and swaps of neighbours that turn one text into the other (Damerau 1964, optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let [beforeLast, last]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, column) => column)];
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const isSame = a[row - 1] === b[column - 1];
      const isSwap = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      current.push(Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (isSame ? 0 : 1),
        isSwap ? (beforeLast[column - 2] ?? 0) + 1 : Infinity,
      ));
    }
    [beforeLast, last] = [last, current];
  }
  return last[b.length] ?? 0;
}
