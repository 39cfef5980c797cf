/** A namespace with an operator of its own, in which runs follow one another, each with an object of its own. */
import { trainingJobType, podType, serviceType, volumeClaimType, eventType } from '../../../operator/src/controllers/shared/resources.ts';
import { keyOf } from '../../../operator/src/kube/resource.ts';
import type { KubeObject, ObjectKey } from '../../../operator/src/kube/resource.ts';
import { eventually } from '../kit/eventually.ts';
import type { RecordedWrite } from '../faultproxy.ts';
import type { Bed } from './bed.ts';
import { writesWithoutLease } from './leadership.ts';
import { comparable, countsOf, plain, resourceOf } from './outcome.ts';
import type { Outcome } from './outcome.ts';
import { onOwnNodes } from './scenarios.ts';
import type { Scenario } from './scenarios.ts';
import { Subject } from './subject.ts';
import { trainingJobRules } from './training-job-rules.ts';
import { Witness } from './witness.ts';

/** What came of one run. */
export interface Run {
  readonly outcome: Outcome;
  /** The writes that concern the object, lease left out, in the order in which they came. */
  readonly writes: readonly RecordedWrite[];
  /** The writes without what differs from run to run, such as `POST pods NAME-worker-0-1-HASH`. */
  readonly signatures: readonly string[];
  /** Sentences about invariants that did not hold. */
  readonly violations: readonly string[];
}

export interface RunOptions {
  readonly stepSeconds?: number;
  /** Sets the faults up, for the object that is about to be created; what it returns ends them when the story is over. */
  readonly disturb?: (subjectOf: Cell, job: ObjectKey) => AsyncDisposable;
}

/** For this long nothing may be written about an object that has come to its end (I2). */
const quietMs = 1_000;
const defaultStepSeconds = 60;

export class Cell implements AsyncDisposable {
  readonly bed: Bed;
  readonly namespace: string;
  readonly #subjects: Subject[];
  #serial = 0;

  static async start(bed: Bed, name: string): Promise<Cell> {
    const namespace = await bed.namespace(name);
    return new Cell(bed, namespace, await Subject.start(bed, namespace));
  }

  private constructor(bed: Bed, namespace: string, subject: Subject) {
    this.bed = bed;
    this.namespace = namespace;
    this.#subjects = [subject];
  }

  /** The first operator is the leader until it loses that; the second stands by. */
  get subjects(): readonly Subject[] {
    return this.#subjects;
  }

  get subject(): Subject {
    const [first] = this.#subjects;
    if (first === undefined) throw new Error('A cell has an operator from its start on.');
    return first;
  }

  /** Starts a second operator beside the first. Does nothing when there is one. */
  async withStandby(): Promise<void> {
    if (this.#subjects.length < 2) this.#subjects.push(await Subject.start(this.bed, this.namespace));
  }

  async run(scenario: Scenario, { stepSeconds = defaultStepSeconds, disturb }: RunOptions = {}): Promise<Run> {
    const { bed, namespace } = this;
    this.#serial += 1;
    const job = { namespace, name: `${scenario.name}-${this.#serial}` };
    const marks = this.#subjects.map(({ proxy }) => proxy.writes.length);
    const writes = (): RecordedWrite[] => this.#subjects.flatMap(({ proxy }, index) => proxy.writes.slice(marks[index] ?? 0).filter((write) => concerns(write, job))).sort((a, b) => a.at - b.at);
    const witness = new Witness(trainingJobType, job, trainingJobRules());
    using _watching = bed.chronicle.subscribe((change) => witness.see(change));
    bed.agent.program(namespace, () => undefined);
    {
      await using _disturbance = disturb?.(this, job);
      await bed.client.create(trainingJobType, jobOf(job, onOwnNodes(scenario.spec, namespace)));
      await scenario.play({ bed, job, stepSeconds });
    }
    await this.#quiet(writes);
    witness.judgeDeletes(writes());
    const object = await bed.client.get<KubeObject>(trainingJobType, job);
    const run = {
      outcome: { objects: comparable(object, await this.#leftBy(object)), counts: countsOf(writes(), [eventType]) },
      writes: writes(),
      signatures: writes().map((write) => signatureOf(object, write)),
    };
    await bed.client.delete(trainingJobType, keyOf(object), { uid: object.metadata.uid ?? '' });
    const lines = await Promise.all(this.#subjects.map(async (subject) => subject.unexpectedLines()));
    const unled = writesWithoutLease(this.#subjects.map(({ proxy }) => proxy.writes));
    return { ...run, violations: [...witness.violations, ...unled, ...lines.flat().map((line) => `The operator logged: ${line}`)] };
  }

  /** What the deleted objects leave is collected, since each child has its object as owner (I4). Fails when something stays. */
  async empty(): Promise<void> {
    const { chronicle } = this.bed;
    const left = (): string[] => [podType, serviceType, volumeClaimType].flatMap((type) => chronicle.objects(type, this.namespace)).map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    // The garbage collector looks for new kinds every 30 s.
    await chronicle.until('all is gone', () => (left().length === 0 ? true : undefined), { seconds: 120, hint: () => `Left: ${left().join(', ')}` });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const subject of this.#subjects) await subject[Symbol.asyncDispose]();
    await this.bed.plane.kubectl(['delete', 'namespace', this.namespace, '--wait=false', '--ignore-not-found']);
  }

  /** Waits until nothing has been written for a while. */
  async #quiet(writes: () => readonly RecordedWrite[]): Promise<void> {
    await eventually(() => {
      const last = writes().at(-1);
      const open = writes().some(({ code }) => code === undefined);
      const silentMs = performance.now() - (last?.at ?? 0);
      if (silentMs < quietMs || (open && silentMs < 5 * quietMs)) throw new Error(`The operator goes on writing: ${last?.method ?? ''} ${last?.path ?? ''}`);
    }, 30_000);
  }

  async #leftBy(object: KubeObject): Promise<KubeObject[]> {
    const { namespace } = this;
    const lists = await Promise.all([podType, serviceType, volumeClaimType].map(async (type) =>
      (await this.bed.client.list(type, (raw) => raw, { namespace })).items.filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === object.metadata.uid))));
    return [object, ...lists.flat()];
  }
}

function jobOf({ namespace, name }: ObjectKey, spec: object): KubeObject {
  const object = { apiVersion: 'anneal.dev/v1alpha1', kind: 'TrainingJob', metadata: { namespace, name }, spec };
  return object;
}

/** Whether a write is about the object or one of its children, all of whose names begin with the object's. */
export function concerns({ path, body }: Pick<RecordedWrite, 'path' | 'body'>, job: ObjectKey): boolean {
  const plural = resourceOf(path);
  if (plural === 'leases' || !path.includes(`/namespaces/${job.namespace}/`)) return false;
  const name = nameOf(path, body);
  return name === job.name || name.startsWith(`${job.name}-`) || name.startsWith(`${job.name}.`);
}

/** Of a create the name stands in the body. */
function nameOf(path: string, body: unknown): string {
  const inPath = path.split('/')[path.split('/').indexOf(resourceOf(path)) + 1];
  return inPath ?? (body as { readonly metadata?: { readonly name?: string } } | undefined)?.metadata?.name ?? '';
}

/** What a write is about, the same in every run of a scenario: `POST pods NAME-worker-0-1-HASH`. */
export function signatureOf(object: KubeObject, { method, path, body }: Pick<RecordedWrite, 'method' | 'path' | 'body'>): string {
  const plural = resourceOf(path);
  // The name of an event is a hash of what it says.
  const name = plural === 'events' ? '' : ` ${plain(object, nameOf(path, body))}`;
  return `${method} ${plural}${path.endsWith('/status') ? '/status' : ''}${name}`;
}
