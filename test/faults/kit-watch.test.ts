import { expect } from 'chai';
import type { Client } from '../../operator/src/kube/client.ts';
import { kubeConfigAuthority } from '../../operator/src/kube/auth.ts';
import { systemClock } from '../../operator/src/kube/clock.ts';
import { Client as KubeClient } from '../../operator/src/kube/client.ts';
import type { KubeObject } from '../../operator/src/kube/resource.ts';
import { Reflector } from '../../operator/src/runtime/reflector.ts';
import { Store } from '../../operator/src/runtime/store.ts';
import { createMetrics } from '../../operator/src/telemetry/metrics.ts';
import { withCluster } from '../support/cluster.ts';
import { FaultProxy } from '../support/faultproxy.ts';
import { eventually } from '../support/kit/eventually.ts';
import { directClient, testLog, transportTo } from '../support/kit/kit.ts';
import { children, configMapType } from '../support/kit/widgets.ts';
import { withoutLeaks } from '../support/leaks.ts';

/** How soon after its return the store must equal the server again. */
const recoveryMs = 5_000;

interface Situation extends AsyncDisposable {
  readonly proxy: FaultProxy;
  readonly store: Store;
  readonly reflector: Reflector;
  readonly user: Client;
  /** Creates, changes and deletes some objects on the server, whatever becomes of the watch. */
  readonly churn: () => Promise<void>;
  /** Fails unless the store holds exactly what the server holds. */
  readonly expectSame: () => Promise<void>;
}

describe('a store behind a disturbed watch', function () {
  this.timeout(60_000);
  const cluster = withCluster();
  withoutLeaks();

  async function watching(): Promise<Situation> {
    const { plane, namespace } = cluster;
    const proxy = await FaultProxy.start(plane.kubeconfigPath);
    const metrics = createMetrics();
    const transport = transportTo(proxy.authority, 'kit', metrics);
    const client = new KubeClient(transport, { fieldManager: 'kit' });
    const store: Store = new Store(children);
    const reflector = new Reflector(store, { client, clock: systemClock, random: Math.random, log: testLog, metrics, namespace, pageSize: 2 });
    const user = directClient(await kubeConfigAuthority({ path: plane.kubeconfigPath }, systemClock));
    const serial = crypto.randomUUID().slice(0, 6);
    let round = 0;

    const write = async (name: string, data: string): Promise<void> => {
      const metadata = { name, namespace, labels: { 'kit.test/widget': serial } };
      await user.apply(configMapType, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { data } } as KubeObject);
    };
    const churn = async (): Promise<void> => {
      round += 1;
      const held = (await listed()).filter(({ name }) => name.startsWith(serial));
      await Promise.all([0, 1, 2].map((index) => write(`${serial}-${round}-${index}`, 'new')));
      await Promise.all(held.slice(0, 2).map(({ name }) => write(name, `round ${round}`)));
      await Promise.all(held.slice(2, 4).map(({ name, uid }) => user.delete(configMapType, { namespace, name }, { uid })));
    };
    const listed = async (): Promise<readonly { readonly name: string; readonly uid: string; readonly version: string }[]> =>
      (await user.list(configMapType, identityOf, { namespace, labels: 'kit.test/widget' })).items;
    const expectSame = async (): Promise<void> => {
      const sorted = (objects: Iterable<{ readonly name: string }>) => [...objects].sort((a, b) => (a.name < b.name ? -1 : 1));
      const server = await listed();
      expect(sorted([...store.all()].map(identityOf))).to.deep.equal(sorted(server));
    };

    reflector.start();
    await churn();
    await reflector.synced;
    await churn();
    await eventually(expectSame, recoveryMs);
    return {
      proxy, store, reflector, user, churn, expectSame,
      [Symbol.asyncDispose]: async () => {
        await reflector.stop();
        await Promise.all([transport.close(), user[Symbol.asyncDispose]()]);
        await proxy[Symbol.asyncDispose]();
      },
    };
  }

  const isWatch = { when: (seen: { readonly isWatch: boolean }) => seen.isWatch };
  const status = (code: number, reason: string) => ({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message: 'made by the test' });
  const errorEvent = (code: number, reason: string): string => `${JSON.stringify({ type: 'ERROR', object: status(code, reason) })}\n`;

  const disturbances: Readonly<Record<string, (situation: Situation) => Promise<void>>> = {
    'is cut': async ({ proxy, churn }) => {
      proxy.cutWatches();
      await churn();
    },
    'is cut inside an event': async ({ proxy, churn }) => {
      proxy.injectIntoWatches('{"type":"MODIFIED","object":{"meta');
      proxy.cutWatches();
      await churn();
    },
    'is cut again and again': async ({ proxy, churn }) => {
      for (let cuts = 0; cuts < 5; cuts += 1) {
        await eventually(() => expect(proxy.openWatches).to.be.above(0));
        proxy.cutWatches();
        await churn();
      }
    },
    'holds a garbage line': async ({ proxy, churn }) => {
      proxy.injectIntoWatches('<html>502 Bad Gateway</html>\n');
      await churn();
    },
    'is told in the stream that its version is gone': async ({ proxy, churn }) => {
      proxy.injectIntoWatches(errorEvent(410, 'Expired'));
      await churn();
    },
    'is told with a status that its version is gone': async ({ proxy, churn }) => {
      proxy.fault({ ...isWatch, fault: { kind: 'respond', code: 410, body: status(410, 'Expired') }, times: 1 });
      proxy.cutWatches();
      await churn();
    },
    'holds an error of the server': async ({ proxy, churn }) => {
      proxy.injectIntoWatches(errorEvent(500, 'InternalError'));
      await churn();
    },
    'is refused with 429 and Retry-After': async ({ proxy, churn }) => {
      proxy.fault({ ...isWatch, fault: { kind: 'respond', code: 429, headers: { 'retry-after': '1' } }, times: 2 });
      proxy.cutWatches();
      await churn();
    },
    'is refused with 503': async ({ proxy, churn }) => {
      using away = proxy.fault({ ...isWatch, fault: { kind: 'respond', code: 503 } });
      proxy.cutWatches();
      await churn();
      await eventually(() => expect(away.hits).to.be.above(1));
    },
    'is reset as it begins': async ({ proxy, churn }) => {
      proxy.fault({ ...isWatch, fault: { kind: 'reset' }, times: 3 });
      proxy.cutWatches();
      await churn();
    },
    'hangs before its head': async ({ proxy, churn }) => {
      proxy.fault({ ...isWatch, fault: { kind: 'hang' }, times: 1 });
      proxy.cutWatches();
      await churn();
    },
    'falls silent, and what was written does not come back': async ({ proxy, reflector, churn }) => {
      proxy.silenceWatches();
      await churn();
      // What the manager does when an expectation times out.
      reflector.reconnect();
    },
    'must list, and another server answers with an older list': async ({ proxy, store, churn, user }) => {
      const path = `/api/v1/namespaces/${cluster.namespace}/configmaps`;
      const older = await user.transport.json({ method: 'GET', path, query: { labelSelector: 'kit.test/widget' } });
      const versions = store.resourceVersion;
      await churn();
      await eventually(() => expect(store.resourceVersion).not.to.equal(versions));
      proxy.fault({ when: ({ query }) => query.has('sendInitialEvents'), fault: { kind: 'respond', code: 422, body: status(422, 'Invalid') }, times: 1 });
      const stale = proxy.fault({ when: ({ path: asked, isWatch: watching, method }) => asked === path && !watching && method === 'GET', fault: { kind: 'respond', code: 200, body: older }, times: 2 });
      const ghosts: string[] = [];
      using _listening = store.subscribe(({ before, after }) => {
        if (before === undefined && after !== undefined) ghosts.push(after.metadata.name);
      });
      proxy.injectIntoWatches(errorEvent(410, 'Expired'));
      await eventually(() => expect(stale.hits).to.equal(2));
      expect(ghosts, 'came back from the dead').to.deep.equal([]);
    },
    'must list, and the list fails half way through its pages': async ({ proxy, churn }) => {
      proxy.fault({ when: ({ query }) => query.has('sendInitialEvents'), fault: { kind: 'respond', code: 422, body: status(422, 'Invalid') }, times: 1 });
      const expired = proxy.fault({ when: ({ query }) => query.has('continue'), fault: { kind: 'respond', code: 410, body: status(410, 'Expired') }, times: 1 });
      proxy.injectIntoWatches(errorEvent(410, 'Expired'));
      await churn();
      await eventually(() => expect(expired.hits).to.equal(1));
    },
  };

  for (const [what, disturb] of Object.entries(disturbances)) {
    it(`equals the server within 5 s when the watch ${what}`, async () => {
      await using situation = await watching();
      await disturb(situation);
      await eventually(situation.expectSame, recoveryMs);
      await situation.churn();
      await eventually(situation.expectSame, recoveryMs);
    });
  }

  for (const graceSeconds of [0, 10]) {
    it(`equals the server within 5 s of its return when it is ${graceSeconds === 0 ? 'killed' : 'restarted'}`, async () => {
      await using situation = await watching();
      await cluster.plane.restartApiServer(graceSeconds);
      await situation.churn();
      await eventually(situation.expectSame, recoveryMs);
      await situation.churn();
      await eventually(situation.expectSame, recoveryMs);
    });
  }
});

function identityOf(object: KubeObject): { readonly name: string; readonly uid: string; readonly version: string } {
  const { name, uid, resourceVersion } = object.metadata;
  return { name, uid: uid ?? '', version: resourceVersion ?? '' };
}
