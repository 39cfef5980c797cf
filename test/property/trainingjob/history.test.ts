import { expect } from 'chai';
import fc from 'fast-check';
import { hasEnded } from '../../../operator/src/domain/pod.ts';
import { endOf } from '../../../operator/src/controllers/trainingjob/observe.ts';
import { attemptOf } from '../../../operator/src/controllers/trainingjob/places.ts';
import { labels } from '@anneal/operator/api';
import { SimulatedJob } from '../../support/simulated-job.ts';
import { endedStatus, role, withBudgets, withRole } from '../../support/builders/training-job.ts';

const event = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ kind: 'reconcile' } as const) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const), after: fc.nat(4) }) },
  fc.record({ kind: fc.constant('run' as const), pod: fc.nat(3) }),
  fc.record({ kind: fc.constant('end' as const), pod: fc.nat(3), exitCode: fc.constantFrom(0, 1, 2, 137, 143) }),
  fc.record({ kind: fc.constant('outOfMemory' as const), pod: fc.nat(3) }),
  fc.record({ kind: fc.constant('delete' as const), pod: fc.nat(3) }),
  fc.record({ kind: fc.constant('scale' as const), replicas: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ kind: fc.constant('loseNode' as const), pod: fc.nat(3) }),
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
    case 'scale': { world.scale(what.replicas); return; }
    case 'loseNode': { world.loseNode(what.pod); return; }
    case 'suspend': { world.edit({ suspend: what.suspend }); return; }
    case 'wait': world.time += what.seconds * 1000;
  }
}

const budgets = fc.record({ applicationError: fc.nat(2), outOfMemory: fc.nat(2), imagePull: fc.nat(1), preempted: fc.nat(3), spotReclaim: fc.nat(2), nodeLost: fc.nat(2), stalled: fc.nat(1) });
/** The built-in trainer, a gang, a role whose pods restart alone, an elastic role. */
const shape = fc.oneof(
  fc.constant({}),
  fc.integer({ min: 1, max: 3 }).map((replicas) => withRole(replicas)),
  fc.integer({ min: 1, max: 3 }).map((replicas) => ({ roles: [role('worker', replicas, { restartScope: 'Pod' as const })] })),
  fc.integer({ min: 1, max: 3 }).map((replicas) => ({ roles: [role('worker', replicas, { minReplicas: 1, maxReplicas: 4 })] })),
  fc.constant({ replicas: 2, minReplicas: 1, maxReplicas: 4 }),
);
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
