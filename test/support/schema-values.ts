/** Values made from a structural schema: mostly as it wants them, now and then not. */
import fc from 'fast-check';
import { withDefaults } from '../../trainer-image/src/spec/defaults.ts';
import { ruleViolations } from '../../trainer-image/src/spec/rules.ts';
import type { Json, Schema } from '../../trainer-image/src/spec/schema.ts';
import { structureViolations } from '../../trainer-image/src/spec/structure.ts';

/** Texts that patterns and rules of ours tell apart. */
const texts = [
  'a', 'label', 'file:///data/x.csv', 'https://example.com/x.csv?a=b', 'http://example.com', 'https://user:pw@example.com/x', 'https://example.com/x#part', 'configmap://digits/digits.csv',
  'configmap://Digits', 'pvc://lake/2026/rows.csv', 'pvc://lake/../rows.csv', 'pvc://lake/', 'file://x', 'ftp://x', '0'.repeat(64), '0'.repeat(63), 'A'.repeat(300), '1Gi', '1.5', 'x/y', '/x', '',
  ',', ';', '\t', '"', '\n', 'é🙂', '*', '(?<=a)b', '[a-z]+$', 'nvidia.com/gpu', 'my-bucket', 'val_loss',
  '2026-03-01T12:00:00Z', '2026-03-01t12:00:00.5+01:00', '2026-02-30T12:00:00Z', '2026-03-01T24:00:00Z', '2026-03-01 12:00:00Z',
];

/** How often a value is none that the schema wants, per mille. */
const strangePerMille = 6;

const seldom = <T>(usual: fc.Arbitrary<T>, unusual: fc.Arbitrary<T>, perMille = strangePerMille): fc.Arbitrary<T> => fc.oneof({ weight: 1000 - perMille, arbitrary: usual }, { weight: perMille, arbitrary: unusual });

export function valueOf(schema: Schema): fc.Arbitrary<Json> {
  const made = wanted(schema, valueOf);
  // Of any other value in this place the API server says three times over that it is wrong.
  return schema['x-kubernetes-int-or-string'] === true ? made : seldom(seldom(made.filter((value) => !breaksRulesAlone(value, schema)), made, 10 * strangePerMille), strange);
}

/** Each part is valid before it becomes one of a whole: hardly any whole is that is made of any parts. */
export function validValueOf(schema: Schema): fc.Arbitrary<Json> {
  return wanted(schema, validValueOf).filter((value) => structureViolations(withDefaults(value, schema), schema).length === 0 && !breaksRulesAlone(value, schema));
}

function breaksRulesAlone(value: Json, schema: Schema): boolean {
  const whole = withDefaults(value, schema);
  return structureViolations(whole, schema).length === 0 && ruleViolations(whole, schema).length > 0;
}

const strange: fc.Arbitrary<Json> = fc.constantFrom<Json[]>(null, 'text', '', 0, 7, -3, 2.5, 1e-7, 1234567.5, 1e30, true, [], ['a', 'a'], {}, [null], [{ a: 1 }]);

/** How the values of fields and items are made. */
type ValueOf = (schema: Schema) => fc.Arbitrary<Json>;

function wanted(schema: Schema, valueOf: ValueOf): fc.Arbitrary<Json> {
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema['x-kubernetes-int-or-string'] === true) return fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constantFrom(...texts));
  switch (schema.type) {
    case 'object': return objectOf(schema, valueOf);
    case 'array': return listOf(schema, valueOf);
    case 'string': return textOf(schema);
    case 'boolean': return fc.boolean();
    case 'integer': return seldom<Json>(fc.integer({ min: Math.ceil(schema.minimum ?? 0), max: Math.min(schema.maximum ?? 1000, 2 ** 31 - 1) }), fc.constantFrom(...bounds(schema, 1)), 100);
    case 'number': return seldom<Json>(fc.double({ min: schema.minimum ?? 0, max: schema.maximum ?? 1, noNaN: true }).map((value) => value + 0), fc.constantFrom(...bounds(schema, 0.25), 0, 0.1, 1e-5), 100);
    default: return strange;
  }
}

function textOf(schema: Schema): fc.Arbitrary<Json> {
  const good = texts.filter((text) => structureViolations(text, schema).length + ruleViolations(text, schema, 'text').length === 0);
  if (good.length === 0) throw new Error(`No text above is one that the schema takes: ${JSON.stringify(schema)}`);
  return seldom(fc.constantFrom(...good), fc.constantFrom(...texts), 60);
}

/** At the bounds and beyond. */
function bounds({ minimum = 0, maximum = 10 }: Schema, step: number): number[] {
  return [minimum, minimum + step, maximum, maximum - step, minimum - step, maximum + step];
}

function listOf({ items, minItems = 0, maxItems = 3 }: Schema, valueOf: ValueOf): fc.Arbitrary<Json> {
  return fc.array(items === undefined ? strange : valueOf(items), { minLength: minItems, maxLength: Math.min(maxItems, minItems + 2) });
}

type Fields = readonly (readonly [string, Json])[];
const none = fc.constant<Fields>([]);

/** How many of the fields that may be left out are there, per mille: of some objects many, of others just one may be. */
const densities = [350, 120, 40];

/** A field that is required is seldom left out, and one that nobody knows is seldom there. */
function objectOf({ properties = {}, additionalProperties, required = [] }: Schema, valueOf: ValueOf): fc.Arbitrary<Json> {
  const fields = Object.entries(properties).map(([name, field]) => ({ isRequired: required.includes(name), present: valueOf(field).map((value): Fields => [[name, value]]) }));
  const known = densities.map((density) => fc.tuple(...fields.map(({ isRequired, present }) => (isRequired ? seldom(present, none) : seldom(none, present, density)))));
  const others = additionalProperties === undefined ? none : fc.array(fc.tuple(fc.constantFrom('a', 'example.com/b'), valueOf(additionalProperties)), { maxLength: 2 });
  const strangers = seldom(none, strange.map((value): Fields => [['stranger', value]]), 1);
  return fc.tuple(fc.oneof(...known), others, strangers).map(([named, more, unknown]) => Object.fromEntries([...named.flat(), ...more, ...unknown]));
}
