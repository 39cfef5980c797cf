import { expect } from 'chai';
import type { KubeObject, ObjectKey, ResourceType } from '../../../operator/src/kube/resource.ts';
import { ApiError } from '../../../operator/src/kube/errors.ts';
import type { AttachedController, ControllerContext } from '../../../operator/src/runtime/controller.ts';
import { TerminalError, at, controllingOwner, defineController, done, watched } from '../../../operator/src/runtime/index.ts';
import type { Controller, Next } from '../../../operator/src/runtime/index.ts';
import { Store } from '../../../operator/src/runtime/store.ts';
import { silentLog } from '../../../operator/src/telemetry/log.ts';
import { createMetrics } from '../../../operator/src/telemetry/metrics.ts';
import type { Metrics } from '../../../operator/src/telemetry/metrics.ts';
import { TestClock, settle } from '../../support/clock.ts';

const jobType: ResourceType = { group: 'kit.test', version: 'v1', kind: 'Job', plural: 'jobs', namespaced: true };
const podType: ResourceType = { group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };
const poolType: ResourceType = { group: 'pool.test', version: 'v1', kind: 'Pool', plural: 'pools', namespaced: false };

interface Running {
  readonly clock: TestClock;
  readonly metrics: Metrics;
  readonly jobs: Store;
  readonly pods: Store;
  readonly pools: Store;
  readonly controller: Controller;
  readonly attached: AttachedController;
  /** Keys in the order in which they were reconciled. */
  readonly reconciled: string[];
  readonly counted: (metric: 'reconciles' | 'reconcileErrors' | 'terminalErrors' | 'reconcilePanics', labels?: Readonly<Record<string, string>>) => Promise<number>;
}

function running(reconcile: (key: ObjectKey) => Next | Promise<Next>, workers = 4): Running {
  const declared = { jobs: watched(jobType), pods: watched(podType), pools: watched(poolType, { optional: true }) };
  const [jobs, pods, pools]: readonly [Store, Store, Store] = [new Store(declared.jobs), new Store(declared.pods), new Store(declared.pools)];
  const [clock, metrics, reconciled] = [new TestClock(), createMetrics(), [] as string[]];
  const controller = defineController({
    name: 'job', watches: declared, primary: 'jobs', workers, triggers: { pods: ownerUnlessPoison },
    reconcile: async (key) => {
      reconciled.push(key.name);
      return reconcile(key);
    },
  });
  const stores = new Map([[jobType, jobs], [podType, pods], [poolType, pools]]);
  const context = {
    clock, metrics, random: () => 0.5, log: silentLog, storeOf: (type: ResourceType) => stores.get(type),
    onStale: () => undefined, events: undefined, clientFor: () => undefined,
  } as unknown as ControllerContext;
  return {
    clock, metrics, jobs, pods, pools, controller, reconciled,
    attached: controller.attach(context),
    counted: async (metric, labels = {}) => {
      const { values } = await metrics[metric].get();
      return values.filter((value) => Object.entries(labels).every(([name, text]) => (value.labels as Record<string, unknown>)[name] === text)).reduce((sum, { value }) => sum + value, 0);
    },
  };
}

function ownerUnlessPoison(pod: KubeObject): Iterable<ObjectKey> {
  if (pod.metadata.name === 'poison') throw new TypeError('x is not a function');
  return controllingOwner(jobType)(pod);
}

function job(name: string, generation = 1, resourceVersion = '1'): KubeObject {
  return { apiVersion: 'kit.test/v1', kind: 'Job', metadata: { name, namespace: 'a', uid: `u-${name}`, generation, resourceVersion } };
}

function podOf(owner: string, kind = 'Job'): KubeObject {
  const ownerReferences = [{ apiVersion: 'kit.test/v1', kind, name: owner, uid: `u-${owner}`, controller: true }];
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: `${owner}-pod`, namespace: 'a', uid: `u-${owner}-pod`, resourceVersion: '1', ownerReferences } };
}

describe('a controller', () => {
  it('does nothing before it is started, and then reconciles all that exists', async () => {
    const { jobs, attached, reconciled } = running(() => done);
    jobs.replace([job('x'), job('y')], '1');
    await settle();
    expect(reconciled).to.deep.equal([]);
    attached.start();
    await settle();
    expect(reconciled).to.have.members(['x', 'y']);
    await attached.drain();
  });

  it('reconciles the controlling owner of a changed child, and of no other kind', async () => {
    const { jobs, pods, attached, reconciled } = running(() => done);
    attached.start();
    jobs.put(job('x'));
    await settle();
    reconciled.length = 0;
    pods.put(podOf('x'));
    pods.put(podOf('y', 'ReplicaSet'));
    await settle();
    expect(reconciled).to.deep.equal(['x']);
    await attached.drain();
  });

  it('puts an edit before what start-up brings', async () => {
    const { jobs, attached, reconciled } = running(() => done, 1);
    jobs.replace([job('old-1'), job('old-2'), job('old-3')], '1');
    attached.start();
    jobs.put(job('old-3', 2, '2'));
    await settle();
    expect(reconciled.slice(0, 2)).to.include('old-3');
    await attached.drain();
  });

  it('never runs one key twice at once, and runs it again for what came meanwhile', async () => {
    const releases: (() => void)[] = [];
    const { jobs, attached, reconciled } = running(() => new Promise((resolve) => releases.push(() => resolve(done))));
    attached.start();
    jobs.put(job('x'));
    await settle();
    jobs.put(job('x', 2, '2'));
    jobs.put(job('x', 3, '3'));
    await settle();
    expect(reconciled).to.deep.equal(['x']);
    releases.shift()?.();
    await settle();
    expect(reconciled).to.deep.equal(['x', 'x']);
    releases.shift()?.();
    await attached.drain();
  });

  it('comes back at the time that a plan names', async () => {
    const { jobs, attached, reconciled, clock } = running(() => at(Date.UTC(2026, 0, 1) + 60_000));
    attached.start();
    jobs.put(job('x'));
    await settle();
    await clock.advance(59_000);
    expect(reconciled).to.have.length(1);
    await clock.advance(1_000);
    expect(reconciled).to.have.length(2);
    await clock.advance(10_000);
    expect(reconciled, 'with the time in the past').to.have.length(12);
    await attached.drain();
  });

  it('tries again with growing delays what fails, and counts it', async () => {
    let failures = 5;
    const { jobs, attached, clock, counted, reconciled } = running(() => {
      if (failures-- > 0) throw new ApiError('POST /api/v1/pods', 409, { reason: 'Conflict' });
      return done;
    });
    attached.start();
    jobs.put(job('x'));
    await clock.advance(10_000);
    expect(reconciled).to.have.length(6);
    expect(await counted('reconcileErrors')).to.equal(5);
    expect(await counted('reconciles', { result: 'success' })).to.equal(1);
    expect(await counted('reconcilePanics')).to.equal(0);
    await attached.drain();
  });

  it('is back within seconds after a long outage, however often it failed', async () => {
    let away = true;
    const { jobs, attached, clock, reconciled } = running(() => {
      if (away) throw new ApiError('POST /api/v1/pods', 503, {});
      return done;
    });
    attached.start();
    jobs.put(job('x'));
    await clock.advance(600_000);
    away = false;
    const tries = reconciled.length;
    await clock.advance(3_000);
    expect(reconciled.length).to.be.above(tries);
    await attached.drain();
  });

  it('does not retry what only a change of the object can mend', async () => {
    const { jobs, attached, clock, counted, reconciled } = running(() => {
      throw new TerminalError('NO_SUCH_MODEL', 'There is no such model. Name one that exists.');
    });
    attached.start();
    jobs.put(job('x'));
    await clock.advance(600_000);
    expect(reconciled).to.have.length(1);
    expect(await counted('terminalErrors')).to.equal(1);
    jobs.put(job('x', 2, '2'));
    await settle();
    expect(reconciled).to.have.length(2);
    await attached.drain();
  });

  it('survives a bug, counts it as a panic, and goes on with other keys', async () => {
    const { jobs, attached, counted, reconciled } = running(({ name }) => {
      if (name === 'bad') throw new TypeError('x is not a function');
      return done;
    });
    attached.start();
    jobs.put(job('bad'));
    jobs.put(job('good'));
    await settle();
    expect(reconciled).to.include('good');
    expect(await counted('reconcilePanics')).to.equal(1);
    await attached.drain();
  });

  it('looks at every key again when an optional kind is installed', async () => {
    const { jobs, pools, attached, reconciled } = running(() => done);
    attached.start();
    jobs.put(job('x'));
    await settle();
    pools.setInstalled(true);
    await settle();
    expect(reconciled).to.deep.equal(['x', 'x']);
    await attached.drain();
  });

  it('loses no key to a trigger that throws', async () => {
    const { jobs, pods, attached, reconciled, counted } = running(() => done);
    attached.start();
    jobs.put(job('x'));
    await settle();
    pods.put({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'poison' } });
    await settle();
    expect(await counted('reconcilePanics')).to.equal(1);
    expect(reconciled).to.deep.equal(['x', 'x']);
    await attached.drain();
  });

  it('can be woken by something that is no object', async () => {
    const { controller, attached, reconciled } = running(() => done);
    attached.start();
    controller.wake({ namespace: 'a', name: 'x' });
    await settle();
    expect(reconciled).to.deep.equal(['x']);
    await attached.drain();
  });

  it('ends what runs and starts nothing more when it is drained', async () => {
    let finish: () => void = () => undefined;
    const { jobs, attached, reconciled, clock } = running(() => new Promise((resolve) => (finish = () => resolve(done))), 1);
    attached.start();
    jobs.put(job('x'));
    jobs.put(job('y'));
    await settle();
    let drained = false;
    const draining = attached.drain().then(() => (drained = true));
    await settle();
    expect(drained).to.equal(false);
    finish();
    await draining;
    expect(reconciled).to.deep.equal(['x']);
    expect(clock.timers).to.equal(0);
  });
});
