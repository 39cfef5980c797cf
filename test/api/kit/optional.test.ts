import { expect } from 'chai';
import { Client } from '../../../operator/src/kube/client.ts';
import { kubeConfigAuthority } from '../../../operator/src/kube/auth.ts';
import { systemClock } from '../../../operator/src/kube/clock.ts';
import type { KubeObject } from '../../../operator/src/kube/resource.ts';
import { Reflector } from '../../../operator/src/runtime/reflector.ts';
import { Store } from '../../../operator/src/runtime/store.ts';
import { watched } from '../../../operator/src/runtime/watched.ts';
import { createMetrics } from '../../../operator/src/telemetry/metrics.ts';
import { TestClock } from '../../support/clock.ts';
import { withCluster } from '../../support/cluster.ts';
import { eventually } from '../../support/kit/eventually.ts';
import { testLog, transportTo } from '../../support/kit/kit.ts';
import { installWidgets, widget, widgetType } from '../../support/kit/widgets.ts';
import { withoutLeaks } from '../../support/leaks.ts';

/** A kind of its own, so that no other suite has installed it. */
const group = `optional-${crypto.randomUUID().slice(0, 8)}.test`;
const optionalType = { ...widgetType, group };

describe('an optional kind', function () {
  this.timeout(60_000);
  const cluster = withCluster();
  withoutLeaks();

  it('is known to be absent, found when it is installed, and gone when it is removed', async () => {
    const { plane, namespace } = cluster;
    const clock = new TestClock(Date.now());
    const metrics = createMetrics();
    const transport = transportTo(await kubeConfigAuthority({ path: plane.kubeconfigPath }, systemClock));
    const client = new Client(transport, { fieldManager: 'test' });
    const store = new Store<KubeObject, string>(watched(optionalType, { optional: true }));
    const reflector = new Reflector(store, { client, clock, random: Math.random, log: testLog, metrics, namespace });
    const changes: string[] = [];
    using _installed = store.onInstalled(() => changes.push(store.installed ? 'installed' : 'removed'));
    using _changes = store.subscribe(({ after }) => changes.push(after === undefined ? 'deleted' : 'added'));
    /** A minute passes at each look. */
    const inTime = (check: () => void): Promise<void> =>
      eventually(async () => {
        await clock.advance(60_000);
        check();
      }, 20_000);
    try {
      reflector.start();
      await reflector.synced;
      expect([store.installed, store.size]).to.deep.equal([false, 0]);

      await installWidgets((files) => plane.installCrds(files), group);
      await eventually(() => client.create(optionalType, { ...widget(namespace, 'x', 1), apiVersion: `${group}/v1` }));
      await inTime(() => expect(changes).to.deep.equal(['added', 'installed']));

      await plane.kubectl(['delete', 'crd', `widgets.${group}`]);
      await inTime(() => expect(changes.slice(2)).to.have.members(['deleted', 'removed']));
      expect(store.size).to.equal(0);
    } finally {
      await reflector.stop();
      await transport.close();
    }
  });
});
