/** Reads the CRDs of `crds/` and joins in the fragments that they refer to. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { load } from 'js-yaml';

export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

export const root = join(import.meta.dirname, '..', '..');
const crdFolder = join(root, 'crds');

export interface Crd {
  readonly kind: string;
  readonly plural: string;
  /** The document as written, `$ref`s and all. */
  readonly document: JsonObject;
  readonly file: string;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function objectAt(value: Json | undefined, what: string): JsonObject {
  if (!isObject(value)) throw new Error(`${what} is not a mapping`);
  return value;
}

function textAt(object: JsonObject, key: string): string {
  const value = object[key];
  if (typeof value !== 'string') throw new Error(`${key} is not a text`);
  return value;
}

function readYaml(file: string): JsonObject {
  return objectAt(load(readFileSync(file, 'utf8')) as Json, relative(root, file));
}

export function readCrds(): Crd[] {
  return readdirSync(crdFolder)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => {
      const file = join(crdFolder, name);
      const document = readYaml(file);
      const names = objectAt(objectAt(document.spec, name).names, `names of ${name}`);
      return { kind: textAt(names, 'kind'), plural: textAt(names, 'plural'), document, file };
    });
}

/** Calls `onReference` for each `$ref` and puts its result in the reference's place; what stands beside it wins. */
export function resolve(value: Json, file: string, onReference: (target: string) => JsonObject): Json {
  if (Array.isArray(value)) return value.map((item) => resolve(item, file, onReference));
  if (!isObject(value)) return value;
  const { $ref, ...rest } = value;
  const own = Object.fromEntries(Object.entries(rest).map(([key, child]) => [key, resolve(child, file, onReference)]));
  if (typeof $ref !== 'string') return own;
  const target = onReference(join(dirname(file), $ref));
  const rules = [...listOf(target['x-kubernetes-validations']), ...listOf(own['x-kubernetes-validations'])];
  return { ...target, ...own, ...(rules.length > 0 ? { 'x-kubernetes-validations': rules } : {}) };
}

function listOf(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}

/** The document with every fragment in place, as the API server takes it. */
export function bundle(crd: Crd): JsonObject {
  const inline = (file: string): JsonObject => objectAt(resolve(readYaml(file), file, inline), file);
  return objectAt(resolve(crd.document, crd.file, inline), crd.file);
}

/** The schema of the one version of a CRD, unresolved. */
export function schemaOf(document: JsonObject): JsonObject {
  const versions = objectAt(document.spec, 'spec').versions;
  const version = objectAt(Array.isArray(versions) ? versions[0] : undefined, 'spec.versions[0]');
  return objectAt(objectAt(version.schema, 'schema').openAPIV3Schema, 'openAPIV3Schema');
}

/** Every fragment that the CRDs refer to, by file, unresolved. */
export function readFragments(crds: readonly Crd[]): Map<string, JsonObject> {
  const found = new Map<string, JsonObject>();
  const visit = (file: string): JsonObject => {
    if (!found.has(file)) {
      const fragment = readYaml(file);
      found.set(file, fragment);
      resolve(fragment, file, visit);
    }
    return {};
  };
  for (const crd of crds) resolve(crd.document, crd.file, visit);
  return found;
}
