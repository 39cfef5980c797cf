/** A structural schema as a CustomResourceDefinition holds it: the keywords that ours use, and no others. */
import { load } from 'js-yaml';

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [field: string]: Json;
}

/** One of `x-kubernetes-validations`. */
export interface Rule {
  /** CEL. */
  readonly rule: string;
  readonly message?: string;
  /** CEL that gives the message; `message` where it fails. */
  readonly messageExpression?: string;
  readonly reason?: 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueRequired' | 'FieldValueDuplicate';
  /** Field below the rule's own that the error is told at, for example `.spec.x`. */
  readonly fieldPath?: string;
}

export interface Schema {
  readonly description?: string;
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly format?: string;
  readonly nullable?: boolean;
  readonly default?: Json;
  readonly enum?: readonly Json[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly required?: readonly string[];
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  /** RE2. */
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-map-type'?: 'atomic' | 'granular';
  readonly 'x-kubernetes-validations'?: readonly Rule[];
}

/** What a schema may hold; `anyOf` only says again what `x-kubernetes-int-or-string` says. */
const keywords = new Set([
  'description', 'type', 'format', 'nullable', 'default', 'enum', 'properties', 'additionalProperties', 'required', 'minProperties', 'maxProperties', 'items', 'minItems', 'maxItems',
  'minLength', 'maxLength', 'pattern', 'minimum', 'maximum', 'anyOf', 'x-kubernetes-int-or-string', 'x-kubernetes-preserve-unknown-fields', 'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys', 'x-kubernetes-map-type', 'x-kubernetes-validations',
]);

/** The API server passes over those of numbers. */
const formats = new Set(['int32', 'int64', 'float', 'double', 'date-time']);

/**
 * The schema of the one version of a CustomResourceDefinition.
 * @param text  YAML, every fragment in place
 * @throws Error for a keyword or a format that would be passed over in silence
 */
export function readCrdSchema(text: string): Schema {
  const crd = load(text) as { readonly spec: { readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: Schema } }[] } };
  const schema = crd.spec.versions[0]?.schema.openAPIV3Schema;
  if (schema === undefined) throw new Error('The CustomResourceDefinition has no version.');
  requireKnown(schema, '');
  return schema;
}

function requireKnown(schema: Schema, at: string): void {
  const unknown = Object.keys(schema).find((keyword) => !keywords.has(keyword));
  if (unknown !== undefined) throw new Error(`The schema of ${at} has the keyword ${unknown}, which is not implemented.`);
  if (schema.format !== undefined && !formats.has(schema.format)) throw new Error(`The schema of ${at} has the format ${schema.format}, which is not implemented.`);
  if ('anyOf' in schema && schema['x-kubernetes-int-or-string'] !== true) throw new Error(`The schema of ${at} has anyOf without x-kubernetes-int-or-string, which is not implemented.`);
  for (const [name, field] of Object.entries(schema.properties ?? {})) requireKnown(field, `${at}.${name}`);
  if (schema.additionalProperties !== undefined) requireKnown(schema.additionalProperties, `${at}.*`);
  if (schema.items !== undefined) requireKnown(schema.items, `${at}[]`);
}

/** The schema of a value's field; undefined for one that nothing is said about. */
export function fieldSchema(schema: Schema | undefined, field: string): Schema | undefined {
  const { properties = {}, additionalProperties } = schema ?? {};
  return Object.hasOwn(properties, field) ? properties[field] : additionalProperties;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);
