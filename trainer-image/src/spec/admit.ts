/** What the API server does with a new object: refuses unknown fields, fills in defaults, validates. Without one. */
import { listViolations } from './lists.ts';
import { nameViolations } from './metadata.ts';
import { ruleViolations } from './rules.ts';
import type { JsonObject, Schema } from './schema.ts';
import { isObject } from './schema.ts';
import { structureViolations } from './structure.ts';
import { withDefaults } from './defaults.ts';
import { unknownFields } from './unknown.ts';
import { ruleViolation } from './violations.ts';
import type { Violation, ViolationKind } from './violations.ts';

export type Admission =
  | { readonly kind: 'Admitted'; /** With every default. */ readonly object: JsonObject }
  | { readonly kind: 'Refused'; readonly violations: readonly Violation[] };

/** After one of these a rule might look for a field that is not there, or is of another type. */
const blocking: ReadonlySet<ViolationKind> = new Set<ViolationKind>(['NotSupported', 'Required', 'TooLong', 'TooMany', 'TypeInvalid']);

/** @param schema  of the whole object. The status is left out: nobody can create one */
export function admit(written: JsonObject, schema: Schema): Admission {
  const unknown = unknownFields(written, schema);
  if (unknown.length > 0) return { kind: 'Refused', violations: unknown };
  const { status: _status, ...created } = written;
  const object = withDefaults(created, schema);
  if (!isObject(object)) throw new Error('An object stays an object when it is defaulted.');
  const violations = [...nameViolations(object), ...structureViolations(object, schema), ...listViolations(object, schema)];
  if (violations.some(({ kind }) => blocking.has(kind))) violations.push(unchecked);
  else violations.push(...ruleViolations(object, schema));
  return violations.length === 0 ? { kind: 'Admitted', object } : { kind: 'Refused', violations };
}

const unchecked = ruleViolation('Invalid', '', 'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation', null);
