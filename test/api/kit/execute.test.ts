import { expect } from 'chai';
import { Client } from '../../../operator/src/kube/client.ts';
import { systemClock } from '../../../operator/src/kube/clock.ts';
import { isNotFound } from '../../../operator/src/kube/errors.ts';
import { keyOf } from '../../../operator/src/kube/resource.ts';
import type { KubeObject, ResourceType } from '../../../operator/src/kube/resource.ts';
import { EventRecorder, eventType } from '../../../operator/src/runtime/events.ts';
import { appliedHash, execute } from '../../../operator/src/runtime/execute.ts';
import { Expectations } from '../../../operator/src/runtime/expectations.ts';
import type { Action, Outcome, Seen } from '../../../operator/src/runtime/plan.ts';
import { Reflector } from '../../../operator/src/runtime/reflector.ts';
import { secretMaterial } from '../../../operator/src/runtime/secret-material.ts';
import { StatusWriter } from '../../../operator/src/runtime/status-writer.ts';
import { Store } from '../../../operator/src/runtime/store.ts';
import { createMetrics } from '../../../operator/src/telemetry/metrics.ts';
import { TestClock } from '../../support/clock.ts';
import { withCluster } from '../../support/cluster.ts';
import { FaultProxy } from '../../support/faultproxy.ts';
import { eventually } from '../../support/kit/eventually.ts';
import { testLog, transportTo } from '../../support/kit/kit.ts';
import { children, configMapType, installWidgets, widget, widgetType, widgets } from '../../support/kit/widgets.ts';
import type { Widget } from '../../support/kit/widgets.ts';
import { withoutLeaks } from '../../support/leaks.ts';

interface Situation extends AsyncDisposable {
  readonly client: Client;
  /** The Widget that everything is done for. */
  readonly owner: Widget;
  readonly run: (...actions: readonly Action[]) => Promise<Outcome>;
  readonly met: () => boolean;
  readonly cached: (object: KubeObject) => KubeObject | undefined;
  /** Writes at the API server since the owner was created, as `METHOD path`. */
  readonly writes: () => readonly string[];
  readonly statusWriter: StatusWriter;
  readonly clock: TestClock;
  readonly events: EventRecorder;
}

describe('executing a plan at a real API server', function () {
  this.timeout(30_000);
  const cluster = withCluster();
  withoutLeaks();

  before(() => installWidgets((files) => cluster.plane.installCrds(files)));

  async function executing(): Promise<Situation> {
    const { plane, namespace } = cluster;
    const proxy = await FaultProxy.start(plane.kubeconfigPath);
    const metrics = createMetrics();
    const transport = transportTo(proxy.authority, 'kit', metrics);
    const client = new Client(transport, { fieldManager: 'anneal-test' });
    const childStore: Store = new Store(children);
    const store = new Store<KubeObject, string>(widgets);
    const stores = new Map([[configMapType, childStore], [widgetType, store]]);
    const reflectors = [...stores.values()].map((store) => new Reflector(store, { client, clock: systemClock, random: Math.random, log: testLog, metrics, namespace }));
    for (const reflector of reflectors) reflector.start();
    await Promise.all(reflectors.map(({ synced }) => synced));
    const owner = await client.create<Widget>(widgetType, widget(namespace, `w-${crypto.randomUUID().slice(0, 8)}`, 1));
    await eventually(() => expect(store.get(keyOf(owner))).not.to.equal(undefined));
    const before = proxy.writes.length;
    const expectations = new Expectations({ clock: systemClock, onTimeout: () => undefined });
    const clock = new TestClock(Date.now());
    const events = new EventRecorder({ client, clock, log: testLog, metrics, reportingController: 'anneal.dev/test', reportingInstance: 'kit' });
    return {
      client, owner, clock, events,
      run: (...actions) => execute(actions, { controller: 'test', owner: keyOf(owner), client, timeoutMs: 10_000, storeOf: (type) => stores.get(type), expectations, secretMaterial: secretMaterial(clock), events, metrics, log: testLog }),
      met: () => expectations.met(keyOf(owner)),
      cached: (object) => stores.get(object.kind === 'Widget' ? widgetType : configMapType)?.get(keyOf(object)),
      writes: () => proxy.writes.slice(before).map(({ method, path }) => `${method} ${path.split('/').slice(-2).join('/')}`),
      statusWriter: new StatusWriter({ controller: 'test', client, clock, metrics, store, expectations }),
      [Symbol.asyncDispose]: async () => {
        const closed = events.close(5_000);
        await clock.advance(5_000);
        await closed;
        await Promise.all(reflectors.map((reflector) => reflector.stop()));
        await transport.close();
        await proxy[Symbol.asyncDispose]();
      },
    };
  }

  function child(owner: Widget, index: number, data: Readonly<Record<string, string>> = {}): KubeObject & { readonly data: object } {
    return {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: `${owner.metadata.name}-${index}`,
        namespace: cluster.namespace,
        labels: { 'kit.test/widget': owner.metadata.name },
        ownerReferences: [{ apiVersion: 'kit.test/v1', kind: 'Widget', name: owner.metadata.name, uid: owner.metadata.uid ?? '', controller: true }],
      },
      data,
    };
  }

  const seen = (type: ResourceType, object: KubeObject): Seen => ({ type, namespace: object.metadata.namespace ?? '', name: object.metadata.name, uid: object.metadata.uid ?? '' });
  const failureOf = (outcome: Outcome): string => (outcome.kind === 'failed' ? outcome.error.message : 'none');

  describe('Create', () => {
    it('holds the key until the cache shows the child', async () => {
      await using situation = await executing();
      const object = child(situation.owner, 0);
      expect(await situation.run({ kind: 'Create', type: configMapType, object })).to.deep.equal({ kind: 'done', writes: 1 });
      await eventually(() => expect(situation.met()).to.equal(true));
      expect(situation.cached(object)).not.to.equal(undefined);
    });

    it('counts as done when the child is there already', async () => {
      await using situation = await executing();
      const create: Action = { kind: 'Create', type: configMapType, object: child(situation.owner, 0) };
      expect(await situation.run(create, create)).to.deep.equal({ kind: 'done', writes: 1 });
    });

    it('fails when another owner has an object of that name', async () => {
      await using situation = await executing();
      const object = child(situation.owner, 0);
      const stranger = { ...object, metadata: { name: object.metadata.name, namespace: cluster.namespace } };
      await situation.client.create(configMapType, stranger);
      expect(failureOf(await situation.run({ kind: 'Create', type: configMapType, object }))).to.contain('is controlled by nobody. Delete it');
    });

    it('is refused when it has a field that the kind does not know', async () => {
      await using situation = await executing();
      const object = { ...child(situation.owner, 0), datta: {} };
      expect(failureOf(await situation.run({ kind: 'Create', type: configMapType, object }))).to.contain('unknown field "datta"');
    });
  });

  describe('Apply', () => {
    it('costs no request when the cache shows the same desired object', async () => {
      await using situation = await executing();
      const apply = (value: string): Action => ({ kind: 'Apply', type: configMapType, object: child(situation.owner, 0, { value }) });
      await situation.run(apply('1'));
      await eventually(() => expect(situation.met()).to.equal(true));
      expect(await situation.run(apply('1'))).to.deep.equal({ kind: 'done', writes: 0 });
      expect(situation.writes()).to.have.length(1);
      expect(await situation.run(apply('2'))).to.deep.equal({ kind: 'done', writes: 1 });
    });

    it('removes what it gave before and no longer gives, and leaves what others gave', async () => {
      await using situation = await executing();
      const { client, owner, run } = situation;
      await run({ kind: 'Apply', type: configMapType, object: child(owner, 0, { kept: '1', dropped: '1' }) });
      const { metadata, apiVersion, kind } = child(owner, 0);
      const other = new Client(client.transport, { fieldManager: 'other' });
      await other.apply(configMapType, { apiVersion, kind, metadata: { name: metadata.name, namespace: cluster.namespace }, data: { theirs: '1' } } as KubeObject);
      await run({ kind: 'Apply', type: configMapType, object: child(owner, 0, { kept: '1' }) });
      const now = await client.get<KubeObject & { readonly data: object }>(configMapType, keyOf(child(owner, 0)));
      expect(now.data).to.deep.equal({ kept: '1', theirs: '1' });
      expect(now.metadata.annotations).to.have.property(appliedHash);
    });
  });

  describe('Delete', () => {
    it('never hits a successor of the same name', async () => {
      await using situation = await executing();
      const { client, owner, run } = situation;
      const object = child(owner, 0);
      const first = await client.create<KubeObject>(configMapType, object);
      await client.delete(configMapType, keyOf(object), { uid: first.metadata.uid ?? '' });
      const second = await client.create<KubeObject>(configMapType, object);
      expect(await run({ kind: 'Delete', target: seen(configMapType, first) })).to.deep.equal({ kind: 'done', writes: 0 });
      expect((await client.get<KubeObject>(configMapType, keyOf(object))).metadata.uid).to.equal(second.metadata.uid);
    });

    it('counts as done when the object is gone, and holds the key until the cache agrees', async () => {
      await using situation = await executing();
      const { client, owner, run, met, cached } = situation;
      const object = await client.create<KubeObject>(configMapType, child(owner, 0));
      await eventually(() => expect(cached(object)).not.to.equal(undefined));
      const remove: Action = { kind: 'Delete', target: seen(configMapType, object) };
      expect(await run(remove, remove)).to.deep.equal({ kind: 'done', writes: 1 });
      await eventually(() => expect(met()).to.equal(true));
      expect(cached(object)).to.equal(undefined);
    });
  });

  describe('CreateSecret', () => {
    const secretType: ResourceType = { group: '', version: 'v1', kind: 'Secret', plural: 'secrets', namespaced: true };
    const keys = (owner: Widget): Action => {
      const { metadata } = child(owner, 0);
      const object = { apiVersion: 'v1', kind: 'Secret', metadata, type: 'kubernetes.io/ssh-auth', immutable: true, stringData: { hostfile: 'worker-0' } };
      return { kind: 'CreateSecret', type: secretType, object, generate: { kind: 'SshKeyPair' } };
    };

    it('makes the content on the way, beside what the plan knows', async () => {
      await using situation = await executing();
      expect(await situation.run(keys(situation.owner))).to.deep.equal({ kind: 'done', writes: 1 });
      const secret = await situation.client.get<KubeObject & { readonly data: Readonly<Record<string, string>> }>(secretType, keyOf(child(situation.owner, 0)));
      expect(Object.keys(secret.data).sort()).to.deep.equal(['hostfile', 'ssh-privatekey', 'ssh-publickey']);
      expect(Buffer.from(secret.data.hostfile ?? '', 'base64').toString()).to.equal('worker-0');
    });

    it('leaves one that is there as it is, without reading it', async () => {
      await using situation = await executing();
      const read = () => situation.client.get<KubeObject & { readonly data: object }>(secretType, keyOf(child(situation.owner, 0)));
      await situation.run(keys(situation.owner));
      const { data } = await read();
      expect(await situation.run(keys(situation.owner))).to.deep.equal({ kind: 'done', writes: 0 });
      expect((await read()).data).to.deep.equal(data);
      expect(situation.writes()).to.deep.equal(Array<string>(2).fill(`POST ${cluster.namespace}/secrets`));
    });
  });

  describe('Evict', () => {
    const podType: ResourceType = { group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };
    const budgetType: ResourceType = { group: 'policy', version: 'v1', kind: 'PodDisruptionBudget', plural: 'poddisruptionbudgets', namespaced: true };

    it('leaves a pod that its disruption budget protects, and says so', async () => {
      await using situation = await executing();
      const { client, owner, run, writes } = situation;
      const { name } = owner.metadata;
      const namespace = cluster.namespace;
      const metadata = { name, namespace, labels: { app: name } };
      const pod = await eventually(() => client.create<KubeObject>(podType, { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [{ name: 'c', image: 'none' }] } } as KubeObject));
      await client.create(budgetType, { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name, namespace }, spec: { minAvailable: 1, selector: { matchLabels: { app: name } } } } as KubeObject);
      const ready: KubeObject & { readonly status: unknown } = { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace }, status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } };
      await client.applyStatus(podType, ready);
      const evict: Action = { kind: 'Evict', target: seen(podType, pod) };
      const before = writes().length;
      expect(failureOf(await run(evict))).to.contain('429').and.to.contain('disruption budget');
      expect(writes().length - before, 'tries').to.equal(1);
      const budget = { namespace, name };
      await client.delete(budgetType, budget, { uid: (await client.get<KubeObject>(budgetType, budget)).metadata.uid ?? '' });
      await eventually(async () => expect((await run(evict)).kind).to.equal('done'));
    });
  });

  describe('a finalizer', () => {
    const finalizer = 'kit.test/release';

    it('is added once, beside those of others, and its removal lets a deleted object go', async () => {
      await using situation = await executing();
      const { client, owner, run, met } = situation;
      const target = seen(widgetType, owner);
      await client.merge(widgetType, keyOf(owner), { metadata: { finalizers: ['other.test/keep'] } });
      await eventually(() => expect(situation.cached(owner)?.metadata.finalizers).to.deep.equal(['other.test/keep']));
      expect(await run({ kind: 'AddFinalizer', target, finalizer })).to.deep.equal({ kind: 'done', writes: 1 });
      await eventually(() => expect(met()).to.equal(true));
      expect(await run({ kind: 'AddFinalizer', target, finalizer })).to.deep.equal({ kind: 'done', writes: 0 });
      expect((await client.get<Widget>(widgetType, keyOf(owner))).metadata.finalizers).to.deep.equal(['other.test/keep', finalizer]);

      await client.delete(widgetType, keyOf(owner), { uid: target.uid });
      await eventually(() => expect(situation.cached(owner)?.metadata.deletionTimestamp).not.to.equal(undefined));
      await run({ kind: 'RemoveFinalizer', target, finalizer });
      expect((await client.get<Widget>(widgetType, keyOf(owner))).metadata.finalizers).to.deep.equal(['other.test/keep']);
      await client.merge(widgetType, keyOf(owner), { metadata: { finalizers: [] } });
    });

    it('is not written over a list that changed since it was read', async () => {
      await using situation = await executing();
      const { client, owner, run } = situation;
      const stale = situation.cached(owner);
      await client.merge(widgetType, keyOf(owner), { metadata: { finalizers: ['other.test/keep'] } });
      if (situation.cached(owner) === stale) expect(failureOf(await run({ kind: 'AddFinalizer', target: seen(widgetType, owner), finalizer }))).to.contain('Conflict');
      const { finalizers } = (await client.get<Widget>(widgetType, keyOf(owner))).metadata;
      expect(finalizers).to.include('other.test/keep');
      await client.merge(widgetType, keyOf(owner), { metadata: { finalizers: [] } });
    });
  });

  it('stops at the first action that fails, and names it', async () => {
    await using situation = await executing();
    const bad: Action = { kind: 'Create', type: configMapType, object: { ...child(situation.owner, 1), metadata: { ...child(situation.owner, 1).metadata, name: 'Not_A_Name' } } };
    const outcome = await situation.run({ kind: 'Create', type: configMapType, object: child(situation.owner, 0) }, bad, { kind: 'Create', type: configMapType, object: child(situation.owner, 2) });
    expect(outcome.kind === 'failed' && outcome.action).to.equal(bad);
    let missing: unknown;
    await situation.client.get(configMapType, keyOf(child(situation.owner, 2))).catch((error: unknown) => (missing = error));
    expect(isNotFound(missing)).to.equal(true);
  });

  describe('a report', () => {
    const status = (children_: number, ready: 'True' | 'False') => ({ children: children_, conditions: [{ type: 'Ready', status: ready, reason: 'Test' }] });

    it('makes no request when the cached status is equal', async () => {
      await using situation = await executing();
      const { statusWriter, owner, met, writes } = situation;
      expect((await statusWriter.report(keyOf(owner), status(1, 'False'), 'now', 10_000)).kind).to.equal('written');
      await eventually(() => expect(met()).to.equal(true));
      expect((await statusWriter.report(keyOf(owner), status(1, 'False'), 'now', 10_000)).kind).to.equal('unchanged');
      expect(writes()).to.deep.equal([`PATCH ${owner.metadata.name}/status`]);
    });

    it('puts off progress for a quarter of a second, and never a condition', async () => {
      await using situation = await executing();
      const { statusWriter, owner, met, clock } = situation;
      const report = async (children_: number, ready: 'True' | 'False'): Promise<string> => {
        const { kind } = await statusWriter.report(keyOf(owner), status(children_, ready), 'soon', 10_000);
        await eventually(() => expect(met()).to.equal(true));
        return kind;
      };
      expect(await report(1, 'False')).to.equal('written');
      expect(await report(2, 'False')).to.equal('deferred');
      expect(await report(3, 'True')).to.equal('written');
      await clock.advance(250);
      expect(await report(4, 'True')).to.equal('written');
    });

    it('is not written over a version that it was not concluded from', async () => {
      await using situation = await executing();
      const { statusWriter, owner, client } = situation;
      const stale = situation.cached(owner);
      await client.merge(widgetType, keyOf(owner), { metadata: { labels: { changed: 'yes' } } });
      const { kind } = await statusWriter.report(keyOf(owner), status(1, 'False'), 'now', 10_000);
      if (situation.cached(owner) === stale) expect(kind).to.equal('deferred');
      await eventually(() => expect(situation.cached(owner)?.metadata.labels).to.deep.equal({ changed: 'yes' }));
      if (kind === 'deferred') expect((await statusWriter.report(keyOf(owner), status(1, 'False'), 'now', 10_000)).kind).to.equal('written');
    });

    it('is for nobody when the object is gone', async () => {
      await using situation = await executing();
      const { statusWriter, owner, client } = situation;
      await client.delete(widgetType, keyOf(owner), { uid: owner.metadata.uid ?? '' });
      expect((await statusWriter.report(keyOf(owner), status(1, 'False'), 'now', 10_000)).kind).to.equal('unchanged');
    });
  });

  describe('an event', () => {
    const note = { type: 'Normal', reason: 'Started', action: 'Train', note: 'The first attempt started.' } as const;

    interface Event extends KubeObject {
      readonly note: string;
      readonly series?: { readonly count: number };
    }

    async function eventsOf(situation: Situation): Promise<readonly Event[]> {
      const fields = `regarding.uid=${situation.owner.metadata.uid ?? ''}`;
      return (await situation.client.list(eventType, (raw) => raw as Event, { namespace: cluster.namespace, fields })).items;
    }

    it('is one object, and a repeat counts in its series', async () => {
      await using situation = await executing();
      const about = seen(widgetType, situation.owner);
      await situation.run({ kind: 'Emit', about, event: note });
      await eventually(async () => expect(await eventsOf(situation)).to.have.length(1));
      for (let repeats = 0; repeats < 3; repeats += 1) situation.events.emit(about, note);
      const counts = async (): Promise<readonly (number | undefined)[]> => (await eventsOf(situation)).map(({ series }) => series?.count);
      await eventually(async () => expect(await counts()).to.deep.equal([2]));
      await situation.clock.advance(60_000);
      await eventually(async () => expect(await counts()).to.deep.equal([4]));
    });

    it('is not sent when its object has said 25 things at once', async () => {
      await using situation = await executing();
      for (let said = 0; said < 40; said += 1) situation.events.emit(seen(widgetType, situation.owner), { ...note, note: `Thing ${said}` });
      await eventually(async () => expect(await eventsOf(situation)).to.have.length(25));
    });
  });
});
