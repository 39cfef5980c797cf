import { expect } from 'chai';
import { systemClock, sleep } from '../../operator/src/kube/clock.ts';
import { until } from '../../hack/cluster/until.ts';
import { note, operatorAgent, role, withOperator } from '../support/operator.ts';

const finishedJobs = 200;
const quietSeconds = 60;

describe('the operator of an idle cluster', function quietSuite() {
  this.timeout(300_000);
  const suite = withOperator();
  /** Namespaces of earlier suites may still be on their way out. */
  const writesSince = (mark: number) => suite.audit.writesBy(operatorAgent, mark).filter(({ namespace }) => namespace === suite.namespace || namespace === '');

  it(`writes nothing for ${quietSeconds} s beside ${finishedJobs} jobs that have ended, but its lease`, async () => {
    const jobs = await Promise.all(Array.from({ length: finishedJobs }, async (_, index) => suite.create(`done-${index}`, role())));
    const ended = new Set<string>();
    await until('every job has ended', async () => {
      for (const pod of await suite.kubelet.podsIn(suite.namespace)) {
        if (pod.spec.nodeName === undefined || ended.has(pod.metadata.name)) continue;
        ended.add(pod.metadata.name);
        await suite.kubelet.end(pod, { exitCode: 0 });
      }
      return (await suite.jobs()).filter(({ status }) => status?.completionTime !== undefined).length === jobs.length;
    }, { timeoutSeconds: 200, everyMilliseconds: 500 });

    let mark = suite.audit.mark();
    // The events of so many ends are sent one after another, when the statuses have long been written.
    await until('the last of it is told', () => {
      const before = mark;
      mark = suite.audit.mark();
      return writesSince(before).length === 0;
    }, { timeoutSeconds: 120, everyMilliseconds: 3000 });
    await sleep(systemClock, quietSeconds * 1000);
    expect(writesSince(mark)).to.deep.equal([]);
    note(`idle beside ${finishedJobs} jobs: ${(await suite.operator.rssMiB()).toFixed(0)} MiB resident`);
  });

  it('writes nothing when it starts again either', async () => {
    await suite.operator.stop();
    const mark = suite.audit.mark();
    const next = await suite.operator.relaunch();
    suite.useOperator(next);
    note(`ready after ${(await next.ready()).toFixed(0)} ms, with ${(await next.rssMiB()).toFixed(0)} MiB resident`);
    await until('it has looked at every job', async () => reconciles(await next.metrics()) >= finishedJobs, { timeoutSeconds: 60 });
    expect(writesSince(mark)).to.deep.equal([]);
  });
});

/** Reconciles of TrainingJobs, from the text of /metrics. */
function reconciles(metrics: string): number {
  return Number(/^controller_runtime_reconcile_total\{controller="trainingjob",result="success"\} (\d+)$/m.exec(metrics)?.[1] ?? '0');
}
