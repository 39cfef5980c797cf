/** The objects of one type in memory, found by key and by index. The reflector alone writes it. */
import { compareResourceVersions, controllerOf, keyOf, keyString } from '../kube/resource.ts';
import type { KubeObject, ObjectKey, ResourceType } from '../kube/resource.ts';
import type { Change } from './definition.ts';
import type { ReadStore, Watched } from './watched.ts';

export type StoreListener<T extends KubeObject = KubeObject> = (change: Change<T>) => void;

export class Store<T extends KubeObject = KubeObject, I extends string = string> implements ReadStore<T, I> {
  readonly watched: Watched<T, I>;
  readonly #objects = new Map<string, T>();
  readonly #byOwner = new Index<T>((object) => {
    const owner = controllerOf(object);
    return owner === undefined ? [] : [owner.uid];
  });
  readonly #indices: ReadonlyMap<string, Index<T>>;
  readonly #listeners = new Set<StoreListener<T>>();
  readonly #installedListeners = new Set<() => void>();
  #installed: boolean;
  #resourceVersion: string | undefined;

  constructor(watched: Watched<T, I>) {
    this.watched = watched;
    this.#installed = !watched.optional;
    this.#indices = new Map(Object.entries<(object: T) => readonly string[]>(watched.indices).map(([name, valuesOf]) => [name, new Index(valuesOf)]));
  }

  get type(): ResourceType {
    return this.watched.type;
  }

  get installed(): boolean {
    return this.#installed;
  }

  get size(): number {
    return this.#objects.size;
  }

  /** All changes up to this version are in the store; `undefined` before the first list. */
  get resourceVersion(): string | undefined {
    return this.#resourceVersion;
  }

  get(key: ObjectKey): T | undefined {
    return this.#objects.get(keyString(key));
  }

  all(): Iterable<T> {
    return this.#objects.values();
  }

  controlledBy(uid: string): readonly T[] {
    return this.#byOwner.get(uid);
  }

  by(index: I, value: string): readonly T[] {
    const found = this.#indices.get(index);
    if (found === undefined) throw new RangeError(`The store of ${this.type.plural} has no index "${index}"`);
    return found.get(value);
  }

  /** True once the store holds this version of the object, a later one, or has seen it go. */
  hasSeen(key: ObjectKey, resourceVersion: string): boolean {
    if (this.#resourceVersion !== undefined && compareResourceVersions(this.#resourceVersion, resourceVersion) >= 0) return true;
    const held = this.get(key)?.metadata.resourceVersion;
    return held !== undefined && compareResourceVersions(held, resourceVersion) >= 0;
  }

  subscribe(listener: StoreListener<T>): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Told when the CRD of an optional type appears or goes away. */
  onInstalled(listener: () => void): Disposable {
    this.#installedListeners.add(listener);
    return { [Symbol.dispose]: () => void this.#installedListeners.delete(listener) };
  }

  setInstalled(installed: boolean): void {
    if (this.#installed === installed) return;
    this.#installed = installed;
    for (const listener of this.#installedListeners) listener();
  }

  put(object: T): void {
    this.advance(object.metadata.resourceVersion);
    this.#swap(keyString(keyOf(object)), object);
  }

  /** `resourceVersion` is that of the deletion. */
  remove(key: ObjectKey, resourceVersion: string | undefined): void {
    this.advance(resourceVersion);
    this.#swap(keyString(key), undefined);
  }

  /** A bookmark: nothing changed up to this version. */
  advance(resourceVersion: string | undefined): void {
    if (resourceVersion === undefined) return;
    if (this.#resourceVersion === undefined || compareResourceVersions(this.#resourceVersion, resourceVersion) < 0) this.#resourceVersion = resourceVersion;
  }

  /** The store becomes exactly these objects; listeners hear of what differs, of what went missing too. */
  replace(objects: Iterable<T>, resourceVersion: string): void {
    const gone = new Set(this.#objects.keys());
    for (const object of objects) {
      const key = keyString(keyOf(object));
      gone.delete(key);
      const held = this.#objects.get(key)?.metadata;
      if (held === undefined || held.uid !== object.metadata.uid || held.resourceVersion !== object.metadata.resourceVersion) this.#swap(key, object);
    }
    for (const key of gone) this.#swap(key, undefined);
    this.#resourceVersion = resourceVersion;
  }

  #swap(key: string, after: T | undefined): void {
    const before = this.#objects.get(key);
    if (before === undefined && after === undefined) return;
    if (after === undefined) this.#objects.delete(key);
    else this.#objects.set(key, after);
    this.#byOwner.swap(before, after);
    for (const index of this.#indices.values()) index.swap(before, after);
    for (const listener of this.#listeners) listener({ before, after });
  }
}

class Index<T extends KubeObject> {
  readonly #valuesOf: (object: T) => readonly string[];
  readonly #objects = new Map<string, Set<T>>();

  constructor(valuesOf: (object: T) => readonly string[]) {
    this.#valuesOf = valuesOf;
  }

  /** In the order of their names, so that a plan made from them does not depend on the order of events. */
  get(value: string): readonly T[] {
    return [...(this.#objects.get(value) ?? [])].sort((a, b) => compareText(a.metadata.name, b.metadata.name) || compareText(a.metadata.namespace ?? '', b.metadata.namespace ?? ''));
  }

  swap(before: T | undefined, after: T | undefined): void {
    if (before !== undefined) for (const value of this.#valuesOf(before)) this.#drop(value, before);
    if (after !== undefined) for (const value of this.#valuesOf(after)) this.#add(value, after);
  }

  #add(value: string, object: T): void {
    const held = this.#objects.get(value);
    if (held === undefined) this.#objects.set(value, new Set([object]));
    else held.add(object);
  }

  #drop(value: string, object: T): void {
    const held = this.#objects.get(value);
    held?.delete(object);
    if (held?.size === 0) this.#objects.delete(value);
  }
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
