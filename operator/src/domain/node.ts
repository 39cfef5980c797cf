/** What a node says of itself, as far as it concerns the pods on it. */
import { parseTime, type ObjectMeta } from '../api/index.ts';
import { noticeOf, isSpot, type Notice, type NodeSigns } from './notices.ts';

/** A node as the cache keeps it. */
export interface Node extends NodeSigns {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

/** Since when the node has not been ready, in epoch milliseconds; undefined while it is. */
export function unreadySinceMs(node: Node): number | undefined {
  const ready = node.conditions.find(({ type }) => type === 'Ready');
  if (ready === undefined || ready.status === 'True') return undefined;
  return ready.lastTransitionTime === undefined ? undefined : parseTime(ready.lastTransitionTime);
}

/** How a loss of the node counts: a spot node that had notice of its end was reclaimed. */
export function lossOf(node: Node | undefined): { readonly cause: 'SpotReclaim' | 'NodeLost'; readonly notice: Notice | undefined } {
  const notice = node === undefined ? undefined : noticeOf(node);
  return { cause: node !== undefined && isSpot(node) && notice?.kind === 'Reclaim' ? 'SpotReclaim' : 'NodeLost', notice };
}
