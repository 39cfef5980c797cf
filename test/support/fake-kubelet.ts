/** Plays the kubelet on simulated nodes: writes what a real one would write into the status of pods. */
import { labels } from '../../operator/src/api/index.ts';
import { eventType, podType } from '../../operator/src/controllers/shared/resources.ts';
import type { Client } from '../../operator/src/kube/client.ts';
import { isConflict, isNotFound } from '../../operator/src/kube/errors.ts';
import { keyOf, objectPath } from '../../operator/src/kube/resource.ts';
import type { KubeObject, ObjectKey } from '../../operator/src/kube/resource.ts';
import { until } from '../../hack/cluster/until.ts';

export interface LivePod extends KubeObject {
  readonly spec: { readonly nodeName?: string; readonly containers: readonly { readonly name: string; readonly image: string }[] };
  readonly status: {
    readonly phase?: string;
    readonly containerStatuses?: readonly { readonly state?: { readonly running?: { readonly startedAt: string } } }[];
  };
}

export interface End {
  readonly exitCode: number;
  readonly reason?: string;
  /** What /dev/termination-log holds, or the last lines of the log. */
  readonly message?: string;
}

export class FakeKubelet {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** The job's pods that exist now, by name. */
  async podsOf(job: ObjectKey): Promise<LivePod[]> {
    const { items } = await this.#client.list(podType, (raw) => raw as LivePod, { namespace: job.namespace, labels: `${labels.trainingJob}=${job.name}` });
    return items.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  }

  /** All pods of TrainingJobs in a namespace. */
  async podsIn(namespace: string): Promise<LivePod[]> {
    return [...(await this.#client.list(podType, (raw) => raw as LivePod, { namespace, labels: labels.trainingJob })).items];
  }

  /** Waits until so many pods of an attempt are bound to nodes. */
  async boundPods(job: ObjectKey, attempt: number, count = 1): Promise<LivePod[]> {
    let found: LivePod[] = [];
    await until(`${job.name} has ${count} bound pods of attempt ${attempt}`, async () => {
      found = (await this.podsOf(job)).filter((pod) => attemptOf(pod) === attempt && pod.spec.nodeName !== undefined);
      return found.length === count;
    }, { timeoutSeconds: 60, everyMilliseconds: 100 });
    return found;
  }

  /** The pods of an attempt start. */
  async runs(job: ObjectKey, attempt = 1, count = 1): Promise<LivePod[]> {
    const pods = await this.boundPods(job, attempt, count);
    for (const pod of pods) await this.run(pod);
    return pods;
  }

  async run(pod: LivePod): Promise<void> {
    const running = { startedAt: now() };
    await this.write(pod, { phase: 'Running', startTime: now(), conditions: [condition('Ready', 'True')], containerStatuses: [containerStatus(pod, true, { running })] });
  }

  async end(pod: LivePod, { exitCode, reason, message }: End): Promise<void> {
    const startedAt = pod.status.containerStatuses?.[0]?.state?.running?.startedAt ?? now();
    const terminated = { exitCode, reason: reason ?? (exitCode === 0 ? 'Completed' : 'Error'), startedAt, finishedAt: now(), ...(message === undefined ? {} : { message }) };
    await this.write(pod, { phase: exitCode === 0 ? 'Succeeded' : 'Failed', containerStatuses: [containerStatus(pod, false, { terminated })] });
  }

  /** The container cannot start yet, for this reason. */
  async waits(pod: LivePod, reason: string, message: string): Promise<void> {
    await this.write(pod, { phase: 'Pending', startTime: now(), containerStatuses: [containerStatus(pod, false, { waiting: { reason, message } })] });
  }

  /** A disruption as Kubernetes marks it, after which the pod has failed. */
  async disrupt(pod: LivePod, reason: string, message: string): Promise<void> {
    await this.write(pod, {
      phase: 'Failed',
      conditions: [{ ...condition('DisruptionTarget', 'True'), reason, message }],
      containerStatuses: [containerStatus(pod, false, { terminated: { exitCode: 137, reason: 'Error', startedAt: now(), finishedAt: now() } })],
    });
  }

  /** An event, as the kubelet sends it where the status of a pod says nothing. */
  async warns(pod: LivePod, reason: string, message: string): Promise<void> {
    const { namespace = '', name, uid } = pod.metadata;
    const event = {
      apiVersion: 'v1', kind: 'Event', metadata: { namespace, name: `${name}.${crypto.randomUUID().slice(0, 8)}` },
      involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace, name, uid }, type: 'Warning', reason, message, count: 1, firstTimestamp: now(), lastTimestamp: now(),
      source: { component: 'kubelet', host: pod.spec.nodeName },
    };
    await this.#client.create(eventType, event);
  }

  async delete(pod: LivePod): Promise<void> {
    await this.#client.delete(podType, keyOf(pod), { uid: pod.metadata.uid ?? '' });
  }

  /** Strategic merge, as a real kubelet's: the scheduler's condition stays. A pod that is gone by now is nobody's concern. */
  async write(pod: LivePod, status: object): Promise<void> {
    try {
      await this.#client.transport.json({
        method: 'PATCH', path: objectPath(podType, keyOf(pod), 'status'), contentType: 'application/strategic-merge-patch+json',
        body: { metadata: { uid: pod.metadata.uid }, status },
      });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }
}

export function attemptOf(pod: KubeObject): number {
  return Number(pod.metadata.labels?.[labels.attempt]);
}

function condition(type: string, status: string) {
  return { type, status, lastTransitionTime: now() };
}

function containerStatus(pod: LivePod, isReady: boolean, state: object) {
  const [main] = pod.spec.containers;
  return { name: main?.name ?? '', image: main?.image ?? '', imageID: '', ready: isReady, started: isReady, restartCount: 0, state };
}

/** The API keeps whole seconds. */
function now(): string {
  return `${new Date().toISOString().slice(0, 19)}Z`;
}
