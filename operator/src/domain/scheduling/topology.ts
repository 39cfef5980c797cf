/** Pods close to each other where no manager places them: affinity to the pods of the same job. */
import { labels } from '../../api/index.ts';
import type { Scheduling } from './manager.ts';
import type { PodAdditions } from './pod-additions.ts';

/** A pod matches the term itself, so the first of a job is not held up by it. */
export function closeTogether(topology: Scheduling['topology'], jobName: string): PodAdditions {
  if (topology === undefined) return {};
  const term = { labelSelector: { matchLabels: { [labels.trainingJob]: jobName } }, topologyKey: topology.key };
  return { podAffinity: topology.mode === 'Required' ? { required: [term], preferred: [] } : { required: [], preferred: [term] } };
}
