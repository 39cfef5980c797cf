import { join } from 'node:path';
import { expect } from 'chai';
import { trainingJobController } from '../../operator/src/controllers/trainingjob/index.ts';
import { MemoryProgressBoard } from '../../operator/src/controllers/trainingjob/progress-board.ts';
import { crdFiles } from '../../hack/cluster/index.ts';
import { readCrds, root } from '../../hack/gen/schema.ts';
import { withCluster } from '../support/cluster.ts';
import { eventually } from '../support/kit/eventually.ts';
import { conditionOf, Kubectl, type Live } from '../support/kubernetes.ts';
import { withOperator } from '../support/controllers.ts';

const ownCrds = readCrds().map(({ plural }) => join(root, 'charts/anneal/files/crds', `${plural}.yaml`));

/** The definitions are those of the projects; their schedulers are played by the tests. */
describe("queues and gangs, at the API server with the projects' own definitions", function schedulingSuite() {
  this.timeout(120_000);
  const cluster = withCluster({ crds: ownCrds });
  const kubectl = new Kubectl(cluster);
  before(async () => {
    for (const project of ['kueue', 'volcano', 'coscheduling'] as const) await cluster.plane.installCrds(await crdFiles(project));
    await kubectl.apply({ apiVersion: 'kueue.x-k8s.io/v1beta2', kind: 'ResourceFlavor', metadata: { name: 'spot' }, spec: { nodeLabels: { 'example.com/pool': 'spot' }, tolerations: [{ key: 'spot', operator: 'Exists' }] } });
  });
  const settings = { trainerImage: 'anneal/trainer:test', progressUrl: undefined };
  withOperator(() => ({ kubeconfig: cluster.plane.kubeconfigPath, namespace: cluster.namespace, controllers: [trainingJobController(settings, new MemoryProgressBoard(() => undefined, 0))] }));

  const container = (resources: object) => ({ name: 'main', image: 'example.com/work:1', resources });
  const job = (name: string, scheduling: object) => ({
    apiVersion: 'anneal.dev/v1alpha1', kind: 'TrainingJob', metadata: { name },
    spec: {
      framework: 'Custom', scheduling,
      roles: [
        { name: 'ps', replicas: 1, template: { spec: { containers: [container({ requests: { cpu: '500m', memory: '1Gi' } })] } } },
        { name: 'worker', replicas: 2, template: { spec: { containers: [container({ requests: { cpu: '1' }, limits: { 'nvidia.com/gpu': '1' } })] } } },
      ],
    },
  });
  const ofJob = (name: string): string => `anneal.dev/training-job=${name}`;
  const only = async (resource: string, name: string): Promise<Live> => eventually(async () => {
    const [object] = await kubectl.list(resource, ofJob(name));
    if (object === undefined) throw new Error(`There is no ${resource} of ${name} yet.`);
    return object;
  }, 30_000);
  const pods = async (name: string, count: number): Promise<readonly Live[]> => eventually(async () => {
    const found = await kubectl.list('pods', ofJob(name));
    if (found.length !== count) throw new Error(`${name} has ${found.length} pods.`);
    return found;
  }, 30_000);

  it('make a PodGroup of Volcano, and the pods once it is let in', async () => {
    await kubectl.apply(job('gathered', { scheduler: 'Volcano', gang: true, queueName: 'research', priorityClassName: 'system-node-critical' }));
    const group = await only('podgroups.scheduling.volcano.sh', 'gathered');
    expect(group.spec).to.deep.include({
      minMember: 3, minTaskMember: { ps: 1, worker: 2 }, queue: 'research', priorityClassName: 'system-node-critical',
      minResources: { cpu: '2500m', memory: '1073741824', 'nvidia.com/gpu': '2' },
    });
    await kubectl.until('tj', 'gathered', (live) => expect(conditionOf(live, 'Scheduled')).to.include({ status: 'False', reason: 'Quota', message: `PodGroup ${group.metadata.name} waits in queue research for room for all its pods.` }));
    expect(await kubectl.list('pods', ofJob('gathered'))).to.deep.equal([]);

    // Volcano's PodGroup keeps its status in the object itself.
    await kubectl.run('patch', 'podgroups.scheduling.volcano.sh', group.metadata.name, '--type=merge', '-p', JSON.stringify({ status: { phase: 'Inqueue' } }));
    const made = await pods('gathered', 3);
    const worker = made.find(({ metadata }) => metadata.labels?.['anneal.dev/role'] === 'worker');
    expect(worker?.spec).to.include({ schedulerName: 'volcano', priorityClassName: 'system-node-critical' });
    expect(worker?.metadata.annotations).to.include({
      'scheduling.k8s.io/group-name': group.metadata.name, 'scheduling.volcano.sh/group-name': group.metadata.name,
      'volcano.sh/task-spec': 'worker', 'scheduling.volcano.sh/queue-name': 'research',
    });
  });

  it('make a PodGroup of the coscheduling plugin, whose pods carry its label', async () => {
    await kubectl.apply(job('together', { scheduler: 'Coscheduling', gang: true, gangTimeoutSeconds: 90, topology: { key: 'topology.kubernetes.io/zone' } }));
    const group = await only('podgroups.scheduling.x-k8s.io', 'together');
    expect(group.spec).to.deep.include({ minMember: 3, scheduleTimeoutSeconds: 90 });
    const [pod] = await pods('together', 3);
    expect(pod?.metadata.labels).to.include({ 'scheduling.x-k8s.io/pod-group': group.metadata.name });
    expect(pod?.spec).to.include({ schedulerName: 'scheduler-plugins-scheduler' });
    expect(pod?.spec).to.have.nested.property('affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.topologyKey', 'topology.kubernetes.io/zone');
  });

  it("write a Workload of Kueue, and put the pods where the admission and its checks say", async () => {
    await kubectl.apply(job('queued', { queueName: 'research', topology: { key: 'example.com/rack', mode: 'Required' } }));
    const workload = await only('workloads.kueue.x-k8s.io', 'queued');
    const podSets = workload.spec?.podSets as readonly { readonly name: string; readonly count: number; readonly topologyRequest?: object; readonly template: Live }[];
    expect(podSets.map(({ name, count, topologyRequest }) => ({ name, count, topologyRequest }))).to.deep.equal([
      { name: 'ps', count: 1, topologyRequest: { required: 'example.com/rack', podIndexLabel: 'anneal.dev/index' } },
      { name: 'worker', count: 2, topologyRequest: { required: 'example.com/rack', podIndexLabel: 'anneal.dev/index' } },
    ]);
    expect(podSets[1]?.template.spec?.containers).to.deep.equal([{ name: 'main', resources: { requests: { cpu: '1' }, limits: { 'nvidia.com/gpu': '1' } } }]);

    const time = '2026-03-01T12:00:00Z';
    const assigned = (name: string, count: number) => ({ name, count, flavors: { cpu: 'spot' }, topologyAssignment: { levels: ['example.com/rack'], slices: [{ domainCount: 1, podCounts: { universal: count }, valuesPerLevel: [{ universal: 'r1' }] }] } });
    await kubectl.setStatus('workloads.kueue.x-k8s.io', workload.metadata.name, {
      admission: { clusterQueue: 'research', podSetAssignments: [assigned('ps', 1), assigned('worker', 2)] },
      admissionChecks: [{ name: 'provisioning', state: 'Ready', message: '', lastTransitionTime: time, podSetUpdates: [{ name: 'worker', annotations: { 'example.com/request': 'r-1' }, nodeSelector: { 'example.com/request': 'r-1' } }] }],
      conditions: ['QuotaReserved', 'Admitted'].map((type) => ({ type, status: 'True', reason: 'Admitted', message: '', lastTransitionTime: time })),
    });
    const made = await pods('queued', 3);
    const worker = made.find(({ metadata }) => metadata.labels?.['anneal.dev/role'] === 'worker');
    expect(worker?.metadata.labels).to.include({ 'kueue.x-k8s.io/podset': 'worker' });
    expect(worker?.metadata.annotations).to.include({ 'example.com/request': 'r-1', 'kueue.x-k8s.io/workload': workload.metadata.name });
    expect(worker?.spec).to.deep.include({ nodeSelector: { 'example.com/pool': 'spot', 'example.com/request': 'r-1' }, schedulingGates: [{ name: 'kueue.x-k8s.io/topology' }] });
    expect(worker?.spec?.tolerations).to.deep.include({ key: 'spot', operator: 'Exists' });
    await kubectl.until('tj', 'queued', (live) => expect(conditionOf(live, 'Scheduled')).to.include({ status: 'False', reason: 'Topology' }));
  });
});
