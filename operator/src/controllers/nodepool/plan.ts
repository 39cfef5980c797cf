/** What to do for one node pool. Pure: it exists while it has a user, and goes with the last. */
import { karpenterNodePool } from '../../domain/node-pool.ts';
import { at, done, type Action, type Plan } from '../../runtime/index.ts';
import { emit, seenOf } from '../shared/objects.ts';
import { nodePoolType } from '../shared/resources.ts';
import type { Observed } from './observe.ts';

/** How often to look whether Karpenter was installed; a look at the cache, no request. */
const installedCheckMs = 10_000;

/**
 * @param seesAllUsers  false for an operator that watches one namespace: it cannot know who else needs a pool, so it deletes none
 */
export function planPool({ installed, pool, users }: Observed, seesAllUsers: boolean, nowMs: number): Plan {
  // Without Karpenter there is nothing to make; each user's own NodePoolReady condition says so. A pool that does not exist
  // is in no store, so its key comes back by itself.
  if (!installed) return { actions: [], next: users.length === 0 ? done : at(nowMs + installedCheckMs) };
  if (pool?.metadata.deletionTimestamp !== undefined) return { actions: [], next: done };
  // Users of one name ask for the same pool, since the name is a digest of what they ask for.
  const wanted = users[0] && karpenterNodePool(users[0].spec);
  if (wanted !== undefined) return { actions: [{ kind: 'Apply', type: nodePoolType, object: wanted }], next: done };
  return { actions: pool === undefined || !seesAllUsers ? [] : [{ kind: 'Delete', target: seenOf(nodePoolType, pool) }], next: done };
}

/** Most characters of an event's note in events.k8s.io/v1. */
const longestNote = 1024;

/** A pool has nobody to report to; those who wait for it hear why there is none. */
export function tellUsers({ name, users }: Observed, error: Error): Action[] {
  const note = `NodePool ${name} could not be made: ${error.message}`.slice(0, longestNote);
  return users.map(({ type, object }) => emit(seenOf(type, object), 'Warning', 'NodePoolRefused', 'MakeNodePool', note));
}
