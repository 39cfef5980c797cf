/** Does what a plan says: action after action, each safe to repeat, up to the first that fails. */
import type { Client } from '../kube/client.ts';
import { asError, isAlreadyExists, isConflict, isNotFound } from '../kube/errors.ts';
import { controllerOf, keyOf, keyString } from '../kube/resource.ts';
import type { KubeObject, ObjectKey, ResourceType } from '../kube/resource.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { EventRecorder } from './events.ts';
import type { Expectations } from './expectations.ts';
import { hashJson } from './json.ts';
import type { Action, Outcome, SecretObject, SecretRecipe, Seen } from './plan.ts';
import type { MakeSecretMaterial } from './secret-material.ts';
import type { Store } from './store.ts';

/** On what we apply: the hash of all of it, so that an unchanged one costs no request. */
export const appliedHash = 'anneal.dev/applied-hash';

export interface Execution {
  readonly controller: string;
  /** Whose plan it is. */
  readonly owner: ObjectKey;
  readonly client: Client;
  /** How long one write may take. */
  readonly timeoutMs: number;
  /** The cache of a type, if it is watched. */
  readonly storeOf: (type: ResourceType) => Store | undefined;
  readonly expectations: Expectations;
  readonly secretMaterial: MakeSecretMaterial;
  readonly events: EventRecorder;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** How an action went: `skipped` made no request, `repeated` found that it had been done before. */
type Result = 'written' | 'skipped' | 'repeated';

/** The object exists, and someone else answers for it: what we planned cannot be had under that name. */
export class NotOursError extends Error {
  override readonly name = 'NotOursError';
  readonly code = 'CHILD_NOT_OURS';
}

export async function execute(actions: readonly Action[], execution: Execution): Promise<Outcome> {
  let writes = 0;
  for (const action of actions) {
    const labels = { controller: execution.controller, kind: action.kind };
    try {
      const result = await perform(action, execution);
      execution.metrics.writes.inc({ ...labels, result });
      if (result === 'written' && action.kind !== 'Emit') writes += 1;
    } catch (thrown) {
      const error = asError(thrown);
      execution.metrics.writes.inc({ ...labels, result: 'failed' });
      execution.log.warn('Action failed', { action: describe(action), error: error.message });
      return { kind: 'failed', action, error };
    }
  }
  return { kind: 'done', writes };
}

function perform(action: Action, execution: Execution): Result | Promise<Result> {
  switch (action.kind) {
    case 'Create':
      return create(action.type, action.object, execution);
    case 'CreateSecret':
      return createSecret(action.type, action.object, action.generate, execution);
    case 'Apply':
      return apply(action.type, action.object, execution);
    case 'Patch':
      return patch(action, execution);
    case 'Delete':
      return remove(action.target, execution, (key) => {
        const { target, gracePeriodSeconds, propagation } = action;
        return execution.client.delete(target.type, key, { uid: target.uid, gracePeriodSeconds, propagation, timeoutMs: execution.timeoutMs });
      });
    case 'Evict':
      return remove(action.target, execution, (key) => {
        const { target, gracePeriodSeconds } = action;
        return execution.client.evict(target.type, key, { uid: target.uid, gracePeriodSeconds, timeoutMs: execution.timeoutMs });
      });
    case 'AddFinalizer':
      return editFinalizers(action.target, execution, (held) => (held.includes(action.finalizer) ? held : [...held, action.finalizer]));
    case 'RemoveFinalizer':
      return editFinalizers(action.target, execution, (held) => (held.includes(action.finalizer) ? held.filter((other) => other !== action.finalizer) : held));
    case 'Emit':
      execution.events.emit(action.about, action.event);
      return 'written';
  }
}

async function create(type: ResourceType, object: KubeObject, execution: Execution): Promise<Result> {
  try {
    expectVersion(type, await execution.client.create<KubeObject>(type, object, { timeoutMs: execution.timeoutMs }), execution);
    return 'written';
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    await acceptIfOurs(type, object, execution);
    return 'repeated';
  }
}

async function createSecret(type: ResourceType, object: SecretObject, recipe: SecretRecipe, execution: Execution): Promise<Result> {
  const stringData = { ...object.stringData, ...(await execution.secretMaterial(recipe)) };
  try {
    await execution.client.create<KubeObject>(type, { ...object, stringData } as SecretObject, { timeoutMs: execution.timeoutMs });
    return 'written';
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    return 'repeated';
  }
}

/** A 409 on a create is our own earlier create if, and only if, the object that exists is controlled by the same owner. */
async function acceptIfOurs(type: ResourceType, wanted: KubeObject, execution: Execution): Promise<void> {
  const existing = await execution.client.get<KubeObject>(type, keyOf(wanted));
  const [ours, theirs] = [controllerOf(wanted)?.uid, controllerOf(existing)?.uid];
  if (ours === undefined || ours !== theirs) {
    const held = theirs === undefined ? 'is controlled by nobody' : 'is controlled by another object';
    throw new NotOursError(`${type.kind} ${keyString(keyOf(wanted))} exists and ${held}. Delete it, or give this object another name.`);
  }
  if (existing.metadata.deletionTimestamp !== undefined) {
    throw new NotOursError(`${type.kind} ${keyString(keyOf(wanted))} is still being deleted; its successor is created once it is gone.`);
  }
  expectVersion(type, existing, execution);
}

async function apply(type: ResourceType, object: KubeObject, execution: Execution): Promise<Result> {
  const hash = hashJson(object);
  const cached = execution.storeOf(type)?.get(keyOf(object));
  if (cached?.metadata.annotations?.[appliedHash] === hash && sameController(cached, object)) return 'skipped';
  const annotations = { ...object.metadata.annotations, [appliedHash]: hash };
  const written = await execution.client.apply<KubeObject>(type, { ...object, metadata: { ...object.metadata, annotations } }, { timeoutMs: execution.timeoutMs });
  expectVersion(type, written, execution);
  return 'written';
}

function sameController(cached: KubeObject, wanted: KubeObject): boolean {
  return controllerOf(cached)?.uid === controllerOf(wanted)?.uid;
}

async function patch({ target, resourceVersion, subresource, patch: changes }: Extract<Action, { readonly kind: 'Patch' }>, execution: Execution): Promise<Result> {
  const body = { ...changes, metadata: { ...('metadata' in changes ? (changes.metadata as object) : {}), uid: target.uid, resourceVersion } };
  try {
    const options = { timeoutMs: execution.timeoutMs, ...(subresource === undefined ? {} : { subresource }) };
    expectVersion(target.type, await execution.client.merge<KubeObject>(target.type, keyOfSeen(target), body, options), execution);
    return 'written';
  } catch (error) {
    // Its change, or its end, wakes the key.
    if (!isConflict(error) && !isNotFound(error)) throw error;
    return 'repeated';
  }
}

async function remove(target: Seen, execution: Execution, request: (key: ObjectKey) => Promise<void>): Promise<Result> {
  const key = keyOfSeen(target);
  try {
    await request(key);
    expectGone(target, key, execution);
    return 'written';
  } catch (error) {
    // Gone, or its name belongs to a successor by now: what we saw is deleted, as planned.
    if (!isNotFound(error) && !isPreconditionFailure(error)) throw error;
    expectGone(target, key, execution);
    return 'repeated';
  }
}

/** The only conflict that a delete with nothing but a UID precondition can meet. */
function isPreconditionFailure(error: unknown): boolean {
  return isConflict(error) && error.message.includes('UID');
}

/**
 * A merge patch replaces the whole list, so it is tied to the version that was read: a finalizer that another controller
 * adds meanwhile makes it fail and be planned again.
 */
async function editFinalizers(target: Seen, execution: Execution, edit: (held: readonly string[]) => readonly string[]): Promise<Result> {
  const key = keyOfSeen(target);
  const cached = execution.storeOf(target.type)?.get(key);
  const current = cached?.metadata.uid === target.uid ? cached : await execution.client.get<KubeObject>(target.type, key);
  const held = current.metadata.finalizers ?? [];
  const finalizers = edit(held);
  if (finalizers === held) return 'skipped';
  const { uid, resourceVersion } = current.metadata;
  if (uid !== target.uid) return 'repeated';
  try {
    const patched = await execution.client.merge<KubeObject>(target.type, key, { metadata: { uid, resourceVersion, finalizers } }, { timeoutMs: execution.timeoutMs });
    // Without its last finalizer a deleting object goes at once.
    if (patched.metadata.deletionTimestamp !== undefined && finalizers.length === 0) expectGone(target, key, execution);
    else expectVersion(target.type, patched, execution);
    return 'written';
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return 'repeated';
  }
}

function expectVersion(type: ResourceType, written: KubeObject, execution: Execution): void {
  const store = execution.storeOf(type);
  const { resourceVersion } = written.metadata;
  if (store === undefined || resourceVersion === undefined) return;
  execution.expectations.expect(execution.owner, { kind: 'version', store, key: keyOf(written), resourceVersion });
}

function expectGone(target: Seen, key: ObjectKey, execution: Execution): void {
  const store = execution.storeOf(target.type);
  if (store !== undefined) execution.expectations.expect(execution.owner, { kind: 'gone', store, key, uid: target.uid });
}

function keyOfSeen(seen: Seen): ObjectKey {
  return { namespace: seen.namespace ?? '', name: seen.name };
}

/** `Create Pod team-a/digits-0`, for logs. */
function describe(action: Action): string {
  switch (action.kind) {
    case 'Create':
    case 'CreateSecret':
    case 'Apply':
      return `${action.kind} ${action.type.kind} ${keyString(keyOf(action.object))}`;
    case 'Emit':
      return `Emit ${action.event.reason}`;
    default:
      return `${action.kind} ${action.target.type.kind} ${keyString(keyOfSeen(action.target))}`;
  }
}
