import { readFile, writeFile } from 'node:fs/promises';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '../../operator/src/kube/client.ts';
import type { KubeObject, ResourceType } from '../../operator/src/kube/resource.ts';
import { binary, moduleDir } from '../cluster/index.ts';
import { start, stop, tail } from '../cluster/processes.ts';
import { until } from '../cluster/until.ts';

export interface SimulatedNodesOptions {
  readonly kubeconfig: string;
  readonly client: Client;
  readonly count: number;
  /** `Run`: each pod that is bound to a node runs at once and for ever. `ByHand`: whoever plays the kubelet writes the pods' status. */
  readonly pods: 'Run' | 'ByHand';
}

export interface SimulatedNodes extends AsyncDisposable {
  readonly pid: number;
  readonly names: readonly string[];
}

const nodeType: ResourceType = { group: '', version: 'v1', kind: 'Node', plural: 'nodes', namespaced: false };

/** Documents of the kwok module that say how its nodes and pods behave; pods of a Job do not end by themselves, as ours do not. */
const stagesOf = {
  Run: ['node/fast/node-initialize', 'node/heartbeat-with-lease/node-heartbeat-with-lease', 'pod/fast/pod-ready', 'pod/fast/pod-delete'],
  ByHand: ['node/fast/node-initialize', 'node/heartbeat-with-lease/node-heartbeat-with-lease', 'pod/fast/pod-delete'],
} as const;

/** Nodes of kwok, Ready, each with room for hundreds of pods. They end with this program at the latest. */
export async function startSimulatedNodes({ kubeconfig, client, count, pods }: SimulatedNodesOptions): Promise<SimulatedNodes> {
  const folder = await mkdtemp(join(tmpdir(), 'anneal-nodes-'));
  const config = join(folder, 'kwok.yaml');
  const stages = join(await moduleDir('kwok', 'sigs.k8s.io/kwok'), 'kustomize', 'stage');
  const documents = await Promise.all(stagesOf[pods].map(async (name) => readFile(join(stages, `${name}.yaml`), 'utf8')));
  await writeFile(config, documents.join('\n---\n'));
  const record = await start({
    name: 'kwok',
    command: await binary('kwok'),
    args: ['--kubeconfig', kubeconfig, '--config', config, '--manage-all-nodes', '--cidr', '10.0.0.0/8', '--node-lease-duration-seconds', '40'],
    log: join(folder, 'kwok.log'),
    endsWithUs: true,
  });
  const names = Array.from({ length: count }, (_, index) => `simulated-${index}`);
  const dispose = async (): Promise<void> => {
    await stop(record, 0);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await Promise.all(names.map(async (name) => client.create(nodeType, nodeNamed(name))));
    await until('the simulated nodes are Ready', async () => (await readyNodes(client)) >= count, { timeoutSeconds: 60, hint: async () => tail(record.log) });
  } catch (error) {
    await dispose();
    throw error;
  }
  return { pid: record.pid, names, [Symbol.asyncDispose]: dispose };
}

interface NodeObject extends KubeObject {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

async function readyNodes(client: Client): Promise<number> {
  const { items } = await client.list(nodeType, (raw) => isReady(raw));
  return items.filter(Boolean).length;
}

function isReady(node: NodeObject): boolean {
  return node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

function nodeNamed(name: string): KubeObject {
  const resources = { cpu: '64', memory: '512Gi', pods: '500' };
  const object = {
    apiVersion: 'v1', kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' }, annotations: { 'kwok.x-k8s.io/node': 'fake' } },
    status: { allocatable: resources, capacity: resources },
  };
  return object;
}
