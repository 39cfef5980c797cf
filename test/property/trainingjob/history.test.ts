import { expect } from 'chai';
import fc from 'fast-check';
import { hasEnded } from '../../../operator/src/domain/pod.ts';
import { endOf } from '../../../operator/src/controllers/trainingjob/observe.ts';
import { labels } from '@anneal/operator/api';
import { SimulatedJob } from '../../support/simulated-job.ts';
import { withBudgets, withRole } from '../../support/builders/training-job.ts';

const event = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ kind: 'reconcile' } as const) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const), after: fc.nat(4) }) },
  fc.record({ kind: fc.constant('run' as const), pod: fc.nat(3) }),
  fc.record({ kind: fc.constant('end' as const), pod: fc.nat(3), exitCode: fc.constantFrom(0, 1, 2, 137, 143) }),
  fc.record({ kind: fc.constant('outOfMemory' as const), pod: fc.nat(3) }),
  fc.record({ kind: fc.constant('delete' as const), pod: fc.nat(3) }),
  fc.constant({ kind: 'finishDeletions' } as const),
  fc.record({ kind: fc.constant('suspend' as const), suspend: fc.boolean() }),
  fc.record({ kind: fc.constant('wait' as const), seconds: fc.nat(400) }),
);
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;

function happen(world: SimulatedJob, what: Event): void {
  switch (what.kind) {
    case 'reconcile': { world.reconcile(); return; }
    case 'crash': { world.reconcile(what.after); return; }
    case 'run': { world.run(what.pod); return; }
    case 'end': { world.end(what.pod, what.exitCode); return; }
    case 'outOfMemory': { world.end(what.pod, 137, 'OOMKilled'); return; }
    case 'delete': {
      const target = world.pods[what.pod % Math.max(1, world.pods.length)];
      if (target !== undefined) world.deletePod(target.metadata.name);
      return;
    }
    case 'finishDeletions': { world.finishDeletions(); return; }
    case 'suspend': { world.edit({ suspend: what.suspend }); return; }
    case 'wait': world.time += what.seconds * 1000;
  }
}

const budgets = fc.record({ applicationError: fc.nat(2), outOfMemory: fc.nat(2), imagePull: fc.constant(0), preempted: fc.nat(3), nodeLost: fc.nat(2) });
const history = fc.record({ budgets, replicas: fc.integer({ min: 0, max: 3 }), events: fc.array(event, { maxLength: 60 }) });

function check(inspect: (world: SimulatedJob, limits: Record<string, number>) => void, afterwards: (world: SimulatedJob) => void = () => undefined): void {
  fc.assert(
    fc.property(history, ({ budgets: limits, replicas, events }) => {
      const world = new SimulatedJob({ ...withBudgets(limits), ...(replicas === 0 ? {} : withRole(replicas)) });
      for (const what of events) {
        happen(world, what);
        inspect(world, limits);
      }
      afterwards(world);
    }),
    { numRuns: 2000 },
  );
}

describe('for any history of pods, edits and crashes', () => {
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
      const attempts = failures.map((failure) => failure.attempt);
      expect(attempts).to.deep.equal([...attempts].sort((a, b) => a - b));
      expect(new Set(attempts).size).to.equal(attempts.length);
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
