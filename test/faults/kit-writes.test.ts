import { expect } from 'chai';
import { kubeConfigAuthority } from '../../operator/src/kube/auth.ts';
import type { Client } from '../../operator/src/kube/client.ts';
import { systemClock } from '../../operator/src/kube/clock.ts';
import type { KubeObject } from '../../operator/src/kube/resource.ts';
import { withCluster } from '../support/cluster.ts';
import { FaultProxy } from '../support/faultproxy.ts';
import type { Rule, Seen } from '../support/faultproxy.ts';
import { eventually } from '../support/kit/eventually.ts';
import { directClient, startKit } from '../support/kit/kit.ts';
import type { Kit } from '../support/kit/kit.ts';
import { configMapType, installWidgets, widget, widgetType } from '../support/kit/widgets.ts';
import type { ConfigMap, Widget } from '../support/kit/widgets.ts';
import { withoutLeaks } from '../support/leaks.ts';

const recoveryMs = 5_000;

interface Situation extends AsyncDisposable {
  readonly proxy: FaultProxy;
  readonly kit: Kit;
  readonly user: Client;
  readonly namespace: string;
  /** Makes a Widget of this size, of a name of its own. */
  readonly make: (size: number) => Promise<Widget>;
  /** Makes an object that no controller looks at. */
  readonly makeOther: () => Promise<unknown>;
  /** Fails unless the Widget says that it is ready, and has exactly the children that it wants. */
  readonly expectReady: (made: Widget) => Promise<void>;
}

describe('a controller whose requests are disturbed', function () {
  this.timeout(60_000);
  const cluster = withCluster();
  withoutLeaks();

  before(() => installWidgets((files) => cluster.plane.installCrds(files)));

  async function controlling(): Promise<Situation> {
    const { plane, namespace } = cluster;
    const proxy = await FaultProxy.start(plane.kubeconfigPath);
    const kit = startKit(proxy.authority, namespace);
    const user = directClient(await kubeConfigAuthority({ path: plane.kubeconfigPath }, systemClock));
    await eventually(() => expect(kit.manager.isLeader && kit.manager.hasSynced).to.equal(true));
    return {
      proxy, kit, user, namespace,
      make: (size) => user.create<Widget>(widgetType, widget(namespace, `w-${crypto.randomUUID().slice(0, 8)}`, size)),
      makeOther: () => user.create(configMapType, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `other-${crypto.randomUUID()}`, namespace } }),
      expectReady: async (made) => {
        const [now, owned] = await Promise.all([
          user.get<Widget>(widgetType, { namespace, name: made.metadata.name }),
          user.list(configMapType, (raw) => raw as ConfigMap, { namespace, labels: `kit.test/widget=${made.metadata.name}` }),
        ]);
        expect(owned.items.map(({ metadata }) => metadata.name).sort()).to.deep.equal(Array.from({ length: now.spec.size }, (_, index) => `${made.metadata.name}-${index}`));
        expect(owned.items.every(({ metadata }) => metadata.ownerReferences?.[0]?.uid === made.metadata.uid), 'owners').to.equal(true);
        expect(now.status?.conditions[0]?.status).to.equal('True');
        expect(now.status?.children).to.equal(now.spec.size);
      },
      [Symbol.asyncDispose]: async () => {
        await kit[Symbol.asyncDispose]();
        await Promise.all([user[Symbol.asyncDispose](), proxy[Symbol.asyncDispose]()]);
      },
    };
  }

  const creates = (seen: Seen): boolean => seen.method === 'POST' && seen.path.endsWith('/configmaps');
  const reports = (seen: Seen): boolean => seen.path.endsWith('/status');
  const any = (seen: Seen): boolean => seen.isWrite && !seen.path.includes('/leases/');

  const conflict = { kind: 'Status', code: 409, reason: 'Conflict', message: 'made by the test' };
  const faultsOf = (name: string, when: Rule['when']): readonly { readonly what: string; readonly rule: Rule }[] => [
    { what: `${name} are done but not answered`, rule: { when, fault: { kind: 'loseReply' }, times: 2 } },
    { what: `${name} are reset`, rule: { when, fault: { kind: 'reset' }, times: 2 } },
    { what: `${name} are refused with 429 and Retry-After`, rule: { when, fault: { kind: 'respond', code: 429, headers: { 'retry-after': '1' } }, times: 2 } },
    { what: `${name} are refused with 503`, rule: { when, fault: { kind: 'respond', code: 503 }, times: 3 } },
    { what: `one of the ${name} hangs and never arrives`, rule: { when, fault: { kind: 'hang' }, times: 1 } },
    { what: `one of the ${name} hangs after the head of its answer`, rule: { when, fault: { kind: 'hangAfterHead' }, times: 1 } },
    { what: `${name} are refused with 409 Conflict`, rule: { when, fault: { kind: 'respond', code: 409, body: conflict }, times: 2 } },
  ];

  for (const { what, rule } of [...faultsOf('creates', creates), ...faultsOf('reports', reports)]) {
    it(`has made each child once, and says so, within 5 s when ${what}`, async () => {
      await using situation = await controlling();
      const fault = situation.proxy.fault(rule);
      const made = await situation.make(3);
      await eventually(() => expect(fault.hits).to.equal(rule.times), 15_000);
      await eventually(() => situation.expectReady(made), recoveryMs);
    });
  }

  it('goes on within 5 s when every connection hung for a while, those of the watches too', async () => {
    await using situation = await controlling();
    const { proxy, user, namespace } = situation;
    const made = await situation.make(2);
    await eventually(() => situation.expectReady(made));
    const hungLeases = proxy.fault({ when: (seen) => seen.path.includes('/leases/'), fault: { kind: 'hang' } });
    const hung = proxy.fault({ when: () => true, fault: { kind: 'hang' } });
    proxy.silenceWatches();
    await user.merge(widgetType, { namespace, name: made.metadata.name }, { spec: { size: 4 } });
    const second = await situation.make(2);
    await eventually(() => expect(hungLeases.hits).to.be.above(1), 15_000);
    hungLeases[Symbol.dispose]();
    hung[Symbol.dispose]();
    await eventually(() => situation.expectReady(made), recoveryMs);
    await eventually(() => situation.expectReady(second), recoveryMs);
  });

  it('finds out by its own writes that a watch has fallen silent', async () => {
    await using situation = await controlling();
    situation.proxy.silenceWatches((seen) => seen.path.endsWith('/configmaps'));
    const made = await situation.make(2);
    await eventually(() => situation.expectReady(made), 2 * recoveryMs);
  });

  it('goes on within 5 s of the return of an API server that was killed under load', async () => {
    await using situation = await controlling();
    const before = await Promise.all(Array.from({ length: 20 }, () => situation.make(3)));
    await cluster.plane.restartApiServer(0);
    const after = await situation.make(1);
    // What the server itself takes for as many plain writes as the controller may still owe, beside whatever else the machine does.
    const back = performance.now();
    await Promise.all(Array.from({ length: 80 }, () => situation.makeOther()));
    const serverMs = performance.now() - back;
    await eventually(() => Promise.all([...before, after].map((made) => situation.expectReady(made))), recoveryMs + serverMs);
  });

  it('writes nothing at all while nothing changes', async () => {
    await using situation = await controlling();
    const made = await Promise.all(Array.from({ length: 10 }, () => situation.make(2)));
    await eventually(() => Promise.all(made.map((each) => situation.expectReady(each))));
    const written = situation.proxy.writes.filter(any).length;
    const fault = situation.proxy.fault({ when: (seen) => seen.path.includes('/leases/'), fault: { kind: 'observe' } });
    await eventually(() => expect(fault.hits).to.be.above(2), 15_000);
    // A new look at every object, as after a restart of the watch.
    situation.proxy.cutWatches();
    await eventually(() => expect(situation.proxy.openWatches).to.be.above(1));
    await eventually(() => expect(fault.hits).to.be.above(4), 15_000);
    expect(situation.proxy.writes.filter(any).slice(written).map(({ method, path }) => `${method} ${path}`)).to.deep.equal([]);
  });

  it('never takes over an object of another that has the name of its child', async () => {
    await using situation = await controlling();
    const { user, namespace } = situation;
    const name = `w-${crypto.randomUUID().slice(0, 8)}`;
    const foreign = await user.create<ConfigMap>(configMapType, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `${name}-0`, namespace }, data: { mine: 'yes' } } as KubeObject);
    await user.create(widgetType, widget(namespace, name, 1));
    await eventually(async () => {
      const made = await user.get<Widget>(widgetType, { namespace, name });
      expect(made.status?.conditions[0]?.reason).to.equal('Growing');
    });
    expect((await user.get<ConfigMap>(configMapType, { namespace, name: `${name}-0` })).metadata.resourceVersion).to.equal(foreign.metadata.resourceVersion);
  });
});
