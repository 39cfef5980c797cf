import { expect } from 'chai';
import { kubeConfigAuthority } from '../../../operator/src/kube/auth.ts';
import { systemClock } from '../../../operator/src/kube/clock.ts';
import { leaseType } from '../../../operator/src/runtime/leader.ts';
import type { Lease } from '../../../operator/src/runtime/leader.ts';
import { withCluster } from '../../support/cluster.ts';
import { eventually } from '../../support/kit/eventually.ts';
import { directClient, startKit } from '../../support/kit/kit.ts';
import { installWidgets, widget, widgetType } from '../../support/kit/widgets.ts';
import type { Widget } from '../../support/kit/widgets.ts';
import { withoutLeaks } from '../../support/leaks.ts';

/** As client-go and controller-runtime name them, so that their dashboards and alerts work. */
const names = [
  'controller_runtime_reconcile_total', 'controller_runtime_reconcile_errors_total', 'controller_runtime_terminal_reconcile_errors_total',
  'controller_runtime_reconcile_panics_total', 'controller_runtime_reconcile_time_seconds', 'controller_runtime_active_workers',
  'controller_runtime_max_concurrent_reconciles', 'workqueue_depth', 'workqueue_adds_total', 'workqueue_queue_duration_seconds',
  'workqueue_work_duration_seconds', 'workqueue_retries_total', 'workqueue_unfinished_work_seconds',
  'workqueue_longest_running_processor_seconds', 'rest_client_requests_total', 'leader_election_master_status',
];

describe('a manager', function () {
  this.timeout(60_000);
  const cluster = withCluster();
  withoutLeaks();

  before(() => installWidgets((files) => cluster.plane.installCrds(files)));

  it('gets ready, works, shows its metrics, and gives the lease back when it stops', async () => {
    const { plane, namespace } = cluster;
    const authority = await kubeConfigAuthority({ path: plane.kubeconfigPath }, systemClock);
    await using user = directClient(authority);
    await using kit = startKit(authority, namespace);
    const ask = async (port: number | undefined, path: string): Promise<Response> => fetch(`http://127.0.0.1:${port ?? 0}${path}`, { headers: { connection: 'close' } });
    await eventually(async () => expect((await ask(kit.manager.ports.health, '/readyz')).status).to.equal(200));
    expect((await ask(kit.manager.ports.health, '/healthz')).status).to.equal(200);

    await user.create(widgetType, widget(namespace, 'x', 2));
    await eventually(async () => expect((await user.get<Widget>(widgetType, { namespace, name: 'x' })).status?.conditions[0]?.status).to.equal('True'));
    const page = await (await ask(kit.manager.ports.metrics, '/metrics')).text();
    expect(names.filter((name) => !page.includes(`# TYPE ${name} `))).to.deep.equal([]);
    expect(page).to.match(/controller_runtime_reconcile_total\{controller="widget",result="success"\} [1-9]/);

    kit.stop();
    expect(await kit.stopped).to.equal('asked');
    expect((await user.get<Lease>(leaseType, { namespace, name: 'kit' })).spec?.holderIdentity).to.equal('');
  });

  it('ends as one that lost the leadership when someone steals the lease', async () => {
    const { plane, namespace } = cluster;
    const authority = await kubeConfigAuthority({ path: plane.kubeconfigPath }, systemClock);
    await using user = directClient(authority);
    await using kit = startKit(authority, namespace, 'victim');
    await eventually(() => expect(kit.manager.isLeader).to.equal(true), 30_000);
    await user.merge(leaseType, { namespace, name: 'kit' }, { spec: { holderIdentity: 'thief_1' } });
    expect(await kit.stopped).to.equal('lostLeadership');
    expect((await user.get<Lease>(leaseType, { namespace, name: 'kit' })).spec?.holderIdentity, 'left to the thief').to.equal('thief_1');
    await user.delete(leaseType, { namespace, name: 'kit' }, { uid: (await user.get<Lease>(leaseType, { namespace, name: 'kit' })).metadata.uid ?? '' });
  });
});
