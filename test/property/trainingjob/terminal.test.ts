import { expect } from 'chai';
import fc from 'fast-check';
import { labels } from '@anneal/operator/api';
import { endOf } from '../../../operator/src/controllers/trainingjob/observe.ts';
import { hasEnded } from '../../../operator/src/domain/pod.ts';
import { withBudgets } from '../../support/builders/training-job.ts';
import { budgets, event, happen, shape } from '../../support/job-histories.ts';
import { SimulatedJob } from '../../support/simulated-job.ts';

const histories = 10_000;

/** Whatever comes after the end: news of pods that linger, edits, operators that look and die. */
const history = fc.record({ budgets, shape, before: fc.array(event, { maxLength: 40 }), settles: fc.boolean(), after: fc.array(event, { maxLength: 20 }) });

describe(`what has ended stays ended, in ${histories} histories of pods, notices and edits`, function terminalSuite() {
  this.timeout(300_000);

  it('no pod is made after Succeeded or Failed, no budget is overrun, and no place ever has two live pods', () => {
    let ended = 0;
    fc.assert(
      fc.property(history, ({ budgets: limits, shape: spec, before, settles, after }) => {
        const world = new SimulatedJob({ ...withBudgets(limits), ...spec });
        const go = (what: Parameters<typeof happen>[1]): void => {
          const was = endOf(world.object.status ?? {});
          happen(world, what);
          judge(world, limits);
          if (was !== undefined) expect(endOf(world.object.status ?? {}), 'the end').to.equal(was);
        };
        before.forEach(go);
        if (settles) {
          world.edit({ suspend: false });
          world.settle();
        }
        after.forEach(go);
        if (endOf(world.object.status ?? {}) !== undefined) ended += 1;
      }),
      { numRuns: histories },
    );
    // A property of what comes after the end says nothing about histories that have none.
    expect(ended).to.be.above(histories / 3);
  });
});

function judge(world: SimulatedJob, limits: Readonly<Record<string, number>>): void {
  expect(world.createdAfterEnd, 'pods made after the end').to.deep.equal([]);
  for (const [cause, spent] of Object.entries(world.object.status?.budgetSpent ?? {})) expect(spent, `spent of ${cause}`).to.be.at.most(limits[cause] ?? 0);
  const live = world.pods.filter((pod) => !hasEnded(pod)).map(({ metadata: { labels: own } }) => `${own?.[labels.role] ?? ''}/${own?.[labels.index] ?? ''}`);
  expect(live, 'live pods').to.have.length(new Set(live).size);
  const names = world.pods.map(({ metadata: { name } }) => name);
  expect(names, 'names of pods').to.have.length(new Set(names).size);
}
