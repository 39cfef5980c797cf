import { expect } from 'chai';
import fc from 'fast-check';
import type { ModelDeploymentSpec } from '@anneal/operator/api';
import { karpenterPool, scaling, sweep, trainedJob } from '../../support/builders/model-deployment.ts';
import { SimulatedServing } from '../../support/simulated-serving.ts';

const run = fc.integer({ min: 1, max: 4 });
const event = fc.oneof(
  { weight: 5, arbitrary: fc.constant({ kind: 'reconcile' } as const) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const), after: fc.nat(9) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('job' as const), state: fc.constantFrom('running', 'succeeded', 'succeeded', 'failed', 'withoutModel'), run }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('sweep' as const), state: fc.constantFrom('running', 'succeeded', 'failed'), run }) },
  fc.record({ kind: fc.constant('delete' as const), what: fc.constantFrom('TrainingJob', 'HyperparamSweep') }),
  fc.record({ kind: fc.constant('scale' as const), min: fc.integer({ min: 1, max: 3 }), extra: fc.nat(2) }),
  fc.record({ kind: fc.constant('autoscale' as const), replicas: fc.integer({ min: 1, max: 6 }) }),
  fc.record({ kind: fc.constant('pod' as const), terminationGracePeriodSeconds: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ kind: fc.constant('source' as const), fromSweep: fc.boolean() }),
  fc.record({ kind: fc.constant('pool' as const), wanted: fc.boolean(), installed: fc.boolean() }),
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('rollOut' as const), share: fc.constantFrom(0, 0.5, 1) }) },
);
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;

function happen(world: SimulatedServing, what: Event): void {
  switch (what.kind) {
    case 'reconcile': { world.reconcile(); return; }
    case 'crash': { world.reconcile(what.after); return; }
    // A rerun is another object of the same name: the old one, and what it alone owned, goes first.
    case 'job': { replace(world, trainedJob(what.state, what.run)); return; }
    case 'sweep': { replace(world, sweep(what.state, what.run)); return; }
    case 'delete': { world.remove(what.what, 'digits'); return; }
    case 'scale': { world.edit(scaling(what.min, what.min + what.extra)); return; }
    case 'autoscale': { world.autoscale(what.replicas); return; }
    case 'pod': { world.edit({ pod: { terminationGracePeriodSeconds: what.terminationGracePeriodSeconds } }); return; }
    case 'source': { world.edit({ model: what.fromSweep ? { fromSweep: 'digits' } : { fromTrainingJob: 'digits' } }); return; }
    case 'pool': {
      world.memory.setInstalled('NodePool', what.installed);
      const { nodePool: _before, ...spec } = world.object.spec;
      world.put({ ...world.object, spec: what.wanted ? { ...spec, nodePool: karpenterPool() } : spec } as typeof world.object);
      return;
    }
    case 'rollOut': {
      const desired = world.deployment?.spec.replicas ?? 1;
      const updated = Math.floor(desired * what.share);
      if (what.share === 1) world.finishRollout();
      else if (world.deployment?.spec.paused === false) world.setDeployment({ replicas: desired + 1, updatedReplicas: updated, readyReplicas: desired, availableReplicas: desired });
    }
  }
}

function replace(world: SimulatedServing, next: ReturnType<typeof trainedJob> | ReturnType<typeof sweep>): void {
  const before = world.get(next.kind, 'digits');
  if (before !== undefined && before.metadata.uid !== next.metadata.uid) world.remove(next.kind, 'digits');
  world.source(next);
}

interface Watcher {
  readonly after?: (world: SimulatedServing, what: Event) => void;
  readonly end?: (world: SimulatedServing) => void;
}

function check(watch: () => Watcher): void {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 50 }), (events) => {
      const world = new SimulatedServing();
      const { after, end } = watch();
      for (const what of events) {
        happen(world, what);
        after?.(world, what);
      }
      end?.(world);
    }),
    { numRuns: 500 },
  );
}

describe('for any history of sources, edits, rollouts and crashes', function suite() {
  this.timeout(120_000);

  it('serves something from the first revision on', () => {
    check(() => {
      let served = false;
      return {
        after: (world) => {
          const revision = world.servedRevision();
          if (served) expect(revision).not.to.equal(undefined);
          served ||= revision !== undefined;
        },
        end: (world) => expect(world.deleted.filter((id) => !/^(TrainingJob|HyperparamSweep|HorizontalPodAutoscaler|PersistentVolumeClaim)\//.test(id))).to.deep.equal([]),
      };
    });
  });

  it('never lets the volume go that its replicas read from', () => {
    check(() => ({
      after: (world) => {
        for (const claim of world.servedClaims()) expect(world.get('PersistentVolumeClaim', claim), claim).not.to.equal(undefined);
      },
    }));
  });

  it('changes the revision if, and only if, the model or the pods\' settings change', () => {
    check(() => {
      const inputs = new Map<string, string>();
      return {
        after: (world) => {
          const { deployment } = world;
          const revision = world.servedRevision();
          if (deployment === undefined || revision === undefined) return;
          const template = JSON.stringify(deployment.spec.template?.spec) + (deployment.metadata.annotations?.['anneal.dev/model-digest'] ?? '');
          expect(inputs.get(revision) ?? template).to.equal(template);
          inputs.set(revision, template);
          expect(new Set(inputs.values()).size).to.equal(inputs.size);
        },
      };
    });
  });

  it('never changes the number of replicas while an autoscaler is there to do so', () => {
    check(() => {
      let before: number | undefined;
      return {
        after: (world, what) => {
          const replicas = world.deployment?.spec.replicas;
          const changedByUs = what.kind !== 'autoscale' && replicas !== before;
          if (changedByUs && before !== undefined) expect(world.autoscaled, `${before} became ${String(replicas)}`).to.equal(false);
          before = replicas;
        },
      };
    });
  });

  it('lists the current revision last, each once, ten at most', () => {
    check(() => ({
      after: (world) => {
        const { revision, revisions = [] } = world.object.status ?? {};
        expect(revisions.at(-1)?.revision).to.equal(revision);
        expect(new Set(revisions.map((one) => one.revision)).size).to.equal(revisions.length);
        expect(revisions.length).to.be.at.most(10);
      },
    }));
  });

  it('comes to rest: what the source has is served by all, and nothing is written any more', () => {
    check(() => ({
      end: (world) => {
        world.memory.setInstalled('NodePool', true);
        world.edit({ model: { fromTrainingJob: 'digits' } } satisfies Partial<ModelDeploymentSpec>);
        replace(world, trainedJob('succeeded', 3));
        const { status } = world.settle();
        expect(status.conditions?.find(({ type }) => type === 'Ready')).to.include({ status: 'True' });
        expect(status.revision).to.equal(world.servedRevision());
        expect(world.get('HorizontalPodAutoscaler') !== undefined).to.equal(world.autoscaled);
        const writes = world.writes.length;
        expect(world.reconcile().status).to.deep.equal(status);
        expect(world.writes).to.have.length(writes);
        const held = [...world.objects.values()].filter((object) => object.kind === 'PersistentVolumeClaim' && (object.metadata.ownerReferences ?? []).some(({ kind }) => kind === 'ModelDeployment'));
        expect(held.map(({ metadata }) => metadata.name)).to.deep.equal(world.servedClaims());
      },
    }));
  });
});
