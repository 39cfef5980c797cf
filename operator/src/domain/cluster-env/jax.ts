/** The arguments of `jax.distributed.initialize`. */
import type { Job } from '../job.ts';
import type { EnvVar } from '../pod.ts';
import { chiefOf, roleAt, type Place } from '../roles.ts';
import { addressOf, portOf, ranked, rankOf } from './places.ts';
import { unbuffered } from './pytorch.ts';

/** The second half are the names that Kubeflow's JAXJob gives to the same values. */
export function jaxEnv(job: Job, place: Place): readonly EnvVar[] {
  const chief = chiefOf(job.spec);
  const host = addressOf(job, chief);
  const port = portOf(roleAt(job.spec, chief), 'jaxjob-port');
  const places = ranked(job);
  const total = String(processes(job, places));
  const first = String(processes(job, places.slice(0, rankOf(job, place))));
  return [
    unbuffered,
    { name: 'JAX_COORDINATOR_ADDRESS', value: `${host}:${port}` },
    { name: 'JAX_NUM_PROCESSES', value: total },
    { name: 'JAX_PROCESS_ID', value: first },
    { name: 'COORDINATOR_ADDRESS', value: host },
    { name: 'COORDINATOR_PORT', value: String(port) },
    { name: 'NUM_PROCESSES', value: total },
    { name: 'PROCESS_ID', value: first },
  ];
}

/** A JAX process drives all accelerators that it sees, so only a role that says so has more than one. */
function processes(job: Job, places: readonly Place[]): number {
  return places.reduce((sum, place) => sum + (roleAt(job.spec, place)?.processesPerPod ?? 1), 0);
}
