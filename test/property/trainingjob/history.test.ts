import { expect } from 'chai';
import fc from 'fast-check';
import { hasEnded } from '../../../operator/src/domain/pod.ts';
import { attemptOf, endOf } from '../../../operator/src/controllers/trainingjob/observe.ts';
import { labels } from '@anneal/operator/api';
import { SimulatedJob } from '../../support/simulated-job.ts';
import { endedStatus, withBudgets, withRole } from '../../support/builders/training-job.ts';

const event = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ kind: 'reconcile' } as const) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const), after: fc.nat(4) }) },
  fc.record({ kind: fc.constant('run' as const), pod: fc.nat(3) }),
  fc.record({ kind: fc.constant('end' as const), pod: fc.nat(3), exitCode: fc.constantFrom(0, 1, 2, 137, 143) }),
  fc.record({ kind: fc.constant('outOfMemory' as const), pod: fc.nat(3) }),
  fc.record({ kind: fc.constant('delete' as const), pod: fc.nat(3) }),
  fc.record({ kind: fc.constant('refuse' as const), pod: fc.nat(3) }),
  fc.record({ kind: fc.constant('evict' as const), pod: fc.nat(3), exitCode: fc.constantFrom(0, 143) }),
  fc.record({ kind: fc.constant('failInit' as const), pod: fc.nat(3) }),
  fc.record({ kind: fc.constant('holdUp' as const), pod: fc.nat(3), reason: fc.constantFrom('ErrImagePull', 'ImagePullBackOff', 'CreateContainerConfigError') }),
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
    case 'refuse': { world.set(what.pod, { phase: 'Failed', reason: 'OutOfnvidia.com/gpu', message: 'The node has none left.' }); return; }
    case 'evict': { world.set(what.pod, { ...endedStatus(what.exitCode), phase: 'Failed', reason: 'Evicted', message: 'The node was low on memory.' }); return; }
    case 'failInit': { world.set(what.pod, { phase: 'Failed', main: { ready: false, waiting: { reason: 'PodInitializing' } }, other: { name: 'fetch', terminated: { exitCode: 1 } } }); return; }
    case 'holdUp': { world.set(what.pod, { phase: 'Pending', main: { ready: false, waiting: { reason: what.reason, message: `${what.reason} of the image` } } }); return; }
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

  it('begins no attempt before the ledger says why the one before it ended', () => {
    check((world) => {
      const recorded = new Set((world.object.status?.failures ?? []).map((failure) => failure.attempt));
      const newest = Math.max(0, ...world.pods.map((pod) => attemptOf(pod)));
      for (let attempt = Math.max(1, newest - 19); attempt < newest; attempt += 1) expect([...recorded]).to.include(attempt);
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
