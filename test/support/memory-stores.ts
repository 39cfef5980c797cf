/** The operator's real caches, filled by hand: objects go in as the API server would send them, through the real projections. */
import { apiVersionOf, keyOf, type KubeObject, type ObjectKey } from '../../operator/src/kube/resource.ts';
import { Store } from '../../operator/src/runtime/store.ts';
import type { Stores, Watches } from '../../operator/src/runtime/watched.ts';

export class MemoryStores<W extends Watches> {
  readonly #stores: Readonly<Record<string, Store>>;
  #version = 0;

  constructor(watches: W) {
    this.#stores = Object.fromEntries(Object.entries(watches).map(([name, watched]) => [name, new Store(watched)]));
    for (const store of Object.values(this.#stores)) store.setInstalled(true);
  }

  get stores(): Stores<W> {
    return this.#stores as unknown as Stores<W>;
  }

  /** What the watch of this kind would deliver; kinds that are not watched, and objects that a selector leaves out, do not come. */
  put(object: KubeObject): void {
    const store = this.#storeOf(object.kind, object.apiVersion);
    if (store === undefined || !selected(store, object)) return;
    this.#version += 1;
    store.put(store.watched.project({ ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } }));
  }

  remove(kind: string, key: ObjectKey): void {
    this.#version += 1;
    this.#storeOf(kind)?.remove(key, String(this.#version));
  }

  has(object: KubeObject): boolean {
    return this.#storeOf(object.kind, object.apiVersion)?.get(keyOf(object)) !== undefined;
  }

  setInstalled(kind: string, installed: boolean): void {
    this.#storeOf(kind)?.setInstalled(installed);
  }

  /** Two projects may give one name to their kinds; then the version of the API tells them apart. */
  #storeOf(kind: string, apiVersion?: string): Store | undefined {
    return Object.values(this.#stores).find(({ type }) => type.kind === kind && (apiVersion === undefined || apiVersion === apiVersionOf(type)));
  }
}

/** The selectors that the operator uses: `label` and `label=value`, joined by commas. */
function selected(store: Store, { metadata }: KubeObject): boolean {
  return (store.watched.selector.labels ?? '').split(',').every((term) => {
    const [name = '', value] = term.split('=');
    if (name === '') return true;
    const own = metadata.labels?.[name];
    return value === undefined ? own !== undefined : own === value;
  });
}
