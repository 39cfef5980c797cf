/** Declares once which objects of a type the operator keeps in memory, how small, and by what they are found. */
import type { KubeObject, ObjectKey, ObjectMeta, ResourceType } from '../kube/resource.ts';

/** The values under which an object is found in one index; none leaves it out. */
type IndexFunction<T> = { bivarianceHack(object: T): readonly string[] }['bivarianceHack'];

export interface Watched<T extends KubeObject = KubeObject, I extends string = string> {
  readonly type: ResourceType;
  /** Keeps only what the controllers read; runs on each object as it is parsed. */
  project(raw: KubeObject): T;
  readonly indices: Readonly<Record<I, IndexFunction<T>>>;
  readonly selector: Selector;
  /** The CRD may be absent: then the store is empty, `installed` is false, and it is looked for every minute. */
  readonly optional: boolean;
}

/** In the API server's own syntax; `labels: 'anneal.dev/job'` selects every object that has the label. */
export interface Selector {
  readonly labels?: string;
  readonly fields?: string;
}

export interface WatchedOptions<Raw extends KubeObject, T extends KubeObject, I extends string> {
  /** Left out, the object is kept whole but for its managed fields. */
  readonly project?: (raw: Raw) => T;
  readonly indices?: Readonly<Record<I, (object: T) => readonly string[]>>;
  readonly selector?: Selector;
  readonly optional?: boolean;
}

/**
 * `const pods = watched(podType, { project: (raw: Pod) => ({ ...slim(raw), status: raw.status }), indices: { node: (pod) => [pod.spec.nodeName] } })`.
 * A type is declared once in the program, and the declaration shared: two stores of one type would disagree.
 */
export function watched<Raw extends KubeObject, T extends KubeObject = Raw, I extends string = never>(
  type: ResourceType,
  options: WatchedOptions<Raw, T, I> = {},
): Watched<T, I> {
  const project = options.project ?? ((raw: Raw) => ({ ...raw, ...slim(raw) }) as unknown as T);
  return {
    type,
    // The API server validated the object against its schema: this is the one place that trusts it to have that shape.
    project: (raw) => project(raw as Raw),
    indices: options.indices ?? ({} as Record<I, IndexFunction<T>>),
    selector: options.selector ?? {},
    optional: options.optional ?? false,
  };
}

/** What nearly every projection starts from: identity and metadata, of the annotations only those that start with a prefix given. */
export function slim(raw: KubeObject, annotationPrefixes: readonly string[] = ['anneal.dev/']): KubeObject {
  return { apiVersion: raw.apiVersion, kind: raw.kind, metadata: slimMetadata(raw.metadata, annotationPrefixes) };
}

const keptMetadata = [
  'name', 'namespace', 'uid', 'resourceVersion', 'generation', 'creationTimestamp', 'deletionTimestamp', 'labels', 'finalizers', 'ownerReferences',
] as const satisfies readonly (keyof ObjectMeta)[];

function slimMetadata(raw: ObjectMeta, annotationPrefixes: readonly string[]): ObjectMeta {
  const kept = keptMetadata.filter((field) => raw[field] !== undefined).map((field) => [field, raw[field]]);
  const annotations = Object.entries(raw.annotations ?? {}).filter(([name]) => annotationPrefixes.some((prefix) => name.startsWith(prefix)));
  if (annotations.length > 0) kept.push(['annotations', Object.fromEntries(annotations)]);
  return Object.fromEntries(kept) as ObjectMeta;
}

/** A store as controllers see it: synchronous, never stale within one call, and not to be changed. */
export interface ReadStore<T extends KubeObject = KubeObject, I extends string = string> {
  readonly type: ResourceType;
  /** False only for an optional type whose CRD is absent. */
  readonly installed: boolean;
  readonly size: number;
  get(key: ObjectKey): T | undefined;
  all(): Iterable<T>;
  /** The objects whose controlling owner has this UID. */
  controlledBy(uid: string): readonly T[];
  by(index: I, value: string): readonly T[];
}

/** The watched types of one controller, by the names under which it reads them. */
export type Watches = Readonly<Record<string, Watched>>;

export type Stores<W extends Watches> = {
  readonly [K in keyof W]: W[K] extends Watched<infer T, infer I> ? ReadStore<T, I> : never;
};

export type ObjectOf<X extends Watched> = X extends Watched<infer T> ? T : never;
