/** Kueue's real controllers and scheduler on a test's control plane, without its webhooks. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { binary, crdFiles } from '../../hack/cluster/index.ts';
import type { TestControlPlane } from '../../hack/cluster/index.ts';
import { freePort } from '../../hack/cluster/controlplane/ports.ts';
import { directly, ready, start, stop, tail } from '../../hack/cluster/processes.ts';

/** One framework must be named; the program that we build runs the controllers of none. */
const configuration = (health: string) => ({
  apiVersion: 'config.kueue.x-k8s.io/v1beta2',
  kind: 'Configuration',
  health: { healthProbeBindAddress: health },
  metrics: { bindAddress: '0' },
  leaderElection: { leaderElect: false },
  integrations: { frameworks: ['pod'] },
});

export interface Kueue extends AsyncDisposable {
  /** The end of its log. */
  log(): Promise<string>;
}

export async function startKueue(plane: TestControlPlane): Promise<Kueue> {
  await plane.installCrds(await crdFiles('kueue'));
  const folder = await mkdtemp(join(tmpdir(), 'anneal-kueue-'));
  const health = `127.0.0.1:${await freePort()}`;
  await writeFile(join(folder, 'config.yaml'), JSON.stringify(configuration(health)));
  const record = await start({
    name: 'kueue', command: await binary('kueue'), args: ['--config', join(folder, 'config.yaml')], log: join(folder, 'kueue.log'),
    env: { KUBECONFIG: plane.kubeconfigPath, ...directly }, endsWithUs: true,
  });
  const dispose = async (): Promise<void> => {
    await stop(record, 5);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await ready(record, async () => answers(`http://${health}/readyz`));
  } catch (error) {
    await dispose();
    throw error;
  }
  return { log: async () => tail(record.log, 40), [Symbol.asyncDispose]: dispose };
}

async function answers(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    get(url, (response) => resolve(response.resume().statusCode === 200)).on('error', () => resolve(false));
  });
}

const api = { apiVersion: 'kueue.x-k8s.io/v1beta2' };

/** Queues over nodes that carry `pool: trainers`, with a LocalQueue each in the namespace: `trainers`, and `racks`, which knows the topology. */
export function queuesOf(namespace: string, cpu: number): readonly object[] {
  return [
    { ...api, kind: 'Topology', metadata: { name: 'racks' }, spec: { levels: [{ nodeLabel: 'example.com/rack' }, { nodeLabel: 'kubernetes.io/hostname' }] } },
    ...queue(namespace, 'trainers', cpu, {}),
    ...queue(namespace, 'racks', cpu, { topologyName: 'racks' }),
    { ...api, kind: 'WorkloadPriorityClass', metadata: { name: 'urgent' }, value: 1000 },
  ];
}

function queue(namespace: string, name: string, cpu: number, flavor: object): readonly object[] {
  return [
    {
      ...api, kind: 'ResourceFlavor', metadata: { name },
      spec: { nodeLabels: { pool: 'trainers' }, nodeTaints: [{ key: 'pool', value: 'trainers', effect: 'NoSchedule' }], tolerations: [{ key: 'pool', operator: 'Equal', value: 'trainers', effect: 'NoSchedule' }], ...flavor },
    },
    {
      ...api, kind: 'ClusterQueue', metadata: { name },
      spec: {
        namespaceSelector: {}, preemption: { withinClusterQueue: 'LowerPriority' },
        resourceGroups: [{ coveredResources: ['cpu'], flavors: [{ name, resources: [{ name: 'cpu', nominalQuota: String(cpu) }] }] }],
      },
    },
    { ...api, kind: 'LocalQueue', metadata: { name, namespace }, spec: { clusterQueue: name } },
  ];
}
