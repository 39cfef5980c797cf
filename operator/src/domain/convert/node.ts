/**
 * A manifest as a tree in which each value knows where it was written. Values stay themselves when trees are merged, so a field
 * that nobody read can be named by the place where the user finds it.
 */
import { ConvertError } from './note.ts';
import type { Json } from './json.ts';

export type Scalar = string | number | boolean;

export type Node =
  | { readonly kind: 'scalar'; readonly path: string; readonly value: Scalar }
  | { readonly kind: 'mapping'; readonly path: string; readonly fields: ReadonlyMap<string, Node> }
  | { readonly kind: 'sequence'; readonly path: string; readonly items: readonly Node[] };

export type Mapping = Extract<Node, { kind: 'mapping' }>;

/** Throws a `ConvertError` where the value is none that JSON can hold. A field that is null counts as left out, as for Kubernetes. */
export function nodeOf(value: unknown, path: string): Node {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return { kind: 'scalar', path, value };
  if (Array.isArray(value)) {
    const items = value.map((item: unknown, index) => ({ item, index })).filter(({ item }) => item !== null);
    return { kind: 'sequence', path, items: items.map(({ item, index }) => nodeOf(item, `${path}[${index}]`)) };
  }
  if (typeof value !== 'object' || value === null) throw new ConvertError(path, 'is empty, or no value that a manifest can hold.');
  const fields = Object.entries(value).filter(([, field]) => field !== null && field !== undefined);
  return { kind: 'mapping', path, fields: new Map(fields.map(([name, field]) => [name, nodeOf(field, join(path, name))])) };
}

export function join(path: string, name: string): string {
  if (!/^[\w-]+$/.test(name)) return `${path}[${name}]`;
  return path === '' || path.endsWith(' ') ? `${path}${name}` : `${path}.${name}`;
}

export function plain(node: Node): Json {
  switch (node.kind) {
    case 'scalar':
      return node.value;
    case 'sequence':
      return node.items.map(plain);
    case 'mapping':
      return Object.fromEntries([...node.fields].map(([name, field]) => [name, plain(field)]));
  }
}

/** The nodes that hold something: scalars, and mappings and sequences without content. */
export function leavesOf(node: Node): readonly Node[] {
  const children = childrenOf(node);
  return children.length === 0 ? [node] : children.flatMap(leavesOf);
}

export function childrenOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case 'scalar':
      return [];
    case 'sequence':
      return node.items;
    case 'mapping':
      return [...node.fields.values()];
  }
}

export function mapping(path: string, fields: Readonly<Record<string, Node | undefined>>): Mapping {
  return { kind: 'mapping', path, fields: new Map(Object.entries(fields).filter((entry): entry is [string, Node] => entry[1] !== undefined)) };
}

/** Lists that a strategic merge patch merges by a field of their items; all others it replaces. */
const mergeKeys: Readonly<Record<string, string>> = {
  containers: 'name',
  env: 'name',
  imagePullSecrets: 'name',
  initContainers: 'name',
  replicatedJobs: 'name',
  schedulingGates: 'name',
  volumeMounts: 'mountPath',
  volumes: 'name',
};

/** Lists that a patch changes and adds nothing to: kubeflow/trainer takes no new jobs and containers from a patch. */
const closed = ['replicatedJobs', 'containers', 'initContainers'];

export interface Watch {
  /** Told of each value of the base that the patch puts another in place of. */
  readonly replaced: (node: Node) => void;
  /** Told of each item of the patch that is for a job or container which the base does not have. */
  readonly unmatched: (node: Node) => void;
}

/** Kubernetes' strategic merge of a patch into a base. Items that both have stay where the base has them, new ones come last. */
export function merge(base: Node | undefined, patch: Node, watch: Watch, field = ''): Node {
  if (base === undefined) return patch;
  if (base.kind === 'mapping' && patch.kind === 'mapping') {
    const fields = new Map(base.fields);
    for (const [name, value] of patch.fields) fields.set(name, merge(fields.get(name), value, watch, name));
    return { ...base, fields };
  }
  const key = mergeKeys[field];
  if (base.kind === 'sequence' && patch.kind === 'sequence' && key !== undefined) return mergeItems(base, patch, key, watch, closed.includes(field));
  watch.replaced(base);
  return patch;
}

type Sequence = Extract<Node, { kind: 'sequence' }>;

function mergeItems(base: Sequence, patch: Sequence, key: string, watch: Watch, isClosed: boolean): Node {
  const items = [...base.items];
  for (const item of patch.items) {
    const position = items.findIndex((candidate) => sameKey(candidate, item, key));
    const match = items[position];
    if (match === undefined && isClosed) watch.unmatched(item);
    else if (match === undefined) items.push(item);
    // An environment variable has one source: a value must not meet the valueFrom of the base.
    else items[position] = key === 'name' && isVariable(item) ? replaceWhole(match, item, watch) : merge(match, item, watch);
  }
  return { ...base, items };
}

function replaceWhole(base: Node, patch: Node, watch: Watch): Node {
  watch.replaced(base);
  return patch;
}

function isVariable(node: Node): boolean {
  return node.kind === 'mapping' && (node.fields.has('value') || node.fields.has('valueFrom'));
}

function sameKey(a: Node, b: Node, key: string): boolean {
  const value = keyOf(a, key);
  return value !== undefined && value === keyOf(b, key);
}

function keyOf(node: Node, key: string): Scalar | undefined {
  const field = node.kind === 'mapping' ? node.fields.get(key) : undefined;
  return field?.kind === 'scalar' ? field.value : undefined;
}
