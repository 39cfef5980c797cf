import { expect } from 'chai';
import { startControlPlane } from '../../hack/cluster/index.ts';
import type { TestControlPlane } from '../../hack/cluster/index.ts';
import { until } from '../../hack/cluster/until.ts';
import { apiClient, installAccount, startOperator, startSimulatedNodes } from '../../hack/testbed/index.ts';
import { findCondition, type Condition, type TrainingJob } from '../../operator/src/api/index.ts';
import { trainingJobType, workloadType } from '../../operator/src/controllers/shared/resources.ts';
import type { Client } from '../../operator/src/kube/client.ts';
import type { KubeObject, ObjectKey } from '../../operator/src/kube/resource.ts';
import { FakeKubelet, type LivePod } from '../support/fake-kubelet.ts';
import { queuesOf, startKueue, type Kueue } from '../support/kueue.ts';

interface LiveWorkload extends KubeObject {
  readonly spec: { readonly active?: boolean; readonly queueName: string; readonly podSets: readonly { readonly name: string; readonly count: number; readonly minCount?: number }[] };
  readonly status?: {
    readonly conditions?: Condition[];
    readonly admission?: { readonly podSetAssignments: readonly { readonly count?: number }[] };
    readonly reclaimablePods?: readonly { readonly name: string; readonly count: number }[];
  };
}

const patience = { timeoutSeconds: 30, everyMilliseconds: 100 };

describe('jobs in a queue of Kueue, with its real controllers', function kueueSuite() {
  this.timeout(180_000);
  const namespace = 'team-a';
  const parts = new AsyncDisposableStack();
  let plane: TestControlPlane;
  let client: Client;
  let kubelet: FakeKubelet;
  let kueue: Kueue;

  before(async function startAll() {
    // A cold cache builds Kubernetes and Kueue first.
    this.timeout(1_800_000);
    plane = parts.use(await startControlPlane({ withControllers: true, qps: 500 }));
    ({ client } = parts.use(await apiClient(plane.kubeconfigPath, 'anneal-test')));
    kubelet = new FakeKubelet(client);
    kueue = parts.use(await startKueue(plane));
    parts.use(await startSimulatedNodes({ kubeconfig: plane.kubeconfigPath, client, count: 2, pods: 'ByHand' }));
    for (const node of ['0', '1']) await plane.kubectl(['label', 'node', `simulated-${node}`, `example.com/rack=rack-${node}`]);
    await plane.kubectl(['label', 'nodes', '--all', 'pool=trainers']);
    await plane.kubectl(['taint', 'nodes', '--all', 'pool=trainers:NoSchedule']);
    await plane.kubectl(['create', 'namespace', namespace]);
    for (const object of queuesOf(namespace, 4)) await plane.kubectl(['apply', '-f', '-'], { input: JSON.stringify(object) });
    const account = await installAccount(plane);
    parts.use(await startOperator({ account, as: 'Kubeconfig' }));
  });
  after(async () => parts.disposeAsync());

  const key = (name: string): ObjectKey => ({ namespace, name });
  const jobOf = async (name: string): Promise<TrainingJob> => client.get<TrainingJob & KubeObject>(trainingJobType, key(name));
  const create = async (name: string, replicas: number, scheduling: object = {}, role: object = {}): Promise<void> => {
    const containers = [{ name: 'main', image: 'example.com/never-pulled:1', resources: { requests: { cpu: '1' } } }];
    const spec = { framework: 'Custom', scheduling: { queueName: 'trainers', ...scheduling }, roles: [{ name: 'worker', replicas, ...role, template: { spec: { containers } } }] };
    const object = { apiVersion: 'anneal.dev/v1alpha1', kind: 'TrainingJob', metadata: { namespace, name }, spec };
    await client.create(trainingJobType, object);
  };
  const workloads = async (job: string): Promise<readonly LiveWorkload[]> =>
    (await client.list(workloadType, (raw) => raw as LiveWorkload, { namespace, labels: `anneal.dev/training-job=${job}` })).items;
  const workload = async (job: string): Promise<LiveWorkload> => {
    const [first] = await workloads(job);
    if (first === undefined) throw new Error(`${job} has no Workload.`);
    return first;
  };
  const state = async (job: string): Promise<string> => JSON.stringify([(await jobOf(job)).status, await workloads(job), await kueue.log()], null, 1);
  const starts = async (job: string, count: number): Promise<LivePod[]> => {
    await until(`${job} has ${count} pods`, async () => (await kubelet.podsOf(key(job))).filter(({ spec }) => spec.nodeName !== undefined).length === count, { ...patience, hint: async () => state(job) });
    return kubelet.runs(key(job), 1, count);
  };
  const told = async (job: string, type: string, status: string, message = /./): Promise<Condition> => {
    let found: Condition | undefined;
    await until(`${job} has ${type} ${status} with ${String(message)}`, async () => {
      found = findCondition((await jobOf(job)).status?.conditions, type);
      return found?.status === status && message.test(found.message);
    }, { ...patience, hint: async () => state(job) });
    if (found === undefined) throw new Error('It was there a moment ago.');
    return found;
  };
  const finishes = async (name: string, pods: readonly LivePod[]): Promise<void> => {
    for (const pod of pods) await kubelet.end(pod, { exitCode: 0 });
    await told(name, 'Succeeded', 'True');
    await until(`the Workload of ${name} is finished`, async () => findCondition((await workload(name)).status?.conditions, 'Finished')?.status === 'True', patience);
  };

  it('run one after the other where there is quota for one, on the nodes of the flavor', async () => {
    await create('first', 3);
    const pods = await starts('first', 3);
    await told('first', 'Running', 'True');
    expect(pods[0]?.spec).to.deep.include({ nodeSelector: { pool: 'trainers' } });
    await until('Kueue hears that the pods are ready', async () => findCondition((await workload('first')).status?.conditions, 'PodsReady')?.status === 'True', patience);

    await create('second', 2);
    const why = await told('second', 'Scheduled', 'False', /insufficient (unused )?quota/);
    expect(why).to.include({ reason: 'Quota' });
    expect(why.message).to.match(/^Waits for quota in queue trainers: /);
    expect(await kubelet.podsOf(key('second'))).to.deep.equal([]);

    await finishes('first', pods);
    await finishes('second', await starts('second', 2));
  });

  it('make way for a more urgent job, and go on after it without a retry spent', async () => {
    await create('patient', 3);
    await starts('patient', 3);
    await told('patient', 'Running', 'True');

    await create('hurried', 3, { priorityClassName: 'urgent' });
    await told('patient', 'Suspended', 'True', /another workload took its quota/);
    await until('the pods have gone', async () => (await kubelet.podsOf(key('patient'))).length === 0, patience);
    const urgent = await starts('hurried', 3);
    expect(findCondition((await jobOf('patient')).status?.conditions, 'Scheduled')).to.include({ status: 'False', reason: 'Quota' });

    await finishes('hurried', urgent);
    const again = await starts('patient', 3);
    await told('patient', 'Running', 'True');
    const { status } = await jobOf('patient');
    expect(status).to.deep.include({ attempt: 1 });
    expect(status?.failures).to.equal(undefined);
    expect(status?.budgetSpent).to.equal(undefined);
    await finishes('patient', again);
  });

  it('give their quota back while they are suspended, and ask for it again afterwards', async () => {
    await create('paused', 4);
    await starts('paused', 4);
    await told('paused', 'Running', 'True');
    await client.merge(trainingJobType, key('paused'), { spec: { suspend: true } });
    await until('Kueue has the quota back', async () => (await workload('paused')).status?.admission === undefined, patience);
    expect((await workload('paused')).spec.active).to.equal(false);

    await create('between', 4);
    await finishes('between', await starts('between', 4));

    await client.merge(trainingJobType, key('paused'), { spec: { suspend: false } });
    await finishes('paused', await starts('paused', 4));
  });

  it('stay out of the way when somebody deactivates their workload, until it is active again', async () => {
    await create('sent-away', 2);
    await starts('sent-away', 2);
    await told('sent-away', 'Running', 'True');
    const { metadata } = await workload('sent-away');
    await client.merge(workloadType, key(metadata.name), { spec: { active: false } });
    await told('sent-away', 'Suspended', 'True', /deactivated in queue trainers.*Set its spec\.active to true/);
    await until('the pods have gone', async () => (await kubelet.podsOf(key('sent-away'))).length === 0, patience);
    await client.merge(workloadType, key(metadata.name), { spec: { active: true } });
    await finishes('sent-away', await starts('sent-away', 2));
  });

  it('begin with fewer pods where an elastic role allows it', async () => {
    await create('blocker', 2);
    const blocking = await starts('blocker', 2);
    await create('elastic', 4, {}, { minReplicas: 1, maxReplicas: 4 });
    const pods = await starts('elastic', 2);
    await told('elastic', 'Running', 'True', /2 of 4 pods run/);
    expect((await workload('elastic')).status?.admission?.podSetAssignments[0]?.count).to.equal(2);
    expect(await told('elastic', 'Scheduled', 'False')).to.include({ reason: 'Quota', message: '2 of 4 pods have a node; the queue gave quota for 2.' });
    await finishes('elastic', pods);
    await finishes('blocker', blocking);
  });

  it('run in one rack, on the nodes that Kueue chose', async () => {
    await create('close', 3, { queueName: 'racks', topology: { key: 'example.com/rack', mode: 'Required' } });
    const pods = await starts('close', 3);
    expect(new Set(pods.map(({ spec }) => spec.nodeName)).size).to.equal(1);
    expect(pods[0]?.spec).to.deep.include({ nodeSelector: { pool: 'trainers', 'kubernetes.io/hostname': pods[0]?.spec.nodeName } });
    await finishes('close', pods);
  });

  it('leave nothing that is written to while nothing happens', async () => {
    const versions = async () => (await client.list(workloadType, ({ metadata }) => `${metadata.name} ${metadata.resourceVersion ?? ''}`, { namespace })).items;
    await create('quiet', 1);
    await starts('quiet', 1);
    await told('quiet', 'Running', 'True');
    await until('Kueue hears that the pod is ready', async () => findCondition((await workload('quiet')).status?.conditions, 'PodsReady')?.status === 'True', patience);
    const before = await versions();
    await create('probe', 1);
    await finishes('probe', await starts('probe', 1));
    expect((await versions()).filter((line) => !line.startsWith('probe-'))).to.deep.equal(before);
  });
});
