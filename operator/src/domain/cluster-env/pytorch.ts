/** What torchrun reads (its options as PET_ variables), and what `init_process_group` with `env://` does where a program starts without it. */
import { processesPerPod } from '../accelerators.ts';
import type { Job } from '../job.ts';
import type { EnvVar } from '../pod.ts';
import { chiefOf, isElastic, placesOf, roleAt, type JobRole, type Place } from '../roles.ts';
import { addressOf, portOf, rankOf, totalProcesses } from './places.ts';

/** Lines appear in the log when they are written; Python takes any text for yes. */
export const unbuffered: EnvVar = { name: 'PYTHONUNBUFFERED', value: '1' };

export function pytorchEnv(job: Job, place: Place): readonly EnvVar[] {
  const role = roleAt(job.spec, place);
  if (role === undefined) return [];
  const { maxRestarts } = job.spec.pytorch ?? {};
  return [
    unbuffered,
    ...(isElastic(role) ? elasticEnv(job, role, place) : staticEnv(job, place)),
    { name: 'PET_NPROC_PER_NODE', value: String(processesPerPod(job.spec, role)) },
    ...(maxRestarts === undefined ? [] : [{ name: 'PET_MAX_RESTARTS', value: String(maxRestarts) }]),
  ];
}

function staticEnv(job: Job, place: Place): readonly EnvVar[] {
  const { host, port } = store(job);
  const rank = String(rankOf(job, place));
  return [
    { name: 'MASTER_ADDR', value: host },
    { name: 'MASTER_PORT', value: port },
    { name: 'WORLD_SIZE', value: String(totalProcesses(job)) },
    { name: 'RANK', value: rank },
    { name: 'PET_MASTER_ADDR', value: host },
    { name: 'PET_MASTER_PORT', value: port },
    { name: 'PET_NNODES', value: String(placesOf(job.spec).length) },
    { name: 'PET_NODE_RANK', value: rank },
  ];
}

/** Ranks and the size of the world are what the rendezvous decides, so none are set. */
function elasticEnv(job: Job, role: JobRole, place: Place): readonly EnvVar[] {
  const { host, port } = store(job);
  return [
    { name: 'PET_NNODES', value: `${role.minReplicas ?? role.replicas}:${role.maxReplicas ?? role.replicas}` },
    { name: 'PET_RDZV_BACKEND', value: 'c10d' },
    { name: 'PET_RDZV_ENDPOINT', value: `${host}:${port}` },
    { name: 'PET_RDZV_ID', value: job.uid },
    { name: 'PET_RDZV_CONF', value: rendezvousConfig(job, place) },
  ];
}

/**
 * Left to itself, torchrun decides by comparing host names whether it keeps the store, and a pod's own name is shorter than the
 * one by which others reach it: then nobody would keep it.
 */
function rendezvousConfig(job: Job, place: Place): string {
  const theirs = job.spec.pytorch?.rendezvousConfig ?? [];
  const chief = chiefOf(job.spec);
  const isHost = place.role === chief.role && place.index === chief.index;
  const ours = theirs.some(({ key }) => key === 'is_host') ? [] : [{ key: 'is_host', value: String(isHost) }];
  return [...ours, ...theirs].map(({ key, value }) => `${key}=${value}`).join(',');
}

function store(job: Job): { readonly host: string; readonly port: string } {
  const chief = chiefOf(job.spec);
  return { host: addressOf(job, chief), port: String(portOf(roleAt(job.spec, chief), 'pytorchjob-port')) };
}
