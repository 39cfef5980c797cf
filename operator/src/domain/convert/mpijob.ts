/** MPIJob, of kubeflow.org/v1 (the training operator) and of kubeflow.org/v2beta1 (the MPI operator). */
import { draftJob, type DraftJob, type DraftRole, type DraftSpec } from './draft.ts';
import { readIdentity } from './metadata.ts';
import type { Reader } from './reader.ts';
import { readReplicaSpecs, type ReplicaForm, type ReplicaSpec } from './replica-specs.ts';
import { failurePolicyOf, readBackoffLimit } from './restarts.ts';
import { joinScheduling, readRunPolicy, readSuspend } from './run-policy.ts';

export type MpiVersion = 'v1' | 'v2beta1';

const form: ReplicaForm = {
  kind: 'MPIJob',
  field: 'mpiReplicaSpecs',
  roles: [
    { type: 'Launcher', name: 'launcher', single: true },
    { type: 'Worker', name: 'worker', defaultReplicas: 0 },
  ],
  trainers: [],
  restartPolicy: 'Never',
};

/** The launcher of v2beta1 is a Job, whose default this is. */
const launcherRetries = 6;
const implementations = { OpenMPI: 'OpenMPI', Intel: 'IntelMPI', MPICH: 'MPICH' } as const;

export function convertMpiJob(document: Reader, version: MpiVersion): DraftJob {
  document.ignore('apiVersion', 'kind', 'status');
  const identity = readIdentity(document);
  const spec = document.need('spec', '{mpiReplicaSpecs: {Launcher: …, Worker: …}}');
  const mainContainer = version === 'v1' ? spec.text('mainContainer') : undefined;
  const replicas = readReplicaSpecs(spec, { ...form, trainers: mainContainer === undefined ? [] : [mainContainer] }, identity.name);
  if (!replicas.some(({ role }) => role.name === 'launcher')) spec.need('mpiReplicaSpecs', '…').fail('has no Launcher, which calls mpirun.');
  const policy = spec.at('runPolicy');
  const run = readRunPolicy(policy, replicas.reduce((sum, role) => sum + role.replicas, 0), version === 'v1' ? spec : undefined);
  const scheduling = joinScheduling(identity.scheduling, run.scheduling, policy?.at('schedulingPolicy'));
  return draftJob(identity.metadata, {
    ...wiringOf(spec, replicas, version),
    ...(version === 'v1' ? failuresOfV1(replicas, run.backoffLimit) : failuresOfV2(replicas, run.backoffLimit)),
    ...run.spec,
    ...scheduling,
    ...readSuspend(policy, scheduling.scheduling ?? {}),
  });
}

function wiringOf(spec: Reader, replicas: readonly ReplicaSpec[], version: MpiVersion): DraftSpec {
  const slots = spec.whole('slotsPerWorker', { min: 1, max: 256 }) ?? 1;
  const launcherAsWorker = version === 'v2beta1' && spec.flag('runLauncherAsWorker') === true;
  const mpi = version === 'v1' ? remarkSsh(spec) : readMpi(spec, launcherAsWorker);
  const takesProcesses = (role: DraftRole): boolean => role.name === 'worker' || launcherAsWorker;
  const roles = replicas.map(({ role }) => (takesProcesses(role) ? { ...role, processesPerPod: slots } : role));
  if (roles.length > 1) return { framework: 'MPI', mpi, roles };
  spec.remark('There are no workers, so this is a program in one pod, and neither hostfile nor keys are made.', 'Give the Worker replicas for an MPI job.', 'mpiReplicaSpecs');
  const unused = ['slotsPerWorker', 'mpiImplementation', 'sshAuthMountPath', 'runLauncherAsWorker'];
  for (const field of unused) spec.loseField(field, 'A job without workers has no hostfile and no keys.', 'Leave it out.');
  return { framework: 'Custom', roles };
}

function readMpi(spec: Reader, launcherAsWorker: boolean): NonNullable<DraftSpec['mpi']> {
  const implementation = spec.choice('mpiImplementation', ['OpenMPI', 'Intel', 'MPICH']);
  const sshAuthMountPath = spec.text('sshAuthMountPath');
  if (sshAuthMountPath !== undefined && !sshAuthMountPath.startsWith('/')) spec.at('sshAuthMountPath')?.fail('must be an absolute path, for example /root/.ssh.');
  // Anneal's launcher always waits for its workers, which is more than AtStartup asks for and all that the other does.
  spec.choice('launcherCreationPolicy', ['AtStartup', 'WaitForWorkersReady']);
  if (spec.at('launcherCreationPolicy') !== undefined) {
    spec.remark('The launcher\'s pod begins with the others and waits until all workers let it in over SSH.', 'Nothing is to be done.', 'launcherCreationPolicy');
  }
  return {
    ...(implementation === undefined ? {} : { implementation: implementations[implementation] }),
    ...(sshAuthMountPath === undefined ? {} : { sshAuthMountPath }),
    ...(launcherAsWorker ? { launcherAsWorker: 'Enabled' as const } : {}),
  };
}

function remarkSsh(spec: Reader): NonNullable<DraftSpec['mpi']> {
  spec.remark(
    'MPIJob v1 started the workers\' processes by kubectl exec; Anneal does it over SSH.',
    'Use an image with ssh in the launcher and sshd in the workers, and leave the workers\' command out.',
    'mpiReplicaSpecs',
  );
  return { implementation: 'OpenMPI' };
}

const remarkOfV1 = 'The old operator hardly counted it. Here it is the budget for the program\'s own failures, of the whole job.';

function failuresOfV1(replicas: readonly ReplicaSpec[], backoffLimit: Reader | undefined): Pick<DraftSpec, 'failurePolicy'> {
  return failurePolicyOf(replicas.map(({ restart }) => restart), backoffLimit, remarkOfV1);
}

/** The launcher is retried as a Job, whatever its restart policy; a failed worker fails mpirun. */
function failuresOfV2(replicas: readonly ReplicaSpec[], backoffLimit: Reader | undefined): Pick<DraftSpec, 'failurePolicy'> {
  for (const { restart } of replicas) {
    restart.source?.remark('A failure of the launcher or of a worker makes the pods of both anew, from one budget.', 'Set spec.failurePolicy.budgets.applicationError.');
  }
  const limit = readBackoffLimit(backoffLimit, 'It was for the launcher; now it is for all pods together.');
  return { failurePolicy: { budgets: { applicationError: limit ?? launcherRetries } } };
}
