/** The Karpenter pool that an object asks for, as its own controller sees it: only to wait for it and to tell of it. */
import type { Conclusion, NodePool } from '../../api/index.ts';
import { poolNameOf } from '../../domain/node-pool.ts';
import type { ReadStore } from '../../runtime/index.ts';
import type { NodePoolObject } from './watched.ts';

export interface SeenPool {
  readonly name: string;
  /** False where the cluster has no Karpenter. */
  readonly installed: boolean;
  readonly object: NodePoolObject | undefined;
}

/** Undefined where the spec asks for no pool of ours. */
export function observePool(spec: NodePool | undefined, pools: ReadStore<NodePoolObject>): SeenPool | undefined {
  const name = poolNameOf(spec);
  return name === undefined ? undefined : { name, installed: pools.installed, object: pools.get({ namespace: '', name }) };
}

export const karpenterMissing = {
  reason: 'KarpenterNotInstalled',
  message: 'The cluster has no karpenter.sh/v1 NodePool. Install Karpenter, or set nodePool.provider to Existing with the labels of nodes that are there.',
} as const;

/** The condition NodePoolReady; none where the spec asks for no pool of ours. */
export function poolConclusions(pool: SeenPool | undefined): Conclusion[] {
  if (pool === undefined) return [];
  const conclude = (status: Conclusion['status'], reason: string, message: string): Conclusion[] => [{ type: 'NodePoolReady', status, reason, message }];
  if (!pool.installed) return conclude('False', karpenterMissing.reason, karpenterMissing.message);
  const ready = pool.object?.status?.conditions?.find((condition) => condition.type === 'Ready');
  if (ready === undefined) return conclude('Unknown', 'NoWordFromKarpenter', `NodePool ${pool.name} has no Ready condition yet.`);
  const status = ready.status === 'True' ? 'True' : 'False';
  return conclude(status, ready.reason === undefined || ready.reason === '' ? 'Ready' : ready.reason, `NodePool ${pool.name}: ${ready.message ?? ready.status}`);
}
