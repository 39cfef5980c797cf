/** How the programs of a job's pods find each other, as each framework expects it: environment, files, keys. */
import { trainerEnv } from '../../api/index.ts';
import type { Job } from '../job.ts';
import type { EnvVar, PodSpec } from '../pod.ts';
import { frameworkOf, type Framework, type Place } from '../roles.ts';
import { genericEnv } from './generic.ts';
import { jaxEnv } from './jax.ts';
import { mpiEnv, mpiPod, mpiSecret } from './mpi.ts';
import { needsService } from './network.ts';
import { peersPod, peersSecret } from './peers.ts';
import { pytorchEnv } from './pytorch.ts';
import type { JobSecret } from './secret.ts';
import { tensorflowEnv } from './tensorflow.ts';
import { xgboostEnv } from './xgboost.ts';

type ClusterEnv = (job: Job, place: Place) => readonly EnvVar[];

const environments: Readonly<Record<Framework, ClusterEnv>> = {
  TensorFlow: tensorflowEnv,
  PyTorch: pytorchEnv,
  JAX: jaxEnv,
  MPI: mpiEnv,
  XGBoost: xgboostEnv,
  TensorFlowJS: genericEnv,
  Custom: genericEnv,
};

/** The place, and what the framework makes of it. */
export function clusterEnv(job: Job, place: Place): readonly EnvVar[] {
  return [
    { name: trainerEnv.role, value: place.role },
    { name: trainerEnv.index, value: String(place.index) },
    ...environments[frameworkOf(job.spec)](job, place),
  ];
}

/** The Secret that must be there before the job's pods; what is random in it is made when it is created. */
export function secretOf(job: Job): JobSecret | undefined {
  if (job.spec.trainer !== undefined) return needsService(job.spec) ? peersSecret(job) : undefined;
  return frameworkOf(job.spec) === 'MPI' ? mpiSecret(job) : undefined;
}

/** The pod with the files by which it reaches its peers, for the frameworks that need any. */
export function withPeers(job: Job, place: Place, pod: PodSpec): PodSpec {
  if (job.spec.trainer !== undefined) return peersPod(job, pod);
  return frameworkOf(job.spec) === 'MPI' ? mpiPod(job, place, pod) : pod;
}
