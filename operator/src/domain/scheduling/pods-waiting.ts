/** Why pods that exist have no node or cannot start, from what the scheduler and the kubelet say of them. */
import { podCondition, type Pod } from '../pod.ts';
import type { Why } from './kueue/waiting.ts';

/** In the order of the table: what keeps a gang together is said before what one pod lacks. */
const kinds: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/pod ?group|gang|NotEnoughTasks|minAvailable|cannot find enough sibling pods/i, 'Gang'],
  [/persistentvolume|volume|storage ?class|\bPVC?\b/i, 'Volume'],
  [/resource ?claim|cannot allocate all claims|device ?class/i, 'NoDevice'],
];

/** What the scheduler adds about preemption names devices and volumes that the pod does not wait for. */
function hindrance(said: string): string {
  return said.replace(/(no new claims to deallocate|preemption:).*$/s, '');
}

/**
 * @param spotOnly  the job's own pool has spot nodes alone, so that no node means no spot capacity
 */
export function whyNoNode(pod: Pod, spotOnly: boolean): Why | undefined {
  const condition = podCondition(pod, 'PodScheduled');
  if (condition?.status !== 'False') return undefined;
  const said = condition.message ?? '';
  const name = pod.metadata.name;
  if (condition.reason === 'SchedulingGated') return { reason: 'Topology', message: `Pod ${name} waits for its place in the topology${said === '' ? '' : `: ${said}`}` };
  const reason = kinds.find(([pattern]) => pattern.test(hindrance(said)))?.[1] ?? (spotOnly ? 'SpotCapacity' : 'NoNode');
  const lead = reason === 'SpotCapacity' ? `Pod ${name} waits for spot capacity` : `Pod ${name} has no node`;
  return { reason, message: `${lead}: ${said === '' ? 'the scheduler gave no reason' : said}` };
}
