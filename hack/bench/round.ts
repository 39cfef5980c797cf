/** One round of a benchmark: a contender gets its jobs, and the clock runs until all their pods run. */
import { podType } from '../../operator/src/controllers/shared/resources.ts';
import type { Client } from '../../operator/src/kube/client.ts';
import { systemClock } from '../../operator/src/kube/clock.ts';
import { keyOf } from '../../operator/src/kube/resource.ts';
import type { KubeObject, ResourceType } from '../../operator/src/kube/resource.ts';
import { slim, watched } from '../../operator/src/runtime/index.ts';
import { Reflector } from '../../operator/src/runtime/reflector.ts';
import { Store } from '../../operator/src/runtime/store.ts';
import { createLog } from '../../operator/src/telemetry/log.ts';
import { createMetrics } from '../../operator/src/telemetry/metrics.ts';
import { until } from '../cluster/until.ts';
import { cpuMs } from '../testbed/process-figures.ts';
import { inParallel } from './in-parallel.ts';
import { podsPerJob } from './contenders.ts';
import type { Contender } from './contenders.ts';

export interface Round {
  readonly contender: Contender;
  readonly jobs: number;
  /** Seconds from the first create until the last was answered. */
  readonly createSeconds: number;
  /** Seconds from the first create until every pod ran. */
  readonly seconds: number;
  /** Seconds from the first create until every job's own status said so. */
  readonly statusSeconds: number;
  /** CPU time that the controller's process took for one job, until every status was written. */
  readonly controllerCpuMsPerJob: number;
  /** The same of the API server, for all that was asked of it: creates, watches, scheduler, nodes and controller. */
  readonly serverCpuMsPerJob: number;
}

export interface RoundOptions {
  readonly client: Client;
  readonly contender: Contender;
  readonly namespace: string;
  readonly jobs: number;
  readonly controllerPid: number;
  readonly serverPid: number;
}

const longestRoundSeconds = 900;

export async function runRound({ client, contender, namespace, jobs, controllerPid, serverPid }: RoundOptions): Promise<Round> {
  await client.create(namespaceType, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  await until('the namespace has its service account', async () => hasServiceAccount(client, namespace), { timeoutSeconds: 60 });
  await using pods = await Followed.start(client, podType, namespace, isRunning);
  await using owners = await Followed.start(client, contender.type, namespace, (object) => contender.saysRunning(object));

  const [controllerBefore, serverBefore] = [await cpuMs(controllerPid), await cpuMs(serverPid)];
  const begin = performance.now();
  const since = (): number => (performance.now() - begin) / 1000;
  const running = pods.reached(jobs * podsPerJob).then(since);
  const said = owners.reached(jobs).then(since);
  await createAll(client, contender, namespace, jobs);
  const createSeconds = since();
  const [seconds, statusSeconds] = await withinTime(Promise.all([running, said]), () => `${pods.count} of ${jobs * podsPerJob} pods ran, ${owners.count} of ${jobs} jobs said so`);
  const controllerCpuMsPerJob = ((await cpuMs(controllerPid)) - controllerBefore) / jobs;
  const serverCpuMsPerJob = ((await cpuMs(serverPid)) - serverBefore) / jobs;

  await removeAll(client, contender, owners, pods);
  return { contender, jobs, createSeconds, seconds, statusSeconds, controllerCpuMsPerJob, serverCpuMsPerJob };
}

async function createAll(client: Client, contender: Contender, namespace: string, jobs: number): Promise<void> {
  await inParallel(Array.from({ length: jobs }, (_, index) => index), async (index) => {
    await client.create(contender.type, contender.job(namespace, `job-${index}`));
  });
}

/** The next round must not work beside the garbage collection of this one. */
async function removeAll(client: Client, contender: Contender, owners: Followed, pods: Followed): Promise<void> {
  await inParallel([...owners.store.all()], async (object) => client.delete(contender.type, keyOf(object), { uid: object.metadata.uid ?? '' }));
  await until('the pods of the round are gone', () => pods.store.size === 0 && owners.store.size === 0, { timeoutSeconds: longestRoundSeconds });
}

async function withinTime<T>(work: Promise<T>, hint: () => string): Promise<T> {
  using timer = new DisposableStack();
  const late = new Promise<never>((_, reject) => {
    timer.use(systemClock.after(longestRoundSeconds * 1000, () => reject(new Error(`The round was not over after ${longestRoundSeconds} s: ${hint()}.`))));
  });
  return await Promise.race([work, late]);
}

const namespaceType: ResourceType = { group: '', version: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false };
const serviceAccountType: ResourceType = { group: '', version: 'v1', kind: 'ServiceAccount', plural: 'serviceaccounts', namespaced: true };

/** Without it, the API server refuses pods. */
async function hasServiceAccount(client: Client, namespace: string): Promise<boolean> {
  const { items } = await client.list(serviceAccountType, (raw) => raw.metadata.name, { namespace });
  return items.includes('default');
}

function isRunning(object: KubeObject & { readonly status?: { readonly phase?: string } }): boolean {
  return object.status?.phase === 'Running';
}

interface Verdict extends KubeObject {
  readonly holds: boolean;
}

/** Counts the objects of a type and namespace for which something holds, by a watch. */
class Followed implements AsyncDisposable {
  readonly store: Store<Verdict>;
  readonly #reflector: Reflector<Verdict>;
  #count = 0;
  #goal: { readonly count: number; readonly reach: () => void } | undefined;

  private constructor(client: Client, type: ResourceType, namespace: string, holds: (object: KubeObject) => boolean) {
    this.store = new Store(watched(type, { project: (raw: KubeObject): Verdict => ({ ...slim(raw), holds: holds(raw) }) }));
    const metrics = createMetrics();
    this.#reflector = new Reflector(this.store, { client, clock: systemClock, random: Math.random, log: createLog('error'), metrics, namespace });
    this.store.subscribe(({ before, after }) => {
      this.#count += Number(after?.holds ?? false) - Number(before?.holds ?? false);
      if (this.#goal !== undefined && this.#count >= this.#goal.count) this.#goal.reach();
    });
  }

  static async start(client: Client, type: ResourceType, namespace: string, holds: (object: KubeObject) => boolean): Promise<Followed> {
    const followed = new Followed(client, type, namespace, holds);
    followed.#reflector.start();
    await followed.#reflector.synced;
    return followed;
  }

  get count(): number {
    return this.#count;
  }

  /** Resolves when it holds for so many at once. */
  async reached(count: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#goal = { count, reach: resolve };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reflector.stop();
  }
}
