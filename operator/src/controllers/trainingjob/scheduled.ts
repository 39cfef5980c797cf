/** The condition Scheduled: in words, why a job's pods have no node or cannot begin there. */
import type { Conclusion } from '../../api/index.ts';
import { isPullingBadly } from '../../domain/failures.ts';
import { whyNoNode, type Why } from '../../domain/scheduling/index.ts';
import type { Assessment } from './assess.ts';
import type { Observed } from './observe.ts';
import { podsOf } from './places.ts';

/** @param running  the condition of that name, which has the kubelet's words */
export function scheduled(seen: Observed, assessment: Assessment, running: Conclusion): Conclusion {
  const { stage, places, admission } = assessment;
  const conclude = (status: Conclusion['status'], reason: string, message: string): Conclusion => ({ type: 'Scheduled', status, reason, message });
  if (stage.kind === 'Waiting') return conclude('False', stage.reason, stage.message);
  if (stage.kind === 'Succeeded') return conclude('True', 'Scheduled', 'All pods had a node.');
  if (stage.kind === 'Suspended' && !seen.job.spec.suspend) return conclude('False', stage.reason, stage.message);
  if (stage.kind !== 'Active') return conclude('False', stage.kind, 'The job has no pods now.');
  const why = whyPodsWait(seen, assessment, running);
  if (why !== undefined) return conclude('False', why.reason, why.message);
  const placed = places.filter(({ pod, succeeded }) => succeeded || pod?.spec.nodeName !== undefined).length;
  if (placed === places.length) return conclude('True', 'Scheduled', 'All pods have a node.');
  const admitted = admission.kind === 'Open' ? admission.roles : undefined;
  const room = [...(admitted?.values() ?? [])].reduce((all, { count }) => all + count, 0);
  return admitted !== undefined && placed >= room
    ? conclude('False', 'Quota', `${placed} of ${places.length} pods have a node; the queue gave quota for ${room}.`)
    : conclude('False', 'Scheduling', `${placed} of ${places.length} pods have a node.`);
}

function whyPodsWait(seen: Observed, assessment: Assessment, running: Conclusion): Why | undefined {
  const { nodePool } = seen.job.spec;
  const spotOnly = nodePool?.provider === 'Karpenter' && nodePool.capacity.every((capacity) => capacity === 'Spot');
  const current = podsOf(assessment);
  const [unplaced] = current.flatMap((pod) => whyNoNode(pod, spotOnly) ?? []);
  if (unplaced !== undefined) return unplaced;
  if (running.status === 'True') return undefined;
  if (current.some(isPullingBadly)) return { reason: 'ImagePull', message: running.message };
  return current.some(({ metadata: { name } }) => seen.mountFailures.has(name)) ? { reason: 'Volume', message: running.message } : undefined;
}
