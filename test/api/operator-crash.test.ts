import { expect } from 'chai';
import { findCondition } from '../../operator/src/api/index.ts';
import { systemClock, sleep } from '../../operator/src/kube/clock.ts';
import type { ObjectKey } from '../../operator/src/kube/resource.ts';
import { attemptOf } from '../support/fake-kubelet.ts';
import { operatorAgent, role, withOperator, type OperatorSuite } from '../support/operator.ts';

const kills = 20;
const jobs = 10;
const replicas = 2;
/** How long a pod runs before it ends. */
const podMs = 800;

/** Attempts of job I that fail before one succeeds. */
const failuresOf = (index: number): number => index % 3;

describe('an operator that is killed again and again', function crashSuite() {
  this.timeout(300_000);
  const suite = withOperator();

  it(`brings ${jobs} jobs to their ends through ${kills} kills, with one pod for each place and attempt`, async () => {
    const mark = suite.audit.mark();
    const seen = new Map<string, Set<string>>();
    const lost: string[] = [];
    const over = new AbortController();
    const kubelet = playKubelet(suite, over.signal);
    const watcher = (async () => {
      while (!over.signal.aborted) {
        for (const { metadata: { name }, status } of await suite.jobs()) {
          const conditions = new Set(status?.conditions?.map(({ type }) => type));
          const before = seen.get(name) ?? new Set();
          for (const type of before) if (!conditions.has(type)) lost.push(`${name} lost ${type}`);
          seen.set(name, conditions);
        }
        await sleep(systemClock, 100);
      }
    })();

    const keys: ObjectKey[] = [];
    for (let kill = 0; kill < kills; kill += 1) {
      if (kill % 2 === 0) keys.push(await suite.create(`job-${kill / 2}`, { ...role(replicas), failurePolicy: { budgets: { applicationError: 5 } } }));
      await sleep(systemClock, 200 + Math.random() * 1800);
      await suite.operator.kill();
      suite.useOperator(await suite.operator.relaunch());
    }
    await suite.operator.ready();
    for (const key of keys) await suite.condition(key, 'Succeeded', 'True');
    over.abort();
    await watcher;

    expect(lost).to.deep.equal([]);
    expect(await kubelet).to.deep.equal([]);
    const created = suite.audit.writesBy(operatorAgent, mark).filter(({ verb, resource, code }) => verb === 'create' && resource === 'pods' && code === 201);
    expect(created.length, 'pods created').to.equal(new Set(created.map(({ name }) => name)).size);
    for (const [index, key] of keys.entries()) {
      const { status } = await suite.get(key);
      expect(status?.failures?.map(({ attempt, cause, exitCode }) => ({ attempt, cause, exitCode })) ?? []).to.deep.equal(
        Array.from({ length: failuresOf(index) }, (_, attempt) => ({ attempt: attempt + 1, cause: 'ApplicationError', exitCode: 1 })),
      );
      expect(status?.budgetSpent?.applicationError ?? 0).to.equal(failuresOf(index));
      expect(status?.attempt).to.equal(failuresOf(index) + 1);
      for (const type of ['Ready', 'Scheduled', 'Running', 'Succeeded']) expect(findCondition(status?.conditions, type), type).not.to.equal(undefined);
    }
  });
});

/**
 * Pods start when they are bound and end a while later, those with index 0 badly while their job's failures last. Returns
 * the names that two pods had, one after the other.
 */
async function playKubelet(suite: OperatorSuite, over: AbortSignal): Promise<string[]> {
  const uids = new Map<string, string>();
  const twice: string[] = [];
  const startedAt = new Map<string, number>();
  const ended = new Set<string>();
  while (!over.aborted) {
    for (const pod of await suite.kubelet.podsIn(suite.namespace)) {
      const { name, uid = '', deletionTimestamp } = pod.metadata;
      if (uid !== (uids.get(name) ?? uid)) twice.push(name);
      uids.set(name, uid);
      if (pod.spec.nodeName === undefined || deletionTimestamp !== undefined || ended.has(name)) continue;
      const since = startedAt.get(name);
      if (since === undefined) {
        startedAt.set(name, performance.now());
        await suite.kubelet.run(pod);
      } else if (performance.now() - since > podMs) {
        const job = Number(pod.metadata.labels?.['anneal.dev/training-job']?.replace('job-', ''));
        const fails = attemptOf(pod) <= failuresOf(job);
        if (fails && pod.metadata.labels?.['anneal.dev/index'] !== '0') continue;
        ended.add(name);
        await suite.kubelet.end(pod, { exitCode: fails ? 1 : 0 });
      }
    }
    await sleep(systemClock, 50);
  }
  return twice;
}
