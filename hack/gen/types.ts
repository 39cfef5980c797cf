/** TypeScript types from the CRD schemas: one interface for each kind and each fragment. */
import { basename, dirname, join } from 'node:path';
import { compile, type JSONSchema } from 'json-schema-to-typescript';
import { isObject, readFragments, schemaOf, type Crd, type Json, type JsonObject } from './schema.ts';

const banner = `// Generated from crds/ by \`npm run gen\`. Do not edit.

import type { ObjectMeta } from '../metadata.ts';`;

/**
 * The generated module. Fields with a default are required in it, since the API server fills them in before anyone
 * reads the object.
 */
export async function typesModule(crds: readonly Crd[]): Promise<string> {
  const fragments = readFragments(crds);
  const definitions: JsonObject = {};
  for (const [file, fragment] of fragments) definitions[typeName(file)] = forTypeScript(fragment, file, fragments);
  for (const crd of crds) definitions[crd.kind] = kindSchema(crd, fragments);

  const source = await compile({ title: rootName, type: 'object', definitions } as JSONSchema, rootName, {
    bannerComment: banner,
    additionalProperties: false,
    ignoreMinAndMaxItems: true,
    unreachableDefinitions: true,
    unknownAny: true,
    style: { singleQuote: true, printWidth: 140 },
  });
  return withoutRoot(source);
}

/** The root only carries the definitions; neither it nor the remarks about it are part of the API. */
const rootName = 'AnnealApi';

function withoutRoot(source: string): string {
  const remark = String.raw` \* This interface was referenced by \`${rootName}\`'s JSON-Schema\n \* via the \`definition\` "[^"]+"\.\n`;
  return source
    .replace(new RegExp(String.raw`export interface ${rootName} \{\}\n`), '')
    .replace(new RegExp(String.raw`/\*\*\n${remark} \*/\n`, 'g'), '')
    .replace(new RegExp(String.raw` \*\n${remark}`, 'g'), '');
}

/** `fragments/node-pool.yaml` becomes `NodePool`. */
function typeName(file: string): string {
  return basename(file, '.yaml').replace(/(^|-)([a-z])/g, (_match, _dash, letter: string) => letter.toUpperCase());
}

type Fragments = ReadonlyMap<string, JsonObject>;

function kindSchema(crd: Crd, fragments: Fragments): JsonObject {
  const schema = forTypeScript(schemaOf(crd.document), crd.file, fragments);
  const { spec, status } = isObject(schema.properties) ? schema.properties : {};
  const properties: JsonObject = {
    apiVersion: { const: 'anneal.dev/v1alpha1' },
    kind: { const: crd.kind },
    metadata: { tsType: 'ObjectMeta' },
    spec: titled(spec, `${crd.kind}Spec`),
    status: titled(status, `${crd.kind}Status`),
  };
  return { ...schema, properties, required: ['apiVersion', 'kind', 'metadata', 'spec'] };
}

function titled(schema: Json | undefined, title: string): Json {
  return isObject(schema) && schema.$ref === undefined ? { ...schema, title } : (schema ?? {});
}

/** A copy of a Kubernetes schema that says the same to the type generator. */
function forTypeScript(schema: JsonObject, file: string, fragments: Fragments): JsonObject {
  const { default: _filledIn, allOf: _rules, $ref, properties, 'x-kubernetes-int-or-string': intOrString, 'x-kubernetes-preserve-unknown-fields': anyFields, ...rest } = schema;
  const described: JsonObject = schema.description === undefined ? {} : { description: schema.description };
  if (typeof $ref === 'string') return { $ref: `#/definitions/${typeName(join(dirname(file), $ref))}` };
  if (intOrString === true) return { ...described, type: ['integer', 'string'] };
  if (anyFields === true && schema.type === undefined) return { ...described, tsType: 'unknown' };

  const copy: JsonObject = { ...rest };
  if (isObject(rest.items)) copy.items = forTypeScript(rest.items, file, fragments);
  if (isObject(rest.additionalProperties)) copy.additionalProperties = forTypeScript(rest.additionalProperties, file, fragments);
  if (isObject(properties)) {
    const fields = Object.entries(properties).flatMap(([name, field]): [string, JsonObject][] => (isObject(field) ? [[name, field]] : []));
    const required = Array.isArray(schema.required) ? schema.required : [];
    const defaulted = fields.filter(([, field]) => hasDefault(field, file, fragments)).map(([name]) => name);
    copy.properties = Object.fromEntries(fields.map(([name, field]) => [name, forTypeScript(field, file, fragments)]));
    copy.required = [...new Set([...required, ...defaulted])];
  }
  if (anyFields === true) copy.additionalProperties = true;
  return copy;
}

function hasDefault(schema: JsonObject, file: string, fragments: Fragments): boolean {
  if (schema.default !== undefined) return true;
  if (typeof schema.$ref !== 'string') return false;
  const target = join(dirname(file), schema.$ref);
  return hasDefault(fragments.get(target) ?? {}, target, fragments);
}
