import { expect } from 'chai';
import fc from 'fast-check';
import type { HyperparamSweep } from '@anneal/operator/api';
import { endOf } from '../../../operator/src/controllers/hyperparamsweep/observe.ts';
import { categorical, grid, int, random, type SweepOptions } from '../../support/builders/sweep.ts';
import { job } from '../../support/builders/training-job.ts';
import { SimulatedSweep } from '../../support/simulated-sweep.ts';

const some = fc.nat(20);
const event = fc.oneof(
  { weight: 8, arbitrary: fc.constant({ kind: 'reconcile' } as const) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const), after: fc.nat(4) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('start' as const), index: some }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('succeed' as const), index: some, value: fc.option(fc.constantFrom(0.1, 0.5, 0.9, NaN, Infinity), { nil: undefined }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('fail' as const), index: some }) },
  fc.record({ kind: fc.constant('delete' as const), index: some }),
  fc.record({ kind: fc.constant('suspend' as const), suspend: fc.boolean() }),
  fc.record({ kind: fc.constant('parallelism' as const), most: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ kind: fc.constant('trials' as const), most: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ kind: fc.constant('failures' as const), most: fc.nat(4) }),
  fc.record({ kind: fc.constant('template' as const), seconds: fc.option(fc.integer({ min: 60, max: 61 }), { nil: undefined }) }),
  fc.record({ kind: fc.constant('overrides' as const), seed: fc.integer({ min: 1, max: 2 }) }),
  fc.constant({ kind: 'noTemplate' } as const),
  fc.record({ kind: fc.constant('occupy' as const), trial: fc.nat(9) }),
  fc.constant({ kind: 'vacate' } as const),
  fc.record({ kind: fc.constant('refuse' as const), every: fc.integer({ min: 1, max: 4 }) }),
);
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;

function happen(world: SimulatedSweep, what: Event): void {
  world.time += 1000;
  switch (what.kind) {
    case 'reconcile': { world.reconcile(); return; }
    case 'crash': { world.reconcile(what.after); return; }
    case 'start': { world.start(what.index); return; }
    case 'succeed': { world.succeed(what.index, what.value); return; }
    case 'fail': { world.fail(what.index); return; }
    case 'delete': { world.delete(what.index); return; }
    case 'suspend': { world.edit({ suspend: what.suspend }); return; }
    case 'parallelism': { world.edit({ limits: { parallelism: what.most } }); return; }
    case 'trials': { world.edit({ limits: { trials: what.most } }); return; }
    case 'failures': { world.edit({ limits: { failures: what.most } }); return; }
    case 'template': { world.template = job(what.seconds === undefined ? {} : { activeDeadlineSeconds: what.seconds }); return; }
    case 'overrides': { world.edit({ overrides: { ...world.object.spec.template.overrides, 'trainer.fit.seed': what.seed } }); return; }
    case 'noTemplate': { world.template = undefined; return; }
    case 'occupy': { world.occupy(what.trial); return; }
    case 'vacate': { world.vacate(); return; }
    case 'refuse': world.refuse = (trial) => trial % 4 >= what.every;
  }
}

const search = fc.constantFrom<Pick<Required<SweepOptions>, 'algorithm' | 'parameters'>[]>(
  { algorithm: random, parameters: [int('epochs', 1, 9)] },
  { algorithm: { ...random, firstTrial: 'Sampled' } as const, parameters: [int('epochs', 1, 9)] },
  { algorithm: grid, parameters: [int('epochs', 1, 3), categorical('batchSize', 16, 32)] },
  { algorithm: { ...grid, firstTrial: 'Template' } as const, parameters: [int('epochs', 1, 3), categorical('batchSize', 16, 32)] },
);
const limits = fc.record({ trials: fc.integer({ min: 1, max: 9 }), parallelism: fc.integer({ min: 1, max: 4 }), failures: fc.nat(4) });
const history = fc.record({ search, limits, direction: fc.constantFrom('Maximize' as const, 'Minimize' as const), events: fc.array(event, { maxLength: 60 }) });

function check(inspect: (world: SimulatedSweep, before: HyperparamSweep) => void, afterwards: (world: SimulatedSweep) => void = () => undefined): void {
  fc.assert(
    fc.property(history, ({ search: { algorithm, parameters }, limits: bounds, direction, events }) => {
      const world = new SimulatedSweep({ algorithm, parameters, limits: bounds, direction });
      for (const what of events) {
        const before = world.object;
        happen(world, what);
        inspect(world, before);
      }
      afterwards(world);
    }),
    { numRuns: 1000 },
  );
}

describe('for any history of trials, edits, obstacles and crashes, a sweep', () => {
  it('never runs more trials at once than parallelism, nor more than are planned, nor one twice, nor one after its end, nor of two templates', () => {
    check((world) => expect(world.offences).to.deep.equal([]), (world) => {
      world.settle();
      world.jobs.clear();
      for (let pass = 0; pass < 3; pass += 1) world.reconcile();
      expect(world.offences).to.deep.equal([]);
    });
  });

  it('runs its trials in order, and leaves out only those that were refused or whose maker crashed', () => {
    check(({ created }) => expect(created).to.deep.equal([...created].sort((a, b) => a - b)));
  });

  it('never takes back what its status says', () => {
    check(({ object }, before) => {
      const [old, current] = [before.status ?? {}, object.status ?? {}];
      for (const count of ['created', 'succeeded', 'failed'] as const) expect(current.trials?.[count] ?? 0).to.be.at.least(old.trials?.[count] ?? 0);
      for (const [trial, letter] of Array.from(old.trials?.outcomes ?? '').entries()) if (letter !== '.') expect(current.trials?.outcomes?.[trial]).to.equal(letter);
      for (const time of ['startTime', 'completionTime'] as const) if (old[time] !== undefined) expect(current[time]).to.equal(old[time]);
      if (old.best !== undefined) {
        const sign = object.spec.objectives[0]?.direction === 'Maximize' ? 1 : -1;
        expect(sign * (current.best?.value ?? NaN)).to.be.at.least(sign * old.best.value);
      }
    });
  });

  it('counts each trial once, as running, succeeded or failed', () => {
    check(({ object: { status } }) => {
      const { created = 0, running = 0, succeeded = 0, failed = 0, outcomes = '', planned = created } = status?.trials ?? {};
      expect([running + succeeded + failed, outcomes.length]).to.deep.equal([created, created]);
      expect(planned).to.be.at.least(created);
    });
  });

  it('names the best of the trials that succeeded, the earliest of equals', () => {
    check(() => undefined, (world) => {
      const { direction } = world.object.spec.objectives[0] ?? {};
      world.reconcile();
      if (endOf(world.object.status) !== undefined || world.object.status?.trials?.outcomes?.includes('D') === true) return;
      const values = [...world.jobs.values()].flatMap(({ metadata, status }) => {
        const value = status?.model?.metrics?.val_accuracy;
        return value === undefined || !Number.isFinite(value) ? [] : [{ value, trial: Number(metadata.name.slice(5)) }];
      });
      const sorted = values.sort((a, b) => (direction === 'Maximize' ? b.value - a.value : a.value - b.value) || a.trial - b.trial);
      // A trial that was deleted after it ended may have been better than those that are left.
      const { succeeded } = world.object.status?.trials ?? {};
      if (values.length === succeeded) expect(world.object.status?.best?.trial).to.equal(sorted[0]?.trial);
    });
  });

  it('ends once nothing stands in its way any more', () => {
    check(() => undefined, (world) => {
      world.settle();
      expect(endOf(world.object.status)).to.be.oneOf(['Succeeded', 'Failed']);
    });
  });

  it('asks for nothing and writes nothing while nothing changes', () => {
    check(() => undefined, (world) => {
      for (let pass = 0; pass < 12; pass += 1) world.reconcile();
      const [requests, status] = [world.requests, JSON.stringify(world.object.status)];
      world.time += 3_600_000;
      world.reconcile();
      expect([world.requests, JSON.stringify(world.object.status)]).to.deep.equal([requests, status]);
    });
  });
});
