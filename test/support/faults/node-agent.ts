/**
 * Plays the nodes of a cluster, without kwok: keeps them ready, runs what the scheduler binds to them, ends pods as the test's program
 * says, confirms deletions, and provides the disks. A node may die: nothing on it is confirmed any more.
 */
import { volumeClaimType, nodeType, podType } from '../../../operator/src/controllers/shared/resources.ts';
import type { Client } from '../../../operator/src/kube/client.ts';
import { isAlreadyExists, isConflict, isInvalid, isNotFound } from '../../../operator/src/kube/errors.ts';
import { keyOf, objectPath } from '../../../operator/src/kube/resource.ts';
import type { KubeObject, ResourceType } from '../../../operator/src/kube/resource.ts';
import { leaseType } from '../../../operator/src/runtime/leader.ts';
import { microTime } from '../../../operator/src/runtime/events.ts';
import { FakeKubelet } from '../fake-kubelet.ts';
import type { End, LivePod } from '../fake-kubelet.ts';
import type { Change, Chronicle } from './chronicle.ts';

const heartbeatMs = 10_000;
const leaseNamespace = 'kube-node-lease';
const volumeType: ResourceType = { group: '', version: 'v1', kind: 'PersistentVolume', plural: 'persistentvolumes', namespaced: false };

/** On the nodes that are for the pods of one namespace alone, so that what befalls them befalls nobody else. */
export const namespaceLabel = 'faults.test/namespace';
const nodePrefix = 'fault-node-';
const nodesEach = 4;

/** How a running pod ends; undefined while it goes on. */
export type Program = (pod: LivePod) => End | undefined;

interface Claim extends KubeObject {
  readonly spec: { readonly accessModes: readonly string[]; readonly resources: { readonly requests: { readonly storage: string } }; readonly volumeName?: string };
}

export class NodeAgent implements AsyncDisposable {
  readonly #nodes = new Map<string, readonly string[]>();
  readonly #client: Client;
  readonly #chronicle: Chronicle;
  readonly #kubelet: FakeKubelet;
  readonly #dead = new Set<string>();
  readonly #programs = new Map<string, Program>();
  /** Pods with a write under way, which must not get a second. */
  readonly #busy = new Map<string, Promise<void>>();
  readonly #provided = new Set<string>();
  readonly #failures: unknown[] = [];
  readonly #stack = new AsyncDisposableStack();
  #isOver = false;

  constructor(client: Client, chronicle: Chronicle) {
    this.#client = client;
    this.#chronicle = chronicle;
    this.#kubelet = new FakeKubelet(client);
    this.#stack.use(chronicle.subscribe((change) => this.#see(change)));
    const timer = setInterval(() => this.#spawn('heartbeat', async () => this.#beat()), heartbeatMs);
    this.#stack.defer(() => clearInterval(timer));
  }

  async addNodes(namespace: string): Promise<void> {
    const names = Array.from({ length: nodesEach }, (_, index) => `${nodePrefix}${index}-${namespace}`);
    await Promise.all(names.map(async (name) => this.#client.create(nodeType, nodeNamed(name, namespace))));
    this.#nodes.set(namespace, names);
    await Promise.all(names.map(async (name) => this.#renew(name)));
  }

  nodesOf(namespace: string): readonly string[] {
    return this.#nodes.get(namespace) ?? [];
  }

  /** What the pods of a namespace do from now on; those that run already are asked too. */
  program(namespace: string, program: Program): void {
    this.#programs.set(namespace, program);
    for (const pod of this.#chronicle.objects<LivePod>(podType, namespace)) this.#step(pod);
  }

  /** The node is seen not to be ready, and confirms nothing. */
  async die(node: string): Promise<void> {
    this.#dead.add(node);
    await this.#setReady(node, 'False');
  }

  async revive(node: string): Promise<void> {
    if (!this.#dead.delete(node)) return;
    await this.#setReady(node, 'True');
    for (const pod of this.#chronicle.objects<LivePod>(podType)) this.#step(pod);
  }

  /** Asks the API server to delete a pod, as a user or a controller does. */
  async delete(pod: LivePod): Promise<void> {
    try {
      await this.#client.delete(podType, keyOf(pod), { uid: pod.metadata.uid ?? '' });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }

  /** The kubelet throws a pod out because its node is short of something. */
  async evict(pod: LivePod): Promise<void> {
    await this.#kubelet.disrupt(pod, 'TerminationByKubelet', 'The node was low on resource: memory.');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.#stack.disposeAsync();
    await Promise.all(this.#busy.values());
    if (this.#failures.length > 0) throw new AggregateError(this.#failures, 'The nodes could not do their part.');
  }

  #see({ type, after }: Change): void {
    if (after === undefined) return;
    if (type === podType) this.#step(after as LivePod);
    else if (type === volumeClaimType) this.#provide(after as Claim);
  }

  /** The one thing that is next for a pod, if any; its outcome comes back as another change. */
  #step(pod: LivePod): void {
    const { deletionTimestamp, namespace = '' } = pod.metadata;
    const { nodeName } = pod.spec;
    const { phase } = pod.status;
    if (nodeName === undefined || this.#dead.has(nodeName) || !nodeName.startsWith(nodePrefix)) return;
    const hasEnded = phase === 'Succeeded' || phase === 'Failed';
    if (deletionTimestamp !== undefined) {
      this.#act(pod, async () => this.#remove(pod));
      return;
    }
    if (hasEnded) return;
    if (phase !== 'Running') {
      this.#act(pod, async () => this.#kubelet.run(pod));
      return;
    }
    const end = this.#programs.get(namespace)?.(pod);
    if (end !== undefined) this.#act(pod, async () => this.#kubelet.end(pod, end));
  }

  async #remove(pod: LivePod): Promise<void> {
    try {
      await this.#client.delete(podType, keyOf(pod), { uid: pod.metadata.uid ?? '', gracePeriodSeconds: 0 });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }

  /** A volume that is bound beforehand to the one claim that asks for it. */
  #provide({ metadata: { namespace = '', name, uid = '' }, spec }: Claim): void {
    if (spec.volumeName !== undefined || this.#provided.has(uid)) return;
    this.#provided.add(uid);
    const object = {
      apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: `disk-${uid}` },
      spec: {
        capacity: { storage: spec.resources.requests.storage }, accessModes: spec.accessModes, hostPath: { path: '/nonexistent' },
        persistentVolumeReclaimPolicy: 'Retain', claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid },
      },
    };
    this.#spawn(`disk of ${uid}`, async () => {
      await this.#client.create(volumeType, object);
    });
  }

  /** One write at a time for each pod; what changed meanwhile is looked at when it is done. */
  #act(pod: LivePod, write: () => Promise<void>): void {
    const { uid = '', resourceVersion } = pod.metadata;
    const tryIt = async (): Promise<void> => {
      try {
        await write();
      } catch (error) {
        // The pod has ended since it was seen, and a container that has ended does not run.
        if (!isInvalid(error)) throw error;
      }
    };
    this.#spawn(uid, tryIt, () => {
      const now = this.#chronicle.objects<LivePod>(podType).find(({ metadata }) => metadata.uid === uid);
      if (now !== undefined && now.metadata.resourceVersion !== resourceVersion) this.#step(now);
    });
  }

  #spawn(subject: string, write: () => Promise<void>, done: () => void = () => undefined): void {
    if (this.#isOver || this.#busy.has(subject)) return;
    const outcome = write()
      .catch((error: unknown) => this.#failures.push(error))
      .then(() => {
        this.#busy.delete(subject);
        done();
      });
    this.#busy.set(subject, outcome);
  }

  async #beat(): Promise<void> {
    await Promise.all([...this.#nodes.values()].flat().map(async (name) => this.#renew(name)));
  }

  /** The node controller holds a node for lost whose lease is 50 s old. */
  async #renew(name: string): Promise<void> {
    const spec = { holderIdentity: name, leaseDurationSeconds: 40, renewTime: microTime(Date.now()) };
    try {
      await this.#client.merge(leaseType, { namespace: leaseNamespace, name }, { spec });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { namespace: leaseNamespace, name }, spec };
      try {
        await this.#client.create(leaseType, lease);
      } catch (refusal) {
        // The namespace comes a moment after the API server.
        if (!isNotFound(refusal) && !isAlreadyExists(refusal)) throw refusal;
      }
    }
  }

  async #setReady(name: string, status: 'True' | 'False'): Promise<void> {
    await this.#client.transport.json({
      method: 'PATCH', path: objectPath(nodeType, { namespace: '', name }, 'status'), contentType: 'application/strategic-merge-patch+json',
      body: { status: { conditions: [readiness(status)] } },
    });
  }
}

function nodeNamed(name: string, namespace: string): KubeObject {
  const resources = { cpu: '64', memory: '512Gi', pods: '500' };
  const object = {
    apiVersion: 'v1', kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64', [namespaceLabel]: namespace } },
    status: { allocatable: resources, capacity: resources, conditions: [readiness('True')] },
  };
  return object;
}

function readiness(status: 'True' | 'False') {
  const time = `${new Date().toISOString().slice(0, 19)}Z`;
  return { type: 'Ready', status, reason: status === 'True' ? 'KubeletReady' : 'KubeletNotReady', message: '', lastHeartbeatTime: time, lastTransitionTime: time };
}
