import { expect } from 'chai';
import fc from 'fast-check';
import { keyOf } from '../../../operator/src/kube/resource.ts';
import type { KubeObject, ResourceType } from '../../../operator/src/kube/resource.ts';
import { Store } from '../../../operator/src/runtime/store.ts';
import { watched } from '../../../operator/src/runtime/watched.ts';

const podType: ResourceType = { group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };

interface Pod extends KubeObject {
  readonly nodes: readonly string[];
}

type PodStore = Store<Pod, 'node'>;

/** The simplest thing that could be right: a list that is searched. */
class Model {
  pods: readonly Pod[] = [];

  put(pod: Pod): void {
    this.pods = [...this.pods.filter((other) => other.metadata.name !== pod.metadata.name), pod];
  }

  remove(name: string): void {
    this.pods = this.pods.filter((other) => other.metadata.name !== name);
  }
}

const names = fc.constantFrom('p0', 'p1', 'p2', 'p3', 'p4');
const nodes = fc.constantFrom('n0', 'n1', 'n2');
const owners = fc.constantFrom('u0', 'u1', undefined);
const contents = fc.record({ name: names, owner: owners, nodes: fc.uniqueArray(nodes) });
let version = 0;

function podOf(content: { readonly name: string; readonly owner: string | undefined; readonly nodes: readonly string[] }): Pod {
  version += 1;
  const ownerReferences = content.owner === undefined ? [] : [{ apiVersion: 'v1', kind: 'X', name: 'x', uid: content.owner, controller: true }];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: content.name, namespace: 'a', uid: `uid-${content.name}`, resourceVersion: String(version), ownerReferences },
    nodes: content.nodes,
  };
}

class Put implements fc.Command<Model, PodStore> {
  readonly #content: Parameters<typeof podOf>[0];

  constructor(content: Parameters<typeof podOf>[0]) {
    this.#content = content;
  }

  check(): boolean {
    return true;
  }

  run(model: Model, store: PodStore): void {
    const pod = podOf(this.#content);
    model.put(pod);
    store.put(pod);
    expectSame(model, store);
  }

  toString(): string {
    return `put ${JSON.stringify(this.#content)}`;
  }
}

class Remove implements fc.Command<Model, PodStore> {
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  check(): boolean {
    return true;
  }

  run(model: Model, store: PodStore): void {
    model.remove(this.#name);
    store.remove({ namespace: 'a', name: this.#name }, undefined);
    expectSame(model, store);
  }

  toString(): string {
    return `remove ${this.#name}`;
  }
}

class Replace implements fc.Command<Model, PodStore> {
  readonly #contents: readonly Parameters<typeof podOf>[0][];

  constructor(given: readonly Parameters<typeof podOf>[0][]) {
    this.#contents = given;
  }

  check(): boolean {
    return true;
  }

  run(model: Model, store: PodStore): void {
    model.pods = this.#contents.map(podOf);
    store.replace(model.pods, String(version));
    expectSame(model, store);
  }

  toString(): string {
    return `replace ${JSON.stringify(this.#contents)}`;
  }
}

function expectSame(model: Model, store: PodStore): void {
  const sorted = (pods: Iterable<Pod>): readonly Pod[] => [...pods].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  expect(sorted(store.all())).to.deep.equal(sorted(model.pods));
  expect(store.size).to.equal(model.pods.length);
  for (const pod of model.pods) expect(store.get(keyOf(pod))).to.equal(pod);
  for (const node of ['n0', 'n1', 'n2']) expect(store.by('node', node)).to.deep.equal(sorted(model.pods.filter((pod) => pod.nodes.includes(node))));
  for (const uid of ['u0', 'u1']) {
    expect(store.controlledBy(uid)).to.deep.equal(sorted(model.pods.filter((pod) => pod.metadata.ownerReferences?.[0]?.uid === uid)));
  }
}

describe('a store, for any changes', () => {
  it('finds by key, owner and index exactly what a search of a plain list finds', () => {
    const commands = fc.commands([
      contents.map((content) => new Put(content)),
      names.map((name) => new Remove(name)),
      fc.uniqueArray(contents, { selector: (content) => content.name }).map((given) => new Replace(given)),
    ]);
    fc.assert(
      fc.property(commands, (run) => {
        const declared = watched(podType, { project: (raw: Pod) => raw, indices: { node: (pod) => pod.nodes } });
        fc.modelRun(() => ({ model: new Model(), real: new Store(declared) }), run);
      }),
    );
  });

  it('tells its listeners every difference, so that they can follow', () => {
    fc.assert(
      fc.property(fc.array(fc.uniqueArray(contents, { selector: (content) => content.name })), (lists) => {
        const store = new Store(watched(podType, { project: (raw: Pod) => raw }));
        const followed = new Map<string, Pod>();
        using _subscription = store.subscribe(({ before, after }) => {
          const name = (after ?? before)?.metadata.name ?? '';
          expect(followed.get(name)).to.equal(before);
          if (after === undefined) followed.delete(name);
          else followed.set(name, after);
        });
        for (const list of lists) {
          store.replace(list.map(podOf), String(version));
          expect([...followed.keys()].sort()).to.deep.equal([...store.all()].map((pod) => pod.metadata.name).sort());
        }
      }),
    );
  });
});
