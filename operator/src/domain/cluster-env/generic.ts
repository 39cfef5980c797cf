/** For programs that wire themselves together, the built-in trainer among them. */
import { peerPort, trainerEnv } from '../../api/index.ts';
import type { Job } from '../job.ts';
import type { EnvVar } from '../pod.ts';
import { roleAt, type JobRole, type Place } from '../roles.ts';
import { hostOf, needsService } from './network.ts';

export function genericEnv(job: Job, place: Place): readonly EnvVar[] {
  const role = roleAt(job.spec, place);
  if (role === undefined) return [];
  const { replicas, minReplicas } = role;
  return [
    { name: trainerEnv.replicas, value: String(replicas) },
    ...(minReplicas === undefined ? [] : [{ name: trainerEnv.minReplicas, value: String(minReplicas) }]),
    ...(needsService(job.spec) ? [peersOf(job, role)] : []),
  ];
}

function peersOf(job: Job, role: JobRole): EnvVar {
  const hosts = Array.from({ length: role.maxReplicas ?? role.replicas }, (_, index) => hostOf(job, { role: role.name, index }));
  if (role.template === undefined) return { name: trainerEnv.peers, value: hosts.map((host) => `${host}:${peerPort}`).join(',') };
  return { name: trainerEnv.hosts, value: hosts.join(',') };
}
