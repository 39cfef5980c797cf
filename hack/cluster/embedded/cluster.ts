import { binaries } from '../binaries.ts';
import { ClusterError } from '../errors.ts';
import { ControlPlane } from '../controlplane/controlplane.ts';
import type { Endpoint } from '../controlplane/flags.ts';
import { freePort } from '../controlplane/ports.ts';
import { diedEarly } from '../processes.ts';
import { ProcessTable } from '../processtable.ts';
import { say, step } from '../progress.ts';
import type { ClusterStatus, UpOptions } from '../providers/provider.ts';
import { writeState } from '../state.ts';
import type { ClusterState } from '../state.ts';
import { until } from '../until.ts';
import { addonObjects } from './addons.ts';
import { programImage } from './images.ts';
import type { Image } from './images.ts';
import { noteKernelSettings } from './kernel.ts';
import { layoutOf, nodeLayout, nodeName } from './layout.ts';
import type { Layout } from './layout.ts';
import { addNode, connectNodes, controlPlaneAddress, controlPlaneNamespace, createNetwork, dnsAddress, ensureNetwork, inNetworkLock, serviceCidr } from './network.ts';
import type { Network } from './network.ts';
import { startNode } from './node.ts';
import { ensurePackages } from './packages.ts';
import { cutPower, hasPower } from './power.ts';
import type { Machine } from './power.ts';
import { startStorage, storagePrograms } from './storage.ts';

/** One embedded cluster: what runs of it is started, checked and started again from here. */
export class EmbeddedCluster {
  readonly #state: ClusterState;
  readonly #layout: Layout;
  readonly #processes: ProcessTable;
  readonly #plane: ControlPlane;

  private constructor(state: ClusterState, processes: ProcessTable, plane: ControlPlane) {
    this.#state = state;
    this.#layout = layoutOf(state);
    this.#processes = processes;
    this.#plane = plane;
  }

  /** Makes a new cluster and waits until all of it works. */
  static async create(id: string, options: UpOptions): Promise<void> {
    const started = performance.now();
    const nodes = options.controlPlaneOnly ? 0 : options.nodes;
    let state: ClusterState = { id, provider: 'embedded', ...options, nodes };
    if (nodes === 0) {
      state = { ...state, port: await freePort() };
    } else {
      await ensurePackages();
      state = { ...state, kernelSettings: await noteKernelSettings() };
      await writeState(state);
      state = { ...state, block: (await inNetworkLock(async () => createNetwork(id))).block };
    }
    await writeState(state);
    const cluster = await EmbeddedCluster.open(state);
    await cluster.start();
    say(`The cluster is up after ${((performance.now() - started) / 1000).toFixed(0)} s.`);
  }

  static async open(state: ClusterState): Promise<EmbeddedCluster> {
    const layout = layoutOf(state);
    const processes = await ProcessTable.open(layout.dir);
    const network = networkOf(state);
    const endpoint: Endpoint = network === undefined ? { address: '127.0.0.1', port: state.port ?? 0 } : { address: controlPlaneAddress(network), port: 6443 };
    const plane = await ControlPlane.prepare({
      dir: layout.dir,
      socketDir: layout.sockets,
      endpoint,
      serviceCidr: network === undefined ? '10.96.0.0/16' : serviceCidr(network),
      ...(network === undefined ? {} : { network: controlPlaneNamespace(network) }),
      ...(state.nodeMonitorGraceSeconds === undefined ? {} : { nodeMonitorGraceSeconds: state.nodeMonitorGraceSeconds }),
    }, processes);
    return new EmbeddedCluster(state, processes, plane);
  }

  /** Starts what does not run. */
  async start(): Promise<void> {
    const network = networkOf(this.#state);
    if (network === undefined) {
      await step('control plane', async () => this.#plane.start({ withControllers: true }));
      return;
    }
    await binaries(['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl', 'kubelet', 'kube-proxy', 'pause', 'coredns', 'metrics-server', ...storagePrograms]);
    await inNetworkLock(async () => ensureNetwork(network, this.#nodes));
    await this.#plug(network, this.#nodes);
    const images = await nodeImages();
    const addons = addonObjects({ ...images, dnsAddress: dnsAddress(network) });
    const api = step('API server answers', async () => this.#plane.startApi());
    await allOf([
      api.then(async () => step('controllers work', async () => this.#plane.startControllers())),
      api.then(async () => step('DNS, metrics and storage are asked for', async () => {
        await this.#plane.apply(addons);
        await startStorage({ cluster: this.#layout, network, plane: this.#plane, processes: this.#processes });
      })),
      ...this.#nodes.map(async (index) => step(`${nodeName(index)} runs`, async () => this.#run(network, index, images, api))),
    ]);
    await step('nodes are ready', async () => this.#nodesReady(this.#nodes));
    await step('DNS and metrics answer', async () => this.#addonsReady());
  }

  /** Ends a node as a power cut does. */
  async killNode(index: number): Promise<void> {
    const machine = this.#machine(this.#network, index);
    if (!(await hasPower(machine))) throw new ClusterError('NOT_UP', `${machine.layout.name} is off already. Start it with: npm run cluster -- start-node ${machine.layout.name}`);
    await cutPower(machine);
    await inNetworkLock(async () => connectNodes(this.#network, this.#nodes));
  }

  /** Brings a node back, and waits until it is ready and offers its GPUs. */
  async startNode(index: number): Promise<void> {
    await this.#plug(this.#network, [index]);
    const images = await nodeImages();
    await step(`${nodeName(index)} runs`, async () => this.#run(this.#network, index, images, Promise.resolve()));
    await step(`${nodeName(index)} is ready`, async () => this.#nodesReady([index]));
  }

  /** Those of the nodes that are off. */
  async nodesOff(): Promise<number[]> {
    const on = await Promise.all(this.#nodes.map(async (index) => hasPower(this.#machine(this.#network, index))));
    return this.#nodes.filter((_, at) => on[at] !== true);
  }

  async status(): Promise<ClusterStatus> {
    const dead = await this.#processes.dead();
    const running = this.#processes.records.length - dead.length;
    const ready = await this.#plane.isReady();
    const lines = [
      `embedded cluster ${this.#state.id} in ${this.#layout.dir}`,
      `API server ${this.#plane.server}: ${ready ? 'ready' : 'no answer'}`,
      `processes: ${running} running${dead.length === 0 ? '' : `, ended: ${dead.map(({ name, log }) => `${name} (${log})`).join(', ')}`}`,
    ];
    // With a part missing, the API server may hang on the question for a minute.
    if (!ready || dead.length > 0 || running === 0) return { up: false, lines };
    const nodes = await this.#readyNodes();
    if (this.#nodes.length === 0) return { up: true, lines };
    const addons = await this.#readyAddons();
    const off = (await this.nodesOff()).map(nodeName);
    lines.push(`nodes: ${nodes.length} of ${this.#nodes.length} ready${off.length === 0 ? '' : `, off: ${off.join(', ')}`}`, `addons ready: ${addons.join(', ')}`);
    return { up: nodes.length === this.#nodes.length && addons.length === addonNames.length, lines };
  }

  get #nodes(): number[] {
    return Array.from({ length: this.#state.nodes }, (_, index) => index + 1);
  }

  get #network(): Network {
    const network = networkOf(this.#state);
    if (network === undefined) throw new ClusterError('NOT_UP', 'The cluster has no nodes (--control-plane-only).');
    return network;
  }

  #machine(network: Network, index: number): Machine {
    return { layout: nodeLayout(this.#layout, index), network, processes: this.#processes, index };
  }

  /** Connects nodes, and first ends what is left of those that lost their link or their namespace: new programs could not join it. */
  async #plug(network: Network, nodes: readonly number[]): Promise<void> {
    await Promise.all(nodes.map(async (index) => {
      const machine = this.#machine(network, index);
      if (!(await hasPower(machine))) await cutPower(machine);
    }));
    await inNetworkLock(async () => {
      for (const index of nodes) await addNode(network, index);
      await connectNodes(network, this.#nodes);
    });
  }

  async #run(network: Network, index: number, { pause, ...addons }: NodeImages, api: Promise<void>): Promise<void> {
    const { gpusPerNode, nodeMonitorGraceSeconds } = this.#state;
    await startNode({
      cluster: this.#layout, network, plane: this.#plane, processes: this.#processes, index, gpus: gpusPerNode, nodeMonitorGraceSeconds,
      images: { pause, addons: Object.values(addons) }, api,
    });
  }

  async #nodesReady(nodes: readonly number[]): Promise<void> {
    const names = nodes.map(nodeName);
    await until(`${names.join(', ')} are ready and offer their GPUs`, async () => {
      for (const { name, log } of await this.#processes.dead()) throw await diedEarly(name, log);
      const ready = await this.#readyNodes();
      return names.every((wanted) => ready.some(({ name, gpus }) => name === wanted && gpus === this.#state.gpusPerNode));
    }, { timeoutSeconds: 60, everyMilliseconds: 200, hint: async () => this.#plane.kubectl(['describe', 'nodes']) });
  }

  async #readyNodes(): Promise<{ readonly name: string; readonly gpus: number }[]> {
    const { items } = JSON.parse(await this.#plane.kubectl(['get', 'nodes', '-o', 'json'])) as { items: NodeObject[] };
    const ready = items
      .filter(({ status }) => status.conditions.some(({ type, status: value }) => type === 'Ready' && value === 'True'))
      .map(({ metadata, status }) => ({ name: metadata.name, gpus: Number(status.allocatable['nvidia.com/gpu'] ?? 0) }));
    // For most of a minute after a kubelet's death the API server still calls its node ready, so the kubelets are asked themselves.
    const answers = await Promise.all(ready.map(async ({ name }) => this.#plane.answers(`/api/v1/nodes/${name}/proxy/healthz`)));
    return ready.filter((_, index) => answers[index] === true);
  }

  async #readyAddons(): Promise<string[]> {
    const { items } = JSON.parse(await this.#plane.kubectl(['-n', 'kube-system', 'get', 'deployments', '-o', 'json'])) as { items: DeploymentObject[] };
    return addonNames.filter((name) => items.some(({ metadata, status }) => metadata.name === name && (status.availableReplicas ?? 0) > 0));
  }

  async #addonsReady(): Promise<void> {
    for (const name of addonNames) await this.#plane.kubectl(['-n', 'kube-system', 'rollout', 'status', '--timeout=120s', `deployment/${name}`]);
    await this.#plane.kubectl(['wait', '--for=condition=Available', '--timeout=60s', 'apiservice/v1beta1.metrics.k8s.io']);
  }
}

interface NodeObject {
  readonly metadata: { readonly name: string };
  readonly status: { readonly conditions: { readonly type: string; readonly status: string }[]; readonly allocatable: Readonly<Record<string, string>> };
}

interface DeploymentObject {
  readonly metadata: { readonly name: string };
  readonly status: { readonly availableReplicas?: number };
}

const addonNames = ['coredns', 'metrics-server'];

interface NodeImages {
  readonly pause: Image;
  readonly coredns: Image;
  readonly metricsServer: Image;
}

async function nodeImages(): Promise<NodeImages> {
  const [pause, coredns, metricsServer] = await Promise.all([programImage('pause'), programImage('coredns'), programImage('metrics-server')]);
  return { pause, coredns, metricsServer };
}

/** Waits for all before it fails, so that nothing is still being started when the failure is dealt with. */
async function allOf(work: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

function networkOf({ id, block, nodes }: ClusterState): Network | undefined {
  return nodes === 0 || block === undefined ? undefined : { id, block };
}
