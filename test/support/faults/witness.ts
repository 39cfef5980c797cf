/**
 * Watches a run from beside the operator and notes whatever must never be seen, at any moment: the invariants I3, I4, I7 and I9 of the
 * harness (docs/testing.md) for any kind, and those that the kind itself brings.
 */
import type { Condition } from '../../../operator/src/api/index.ts';
import { compareResourceVersions, keyString, keyOf } from '../../../operator/src/kube/resource.ts';
import type { KubeObject, ObjectKey, ResourceType } from '../../../operator/src/kube/resource.ts';
import type { RecordedWrite } from '../faultproxy.ts';
import type { Change } from './chronicle.ts';

/** What must never be seen of one kind. Told of each change of the object and its children, in the order of each type. */
export interface Rules {
  /** Sentences about what is wrong. */
  see(change: Change, world: World): Iterable<string>;
}

export interface World {
  readonly object: KubeObject | undefined;
  /** All children that are there now. */
  readonly children: ReadonlyMap<string, KubeObject>;
  /** The version at which the object was first seen to have ended. */
  readonly endedAt: string | undefined;
}

interface Reported extends KubeObject {
  readonly status?: { readonly observedGeneration?: number; readonly conditions?: readonly Condition[] };
}

export class Witness {
  readonly violations: string[] = [];
  readonly #type: ResourceType;
  readonly #key: ObjectKey;
  readonly #rules: Rules;
  readonly #uids = new Set<string>();
  readonly #children = new Map<string, KubeObject>();
  #object: Reported | undefined;
  #uid: string | undefined;
  #endedAt: string | undefined;


  constructor(type: ResourceType, key: ObjectKey, rules: Rules) {
    this.#type = type;
    this.#key = key;
    this.#rules = rules;
  }

  see(change: Change): void {
    const subject = change.after ?? change.before;
    if (subject === undefined) return;
    const isObject = change.type === this.#type && keyString(keyOf(subject)) === keyString(this.#key);
    if (!isObject && !this.#isChild(subject)) return;
    if (subject.metadata.uid !== undefined) this.#uids.add(subject.metadata.uid);
    if (isObject) this.#seeObject(change);
    else this.#seeChild(change);
    const world = { object: this.#object, children: this.#children, endedAt: this.#endedAt };
    for (const violation of this.#rules.see(change, world)) this.#note(violation);
  }

  /** Deletes name the UID of something that was seen (I7). To be asked after the run: a watch may lag behind a delete. */
  judgeDeletes(writes: readonly RecordedWrite[]): void {
    for (const { method, path, body } of writes) {
      if (method !== 'DELETE') continue;
      const uid = (body as { readonly preconditions?: { readonly uid?: string } } | undefined)?.preconditions?.uid;
      if (uid === undefined) this.#note(`${path} was deleted without saying which object was meant.`);
      else if (!this.#uids.has(uid)) this.#note(`${path} was deleted with a UID that no object of the run had.`);
    }
  }

  #isChild(subject: KubeObject): boolean {
    return this.#uid !== undefined && subject.metadata.namespace === this.#key.namespace && subject.metadata.ownerReferences?.some(({ uid }) => uid === this.#uid) === true;
  }

  #seeObject({ before, after }: Change): void {
    const [was, is] = [before as Reported | undefined, after as Reported | undefined];
    this.#object = is;
    this.#uid ??= is?.metadata.uid;
    if (is === undefined) return;
    if (this.#endedAt === undefined && hasEnded(is)) this.#endedAt = is.metadata.resourceVersion;
    const { generation = 0 } = is.metadata;
    if ((is.status?.observedGeneration ?? 0) > generation) this.#note(`observedGeneration ${is.status?.observedGeneration ?? 0} is beyond the generation ${generation}.`);
    if ((is.status?.observedGeneration ?? 0) < (was?.status?.observedGeneration ?? 0)) this.#note('observedGeneration went back.');
    for (const condition of is.status?.conditions ?? []) this.#seeCondition(condition, was);
    if (hasEnded(was) && !hasEnded(is)) this.#note('What had ended began anew.');
  }

  #seeCondition({ type, status, lastTransitionTime }: Condition, before: Reported | undefined): void {
    const was = before?.status?.conditions?.find((condition) => condition.type === type);
    if (was?.status === status && was.lastTransitionTime !== lastTransitionTime) this.#note(`lastTransitionTime of ${type} moved while its status stayed ${status}.`);
  }

  #seeChild({ type, before, after }: Change): void {
    const name = `${type.kind} ${(after ?? before)?.metadata.name ?? ''}`;
    if (after === undefined) {
      this.#children.delete(name);
      return;
    }
    this.#children.set(name, after);
    const owners = after.metadata.ownerReferences?.filter(({ controller }) => controller === true) ?? [];
    if (owners.length !== 1 || owners[0]?.uid !== this.#uid) this.#note(`${name} has ${owners.length} controlling owners.`);
    const created = before === undefined ? after.metadata.resourceVersion : undefined;
    if (type.kind === 'Pod' && created !== undefined && this.#endedAt !== undefined && compareResourceVersions(created, this.#endedAt) > 0 && after.metadata.deletionTimestamp === undefined) {
      this.#note(`${name} was made after the end.`);
    }
  }

  #note(violation: string): void {
    if (!this.violations.includes(violation)) this.violations.push(violation);
  }
}

function hasEnded(object: Reported | undefined): boolean {
  return object?.status?.conditions?.some(({ type, status }) => (type === 'Succeeded' || type === 'Failed') && status === 'True') ?? false;
}
