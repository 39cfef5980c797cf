import { expect } from 'chai';
import { until } from '../../hack/cluster/until.ts';
import { findCondition, isTrue, labels, type Condition, type TrainingJob } from '../../operator/src/api/index.ts';
import { nodeType, podType, trainingJobType } from '../../operator/src/controllers/shared/resources.ts';
import type { KubeObject } from '../../operator/src/kube/resource.ts';
import { temporaryFolder } from '../support/folder.ts';
import { buildProbe, probeImage } from '../support/probe.ts';
import { RealCluster } from '../support/real-cluster.ts';

const minutes = 60_000;
const suffix = crypto.randomUUID().slice(0, 6);
const nodeLostAfterSeconds = 5;
/** What the replacement itself may take. */
const slackSeconds = 10;

interface Pod extends KubeObject {
  readonly spec: { readonly nodeName?: string };
  readonly status?: { readonly containerStatuses?: readonly { readonly state: { readonly running?: { readonly startedAt: string } } }[] };
}

type Node = KubeObject & { readonly status: { readonly conditions: readonly Condition[] } };

/** A job of the probe image. */
function probeJob(name: string, container: object, spec: object = {}, replicas = 1): object {
  return {
    apiVersion: 'anneal.dev/v1alpha1',
    kind: 'TrainingJob',
    metadata: { name },
    spec: {
      roles: [{
        name: 'worker',
        replicas,
        template: {
          spec: {
            terminationGracePeriodSeconds: 1,
            securityContext: { runAsNonRoot: true, runAsUser: 65532 },
            // Each on a node of its own, while there are enough.
            topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway', labelSelector: { matchLabels: { [labels.trainingJob]: name } } }],
            containers: [{ name: 'main', image: probeImage, imagePullPolicy: 'IfNotPresent', args: ['wait='], ...container }],
          },
        },
      }],
      ...spec,
    },
  };
}

describe('what a cluster of three nodes does to a job', function threeNodes() {
  this.timeout(5 * minutes);
  let cluster: RealCluster;

  before(async function start() {
    // A cold cache builds everything first.
    this.timeout(45 * minutes);
    await using folder = await temporaryFolder();
    cluster = await RealCluster.start(`loss-${suffix}`, {
      nodes: 3, nodeMonitorGraceSeconds: 10, images: ['operator'],
      // On a node that no test kills.
      helmArgs: ['--set', String.raw`nodeSelector.kubernetes\.io/hostname=node-1`],
    });
    await cluster.load(await buildProbe(folder.path));
  });

  after(async () => {
    await cluster[Symbol.asyncDispose]();
  });

  const namespace = 'default';
  const apply = (...objects: object[]): Promise<string> => cluster.kubectl(['apply', '-n', namespace, '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
  const jobNamed = (name: string): Promise<TrainingJob> => cluster.get<TrainingJob>(trainingJobType, { namespace, name });
  const condition = (name: string, type: string, timeoutSeconds = 60): Promise<TrainingJob> => cluster.condition<TrainingJob>(trainingJobType, { namespace, name }, type, 'True', timeoutSeconds);
  const podsOf = async (name: string, attempt: number): Promise<readonly Pod[]> =>
    (await cluster.list<Pod>(podType, namespace)).filter(({ metadata }) => metadata.labels?.[labels.trainingJob] === name && metadata.labels[labels.attempt] === String(attempt));
  const runningSince = ({ status }: Pod): string | undefined => status?.containerStatuses?.[0]?.state.running?.startedAt;

  /** The pods of an attempt, once all of them run and the job says so. */
  async function runningPods(name: string, attempt: number, count: number, timeoutSeconds = 60): Promise<readonly Pod[]> {
    let pods: readonly Pod[] = [];
    await until(`${count} pods of ${name}, attempt ${attempt}, to run`, async () => {
      pods = await podsOf(name, attempt);
      return pods.length === count && pods.every((pod) => runningSince(pod) !== undefined) && isTrue((await jobNamed(name)).status?.conditions, 'Running');
    }, { timeoutSeconds, everyMilliseconds: 200, hint: () => cluster.kubectl(['get', 'pods,tj', '-n', namespace, '-o', 'wide']) });
    return pods;
  }

  const remove = (name: string): Promise<string> => cluster.kubectl(['delete', 'tj', name, '-n', namespace]);

  it('a node that dies is NodeLost: others take the places of its pods in time, and no retry of the user is spent', async () => {
    await apply(probeJob('gang', {}, { failurePolicy: { nodeLostAfterSeconds, budgets: { applicationError: 0 } } }, 3));
    const first = await runningPods('gang', 1, 3);
    const lost = first.find(({ spec }) => spec.nodeName !== 'node-1');
    const name = lost?.spec.nodeName ?? '';
    await cluster.killNode(name);
    try {
      const node = await cluster.condition<Node>(nodeType, { namespace: '', name }, 'Ready', 'Unknown', 60);
      const notReadyAt = Date.parse(findCondition(node.status.conditions, 'Ready')?.lastTransitionTime ?? '');
      const next = await runningPods('gang', 2, 3);
      expect(next.map(({ spec }) => spec.nodeName)).not.to.include(name);
      for (const pod of next) expect((Date.parse(runningSince(pod) ?? '') - notReadyAt) / 1000).to.be.within(nodeLostAfterSeconds, nodeLostAfterSeconds + slackSeconds);

      const { status } = await jobNamed('gang');
      expect(status?.failures).to.have.length(1);
      expect(status?.failures?.[0]).to.include({ pod: lost?.metadata.name, attempt: 1, cause: 'NodeLost', node: name, scope: 'Gang', nextAttempt: 2 });
      expect(status?.budgetSpent).to.deep.equal({ nodeLost: 1 });
      // Gone without the word of their node.
      expect(await podsOf('gang', 1)).to.deep.equal([]);
      await remove('gang');
    } finally {
      await cluster.startNode(name);
    }
  });

  it('an eviction is Preempted', async () => {
    await apply(probeJob('evicted', {}));
    const [pod] = await runningPods('evicted', 1, 1);
    const name = pod?.metadata.name ?? '';
    await cluster.kubectl(['create', '--raw', `/api/v1/namespaces/${namespace}/pods/${name}/eviction`, '-f', '-'], JSON.stringify({ apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } }));
    await runningPods('evicted', 2, 1);
    const { status } = await jobNamed('evicted');
    expect(status?.failures?.[0]).to.include({ pod: name, cause: 'Preempted' });
    expect(status?.budgetSpent).to.deep.equal({ preempted: 1 });
    await remove('evicted');
  });

  it('a pod of higher priority that takes its GPU is a preemption, after which it goes on', async () => {
    await apply({ apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name: 'urgent' }, value: 1000 });
    await apply(probeJob('outranked', { resources: { limits: { 'nvidia.com/gpu': '1' } } }, {}, 3));
    await runningPods('outranked', 1, 3);
    await apply({
      apiVersion: 'v1', kind: 'Pod', metadata: { name: 'urgent' },
      spec: { priorityClassName: 'urgent', restartPolicy: 'Never', containers: [{ name: 'main', image: probeImage, imagePullPolicy: 'IfNotPresent', args: ['say=done'], resources: { limits: { 'nvidia.com/gpu': '1' } } }] },
    });
    await runningPods('outranked', 2, 3, 90);
    const { status } = await jobNamed('outranked');
    expect(status?.failures?.[0]).to.include({ cause: 'Preempted', reason: 'PreemptionByScheduler' });
    expect(status?.budgetSpent).to.deep.equal({ preempted: 1 });
    await remove('outranked');
  });

  it('memory beyond the limit is OutOfMemory', async () => {
    await apply(probeJob('hungry', { args: ['grow=200'], resources: { limits: { memory: '32Mi' } } }, { failurePolicy: { budgets: { outOfMemory: 0 } } }));
    const { status } = await condition('hungry', 'Failed');
    expect(status?.failures?.[0]).to.include({ cause: 'OutOfMemory', reason: 'OOMKilled', exitCode: 137 });
    expect(findCondition(status?.conditions, 'Failed')?.reason).to.equal('OutOfMemory');
  });

  it('a command that is not there is a ConfigurationError, which no retry mends', async () => {
    await apply(probeJob('mistyped', { command: ['/train'] }));
    const { status } = await condition('mistyped', 'Failed');
    expect(status?.failures).to.have.length(1);
    expect(status?.failures?.[0]).to.include({ cause: 'ConfigurationError' });
    expect(status?.failures?.[0]?.message).to.include('/train');
  });

  it('an image that does not come is ImagePull', async () => {
    await apply(probeJob('imageless', { image: 'example.invalid/none:1' }, { failurePolicy: { imagePullDeadlineSeconds: 5 } }));
    const { status } = await condition('imageless', 'Failed');
    expect(status?.failures?.[0]).to.include({ cause: 'ImagePull' });
    expect(status?.failures?.[0]?.message).to.include('example.invalid/none:1');
  });

  it('silence is Stalled', async () => {
    await apply(probeJob('silent', {}, { failurePolicy: { stallAfterSeconds: 10, budgets: { stalled: 1 } } }));
    await runningPods('silent', 2, 1, 60);
    const restarted = await jobNamed('silent');
    expect(restarted.status?.failures?.[0]).to.include({ cause: 'Stalled', attempt: 1 });
    expect(restarted.status?.budgetSpent).to.deep.equal({ stalled: 1 });
    const { status } = await condition('silent', 'Failed');
    expect(findCondition(status?.conditions, 'Failed')?.reason).to.equal('Stalled');
  });
});
