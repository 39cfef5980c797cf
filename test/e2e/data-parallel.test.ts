import { expect } from 'chai';
import { until } from '../../hack/cluster/until.ts';
import { trainerEnv, type TrainingJob } from '../../operator/src/api/index.ts';
import { trainingJobType } from '../../operator/src/controllers/shared/resources.ts';
import { processesWith, quickDigits, RealCluster } from '../support/real-cluster.ts';

const minutes = 60_000;
const namespace = 'parallel';
const suffix = crypto.randomUUID().slice(0, 6);

/** Each with room for four replicas, so that all share out the same pieces of every batch. */
const elastic = (replicas: number) => ({ replicas, minReplicas: 1, maxReplicas: 4, pod: { resources: { requests: { cpu: '50m', memory: '256Mi' } } } });

describe('the built-in trainer on several pods', function dataParallelSuite() {
  this.timeout(10 * minutes);
  let cluster: RealCluster;
  let alone: TrainingJob;

  const key = (name: string) => ({ namespace, name });
  const apply = async (name: string, spec: object) => cluster.kubectl(['apply', '-n', namespace, '-f', '-'], JSON.stringify(quickDigits(name, spec)));
  const succeeded = async (name: string) => cluster.condition<TrainingJob>(trainingJobType, key(name), 'Succeeded', 'True', 400);
  const atEpoch = async (name: string, epoch: number) =>
    until(`${name} to have a checkpoint of epoch ${epoch}`, async () => ((await cluster.get<TrainingJob>(trainingJobType, key(name))).status?.checkpoint?.epoch ?? 0) >= epoch, { timeoutSeconds: 240 });
  /** Ends one replica as a crash does. */
  const crash = async (name: string): Promise<void> => {
    const all = await processesWith(trainerEnv.job, `${namespace}/${name}`);
    const [victim] = (await Promise.all(['1', '2', '3'].map(async (index) => (await processesWith('ANNEAL_INDEX', index)).filter((pid) => all.includes(pid))))).find((pids) => pids.length > 0) ?? [];
    if (victim === undefined) throw new Error(`No replica of ${name} beside the first runs.`);
    process.kill(victim, 'SIGKILL');
  };

  before(async function start() {
    // A cold cache builds everything first.
    this.timeout(45 * minutes);
    cluster = await RealCluster.start(`parallel-${suffix}`);
    await cluster.namespaceWithDigits(namespace);
    await apply('alone', elastic(1));
    alone = await succeeded('alone');
  });

  after(async () => cluster[Symbol.asyncDispose]());

  it('ends with the very weights of a single one', async () => {
    await apply('three', elastic(3));
    const three = await succeeded('three');
    expect(three.status?.roles?.[0]).to.include({ replicas: 3 });
    expect(three.status?.model?.digest).to.equal(alone.status?.model?.digest);
  });

  it('loses one and goes on, to the same weights, and replaces it alone', async () => {
    await apply('wounded', elastic(3));
    await atEpoch('wounded', 2);
    await crash('wounded');
    const { status } = await succeeded('wounded');
    expect([status?.gangAttempt, status?.failures?.map(({ scope }) => scope)]).to.deep.equal([1, ['Pod']]);
    expect(status?.model?.digest).to.equal(alone.status?.model?.digest);
  });

  it('begins anew from the checkpoint with all its pods, when it is not elastic and loses one', async () => {
    await apply('rigid', { replicas: 2 });
    await atEpoch('rigid', 2);
    await crash('rigid');
    const { status } = await succeeded('rigid');
    expect([status?.gangAttempt, status?.failures?.map(({ scope }) => scope)]).to.deep.equal([2, ['Gang']]);
  });
});
