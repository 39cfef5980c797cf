/**
 * What `xgboost.collective.init` reads (DMLC_), the program of rank 0 first starting a `RabitTracker` at that port for that many
 * workers; and the names of Kubeflow's XGBoostJob, which LightGBM programs use too.
 */
import type { Job } from '../job.ts';
import type { EnvVar } from '../pod.ts';
import { chiefOf, placesOf, roleAt, type Place } from '../roles.ts';
import { addressOf, firstProcessOf, portOf, ranked, rankOf, totalProcesses } from './places.ts';
import { unbuffered } from './pytorch.ts';

export function xgboostEnv(job: Job, place: Place): readonly EnvVar[] {
  const chief = chiefOf(job.spec);
  const host = addressOf(job, chief);
  const port = String(portOf(roleAt(job.spec, chief), 'xgboostjob-port'));
  return [
    unbuffered,
    { name: 'DMLC_TRACKER_URI', value: host },
    { name: 'DMLC_TRACKER_PORT', value: port },
    { name: 'DMLC_TASK_ID', value: String(firstProcessOf(job, place)) },
    { name: 'DMLC_NUM_WORKER', value: String(totalProcesses(job)) },
    { name: 'MASTER_ADDR', value: host },
    { name: 'MASTER_PORT', value: port },
    { name: 'WORLD_SIZE', value: String(placesOf(job.spec).length) },
    { name: 'RANK', value: String(rankOf(job, place)) },
    ...workersEnv(job),
  ];
}

/** Everyone but rank 0, whichever role they are of. */
function workersEnv(job: Job): readonly EnvVar[] {
  const [, ...workers] = ranked(job);
  const [first] = workers;
  if (first === undefined) return [];
  return [
    { name: 'WORKER_PORT', value: String(portOf(roleAt(job.spec, first), 'xgboostjob-port')) },
    { name: 'WORKER_ADDRS', value: workers.map((worker) => addressOf(job, worker)).join(',') },
  ];
}
