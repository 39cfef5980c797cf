import { expect } from 'chai';
import { podMetricsType } from '../../operator/src/controllers/shared/resources.ts';
import { watches } from '../../operator/src/controllers/trainingjob/observe.ts';
import { UsageWatch } from '../../operator/src/controllers/trainingjob/usage-watch.ts';
import type { Client } from '../../operator/src/kube/client.ts';
import type { KubeObject } from '../../operator/src/kube/resource.ts';
import { systemClock } from '../../operator/src/runtime/index.ts';
import { job, pod, runningStatus } from '../support/builders/training-job.ts';
import { withCluster } from '../support/cluster.ts';
import { testClient } from '../support/controllers.ts';
import { MemoryStores } from '../support/memory-stores.ts';
import { eventually } from '../support/kit/eventually.ts';

/** Stands for metrics-server: its API, kept by the API server itself. */
const metricsApi = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'pods.metrics.k8s.io', annotations: { 'api-approved.kubernetes.io': 'unapproved, for a test' } },
  spec: {
    group: 'metrics.k8s.io', scope: 'Namespaced', names: { kind: 'PodMetrics', listKind: 'PodMetricsList', plural: 'pods', singular: 'pod' },
    versions: [{ name: 'v1beta1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } } }],
  },
};

describe('the use of processors by a job with an idle deadline', function usageSuite() {
  this.timeout(120_000);
  const cluster = withCluster();
  let client: Client;
  before(async () => {
    client = await testClient(cluster.plane.kubeconfigPath);
  });
  after(async () => {
    await client.transport.close();
    await cluster.plane.kubectl(['delete', 'crd', 'pods.metrics.k8s.io', '--ignore-not-found']);
  });

  it('is unknown without the metrics API, and then what it says', async () => {
    const own = job({ scheduling: { gang: false, scheduler: 'Auto', schedulerName: 's', idleDeadlineSeconds: 60 } });
    const { namespace } = cluster;
    const memory = new MemoryStores(watches);
    const owned = { ...own, metadata: { ...own.metadata, namespace } };
    const made = pod(own, 1, runningStatus);
    const ownerReferences = [{ apiVersion: 'anneal.dev/v1alpha1', kind: 'TrainingJob', name: 'digits', uid: 'uid-of-digits', controller: true }];
    memory.put(owned);
    memory.put({ ...made, metadata: { ...made.metadata, namespace, ownerReferences }, spec: { nodeName: 'node-1', containers: [{ name: 'trainer' }] }, status: { phase: 'Running', containerStatuses: [{ name: 'trainer', ready: true, state: { running: {} } }] } } as KubeObject);

    const woken: string[] = [];
    const watch = new UsageWatch({
      client, jobs: memory.stores.jobs, pods: memory.stores.pods, clock: systemClock, isLeader: () => true, onChange: ({ name }) => woken.push(name), intervalMs: 50,
    });
    const stop = new AbortController();
    const running = watch.run(stop.signal);
    const known = async (check: (usage: ReturnType<typeof watch.of>) => void): Promise<void> => eventually(() => check(watch.of('uid-of-digits')), 30_000);
    try {
      await known((usage) => expect(usage).to.include({ kind: 'Unknown' }));
      expect(woken).to.deep.equal(['digits']);

      await cluster.plane.kubectl(['apply', '-f', '-'], { input: JSON.stringify(metricsApi) });
      await cluster.plane.kubectl(['wait', '--for=condition=Established', 'crd/pods.metrics.k8s.io']);
      await known((usage) => expect(usage).to.deep.equal({ kind: 'Measured', idleSinceMs: undefined }));

      const metrics = (cpu: string) => ({
        apiVersion: 'metrics.k8s.io/v1beta1', kind: 'PodMetrics', metadata: { name: made.metadata.name, namespace, labels: made.metadata.labels ?? {} }, containers: [{ name: 'trainer', usage: { cpu, memory: '1Mi' } }],
      });
      await client.apply(podMetricsType, metrics('1200u'));
      await known((usage) => expect(usage?.kind === 'Measured' && usage.idleSinceMs).to.be.a('number'));
      const [since] = [watch.of('uid-of-digits')];
      await known((usage) => expect(usage).to.deep.equal(since));

      await client.apply(podMetricsType, metrics('900m'));
      await known((usage) => expect(usage).to.deep.equal({ kind: 'Measured', idleSinceMs: undefined }));
      expect(woken.length, 'woken for news only').to.equal(4);
    } finally {
      stop.abort();
      await running;
    }
  });
});
