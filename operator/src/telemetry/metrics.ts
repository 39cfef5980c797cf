/** Every metric of the operator, named like client-go's and controller-runtime's, so that their dashboards and alerts work. */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const queueSeconds = [0.0001, 0.001, 0.01, 0.1, 1, 10, 100, 1000];

export type Metrics = ReturnType<typeof createMetrics>;

/** A fresh set on a registry of its own: nothing global, so that two operators fit in one process. */
export function createMetrics(registry: Registry = new Registry()) {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) => new Counter<L>({ name, help, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[]) => new Gauge<L>({ name, help, labelNames, registers });
  const histogram = <L extends string>(name: string, help: string, labelNames: readonly L[], buckets: number[]) =>
    new Histogram<L>({ name, help, labelNames, buckets, registers });

  return {
    registry,
    requests: counter('rest_client_requests_total', 'Requests to the API server, by status code, method and host.', ['code', 'method', 'host']),
    requestSeconds: histogram('rest_client_request_duration_seconds', 'Time of one attempt at a request, until its whole answer was read.', ['method', 'host'], seconds),
    requestRetries: counter('rest_client_request_retries_total', 'Requests that were tried again, by the code of the answer before.', ['code', 'method', 'host']),

    reconciles: counter('controller_runtime_reconcile_total', 'Reconciles, by controller and result.', ['controller', 'result']),
    reconcileErrors: counter('controller_runtime_reconcile_errors_total', 'Reconciles that failed and are retried.', ['controller']),
    terminalErrors: counter('controller_runtime_terminal_reconcile_errors_total', 'Reconciles that failed for good until the object changes.', ['controller']),
    reconcilePanics: counter('controller_runtime_reconcile_panics_total', 'Reconciles that threw what only a bug throws.', ['controller']),
    reconcileSeconds: histogram('controller_runtime_reconcile_time_seconds', 'Time of one reconcile.', ['controller'], seconds),
    activeWorkers: gauge('controller_runtime_active_workers', 'Reconciles that run now.', ['controller']),
    maxConcurrent: gauge('controller_runtime_max_concurrent_reconciles', 'Most reconciles that may run at once.', ['controller']),

    queueDepth: gauge('workqueue_depth', 'Keys that wait for a worker.', ['name', 'priority']),
    queueAdds: counter('workqueue_adds_total', 'Keys added.', ['name']),
    queueSeconds: histogram('workqueue_queue_duration_seconds', 'Time that a key waited for a worker.', ['name'], queueSeconds),
    workSeconds: histogram('workqueue_work_duration_seconds', 'Time that a worker took for a key.', ['name'], queueSeconds),
    queueRetries: counter('workqueue_retries_total', 'Keys added again with backoff.', ['name']),
    unfinishedSeconds: gauge('workqueue_unfinished_work_seconds', 'Work in progress not yet observed by work_duration, in seconds over all workers.', ['name']),
    longestRunningSeconds: gauge('workqueue_longest_running_processor_seconds', 'How long the longest running worker has been at its key.', ['name']),

    storeObjects: gauge('anneal_store_objects', 'Objects in memory, by resource.', ['resource']),
    watchEvents: counter('anneal_watch_events_total', 'Watch events received, by resource and type.', ['resource', 'type']),
    watchRestarts: counter('anneal_watch_restarts_total', 'Watches that ended, by resource and cause.', ['resource', 'cause']),
    relists: counter('anneal_relists_total', 'Full lists of a resource.', ['resource']),
    expectationTimeouts: counter('anneal_expectation_timeouts_total', 'Writes that the cache had not shown in time.', ['controller']),
    writes: counter('anneal_writes_total', 'Actions executed, by controller, kind and result.', ['controller', 'kind', 'result']),
    statusWrites: counter('anneal_status_writes_total', 'Status reports, by controller and whether a request was needed.', ['controller', 'result']),
    events: counter('anneal_events_total', 'Kubernetes events, by what became of them.', ['result']),
    leader: gauge('leader_election_master_status', 'Whether this process is the leader of the lease.', ['name']),
    slowPath: counter('leader_election_slowpath_total', 'Lease renewals that failed.', ['name']),
  };
}

/** Process and Node figures (memory, CPU, event loop lag) beside ours. */
export function withProcessMetrics(metrics: Metrics): Metrics {
  collectDefaultMetrics({ register: metrics.registry });
  return metrics;
}
