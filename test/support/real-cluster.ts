/** A whole cluster of the test's own, with the images and the chart that a user would install. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../hack/cluster/commands.ts';
import { binary } from '../../hack/cluster/index.ts';
import { projectRoot } from '../../hack/cluster/places.ts';
import { providerOf } from '../../hack/cluster/providers/index.ts';
import type { Provider } from '../../hack/cluster/providers/provider.ts';
import { until } from '../../hack/cluster/until.ts';
import { buildImage } from '../../hack/images/index.ts';
import { apiClient } from '../../hack/testbed/index.ts';
import type { Condition } from '../../operator/src/api/index.ts';
import { findCondition } from '../../operator/src/api/index.ts';
import type { Client } from '../../operator/src/kube/client.ts';
import type { KubeObject, ObjectKey, ResourceType } from '../../operator/src/kube/resource.ts';

export const operatorNamespace = 'anneal-system';
export const digitsFolder = join(projectRoot, 'docs/examples/digits');

export interface RealClusterOptions {
  readonly helmArgs?: readonly string[];
  readonly nodes?: number;
  /** How long a node may be silent before it is NotReady; Kubernetes' own time when absent. */
  readonly nodeMonitorGraceSeconds?: number;
  /** Which of the project's images the nodes get; both when absent. */
  readonly images?: readonly ('operator' | 'trainer')[];
}

export class RealCluster implements AsyncDisposable {
  readonly client: Client;
  readonly #provider: Provider;
  readonly #kubeconfig: string;
  readonly #cleanUp: AsyncDisposableStack;

  constructor(client: Client, provider: Provider, kubeconfig: string, cleanUp: AsyncDisposableStack) {
    this.client = client;
    this.#provider = provider;
    this.#kubeconfig = kubeconfig;
    this.#cleanUp = cleanUp;
  }

  /** Up, with images on the nodes, a fake GPU on each, and the chart installed. */
  static async start(name: string, { helmArgs = [], nodes = 1, images = ['operator', 'trainer'], ...more }: RealClusterOptions = {}): Promise<RealCluster> {
    await using cleanUp = new AsyncDisposableStack();
    const provider = providerOf('embedded', name);
    cleanUp.defer(() => provider.down());
    await provider.up({ controlPlaneOnly: false, nodes, gpusPerNode: 1, ...more });
    for (const image of images) await provider.load((await buildImage(image)).archive);
    const kubeconfig = await provider.kubeconfig();
    const { client } = cleanUp.use(await apiClient(kubeconfig, 'anneal-test'));
    const cluster = new RealCluster(client, provider, kubeconfig, cleanUp.move());
    await cluster.helm('upgrade', '--install', 'anneal', join(projectRoot, 'charts/anneal'), '--namespace', operatorNamespace, '--create-namespace', '--wait', '--timeout', '3m', ...helmArgs);
    return cluster;
  }

  async kubectl(args: readonly string[], input?: string): Promise<string> {
    return run(await binary('kubectl'), ['--kubeconfig', this.#kubeconfig, ...args], input === undefined ? {} : { input });
  }

  async helm(...args: readonly string[]): Promise<string> {
    return run(await binary('helm'), ['--kubeconfig', this.#kubeconfig, ...args]);
  }

  /** Gives the nodes an image: an archive as `docker save` writes it. */
  async load(archive: string): Promise<void> {
    await this.#provider.load(archive);
  }

  /** Ends a node as a power cut does. */
  async killNode(name: string): Promise<void> {
    await this.#provider.killNode(name);
  }

  async startNode(name: string): Promise<void> {
    await this.#provider.startNode(name);
  }

  /** A namespace with the digits in a ConfigMap. */
  async namespaceWithDigits(name: string): Promise<void> {
    await this.kubectl(['create', 'namespace', name]);
    await this.kubectl(['create', 'configmap', 'digits', '-n', name, `--from-file=${join(digitsFolder, 'digits.csv')}`]);
  }

  get<T extends KubeObject>(type: ResourceType, key: ObjectKey): Promise<T> {
    return this.client.get<T>(type, key);
  }

  async list<T extends KubeObject>(type: ResourceType, namespace: string): Promise<readonly T[]> {
    return (await this.client.list<T>(type, (raw) => raw as T, { namespace })).items;
  }

  /** Waits until a condition of an object has this status, and returns the object. */
  async condition<T extends KubeObject & { readonly status?: { readonly conditions?: readonly Condition[] } }>(
    type: ResourceType, key: ObjectKey, conditionType: string, status: Condition['status'], timeoutSeconds: number,
  ): Promise<T> {
    let last: T | undefined;
    await until(`${type.kind} ${key.name} to be ${conditionType}=${status}`, async () => {
      last = await this.get<T>(type, key);
      return findCondition(last.status?.conditions, conditionType)?.status === status;
    }, { timeoutSeconds });
    if (last === undefined) throw new Error(`${type.kind} ${key.name} was never read`);
    return last;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanUp.disposeAsync();
  }
}

/** Process ids of containers whose environment has this variable with this value. The node's containers are processes of this machine. */
export async function processesWith(variable: string, value: string): Promise<number[]> {
  const ids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  const found = await Promise.all(ids.map(async (id) => ((await environment(id)).includes(`${variable}=${value}`) ? [Number(id)] : [])));
  return found.flat();
}

async function environment(id: string): Promise<readonly string[]> {
  try {
    return (await readFile(`/proc/${id}/environ`, 'utf8')).split('\0');
  } catch {
    // It ended between the listing and this look.
    return [];
  }
}

/** A TrainingJob on the digits that ends within seconds. */
export function quickDigits(name: string, over: object = {}): object {
  return {
    apiVersion: 'anneal.dev/v1alpha1',
    kind: 'TrainingJob',
    metadata: { name },
    spec: {
      trainer: {
        data: { source: { format: 'CSV', uri: 'configmap://digits/digits.csv' }, target: 'label', features: { shape: [8, 8, 1] }, pipeline: [{ scale: { method: 'MinMax' } }] },
        model: { preset: 'CNN' },
        fit: { epochs: 12, seed: 11 },
      },
      ...over,
    },
  };
}

