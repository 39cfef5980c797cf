import { expect } from 'chai';
import fc from 'fast-check';
import { hasEnded } from '../../../operator/src/domain/pod.ts';
import { endOf } from '../../../operator/src/controllers/trainingjob/observe.ts';
import { attemptOf } from '../../../operator/src/controllers/trainingjob/places.ts';
import { labels } from '@anneal/operator/api';
import { SimulatedJob } from '../../support/simulated-job.ts';
import { budgets, event, happen, shape } from '../../support/job-histories.ts';
import { withBudgets } from '../../support/builders/training-job.ts';

const history = fc.record({ budgets, shape, events: fc.array(event, { maxLength: 60 }) });

function check(inspect: (world: SimulatedJob, limits: Record<string, number>) => void, afterwards: (world: SimulatedJob) => void = () => undefined): void {
  fc.assert(
    fc.property(history, ({ budgets: limits, shape: spec, events }) => {
      const world = new SimulatedJob({ ...withBudgets(limits), ...spec });
      for (const what of events) {
        happen(world, what);
        inspect(world, limits);
      }
      afterwards(world);
    }),
    { numRuns: 2000 },
  );
}

describe('for any history of pods, edits and crashes', function suite() {
  this.timeout(120_000);

  it('makes no pod after the end', () => {
    check((world) => expect(world.createdAfterEnd).to.deep.equal([]), (world) => {
      world.edit({ suspend: false });
      world.settle();
      const before = world.created.length;
      world.pods = [];
      for (let pass = 0; pass < 3; pass += 1) world.reconcile();
      expect(world.created).to.have.length(before);
    });
  });

  it('never has two live pods for one place', () => {
    check((world) => {
      const places = world.pods.filter((pod) => !hasEnded(pod)).map((pod) => `${pod.metadata.labels?.[labels.role] ?? ''}/${pod.metadata.labels?.[labels.index] ?? ''}`);
      expect(new Set(places).size).to.equal(places.length);
    });
  });

  it('spends no budget beyond its limit, and counts each attempt once', () => {
    check((world, limits) => {
      const { budgetSpent = {}, failures = [] } = world.object.status ?? {};
      for (const [cause, spent] of Object.entries(budgetSpent)) expect(spent).to.be.at.most(limits[cause] ?? 0);
      const next = failures.flatMap(({ nextAttempt }) => nextAttempt ?? []);
      expect(next).to.deep.equal([...next].sort((a, b) => a - b));
      expect(new Set(next).size).to.equal(next.length);
      const pods = failures.map((failure) => failure.pod);
      expect(new Set(pods).size).to.equal(pods.length);
    });
  });

  it('begins no attempt before the ledger says why the one before it ended', () => {
    check((world) => {
      const recorded = new Set((world.object.status?.failures ?? []).map((failure) => failure.nextAttempt));
      const newest = Math.max(0, ...world.pods.map((pod) => attemptOf(pod)));
      for (const pod of world.pods) if (attemptOf(pod) > Math.max(1, newest - 19)) expect([...recorded]).to.include(attemptOf(pod));
    });
  });

  it('keeps every condition within what the API server takes, each type once', () => {
    check((world) => {
      const conditions = world.object.status?.conditions ?? [];
      expect(new Set(conditions.map(({ type }) => type)).size).to.equal(conditions.length);
      for (const { reason, message } of conditions) expect([reason.length > 0, message.length <= 2048]).to.deep.equal([true, true]);
    });
  });

  it('comes to rest after a few looks when nothing happens: an idle cluster gets no writes', () => {
    check((world) => {
      for (let pass = 0; pass < 6; pass += 1) world.reconcile();
      const before = JSON.stringify([world.object.status, world.pods]);
      world.reconcile();
      expect(JSON.stringify([world.object.status, world.pods])).to.equal(before);
    });
  });

  it('ends once nothing goes wrong any more', () => {
    check(() => undefined, (world) => {
      world.edit({ suspend: false });
      world.settle();
      expect(endOf(world.object.status ?? {})).to.be.oneOf(['Succeeded', 'Failed']);
    });
  });

  it('writes nothing more once it has ended and its pods are gone', () => {
    check(() => undefined, (world) => {
      world.edit({ suspend: false });
      world.settle();
      world.finishDeletions();
      const before = JSON.stringify(world.object.status);
      world.time += 3_600_000;
      world.reconcile();
      expect(JSON.stringify(world.object.status)).to.equal(before);
    });
  });
});
