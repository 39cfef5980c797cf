/**
 * mpirun in the launcher starts the workers' processes over SSH: a hostfile, a key pair that all pods of the job share, and the
 * variables by which each MPI takes both without options, as Kubeflow's MPI operator names them.
 */
import { childName } from '../../api/index.ts';
import { acceleratorOf, processesPerPod } from '../accelerators.ts';
import type { Job } from '../job.ts';
import type { Container, EnvVar, PodSpec, VolumeMount } from '../pod.ts';
import { roleAt, rolesOf, type JobRole, type Place } from '../roles.ts';
import { hostOf } from './network.ts';
import type { JobSecret } from './secret.ts';

type MpiSettings = NonNullable<Job['spec']['mpi']>;
type Implementation = NonNullable<MpiSettings['implementation']>;

const defaults: MpiSettings = { implementation: 'OpenMPI', sshAuthMountPath: '/root/.ssh', launcherAsWorker: 'Disabled' };
const hostfileFolder = '/etc/mpi';
const hostfilePath = `${hostfileFolder}/hostfile`;

/** Host keys are made anew with each pod, so there is none to know; who may log in is decided by the job's own key. */
const sshOptions = '-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR';
const sshArguments = `-o ConnectionAttempts=10 ${sshOptions}`;

const launcherEnv: Readonly<Record<Implementation, (slots: string) => readonly EnvVar[]>> = {
  // PRTE_ is how Open MPI 5 names what OMPI_MCA_orte_ and OMPI_MCA_plm_rsh_ were up to version 4.
  OpenMPI: (slots) => [
    { name: 'OMPI_MCA_orte_default_hostfile', value: hostfilePath },
    { name: 'OMPI_MCA_orte_keep_fqdn_hostnames', value: 'true' },
    { name: 'OMPI_MCA_orte_set_default_slots', value: slots },
    { name: 'OMPI_MCA_plm_rsh_args', value: sshArguments },
    { name: 'PRTE_MCA_prte_default_hostfile', value: hostfilePath },
    { name: 'PRTE_MCA_prte_keep_fqdn_hostnames', value: 'true' },
    { name: 'PRTE_MCA_plm_ssh_args', value: sshArguments },
  ],
  IntelMPI: (slots) => [
    { name: 'I_MPI_HYDRA_HOST_FILE', value: hostfilePath },
    { name: 'I_MPI_HYDRA_BOOTSTRAP_EXEC_EXTRA_ARGS', value: sshArguments },
    { name: 'I_MPI_PERHOST', value: slots },
  ],
  MPICH: () => [
    { name: 'HYDRA_HOST_FILE', value: hostfilePath },
    { name: 'HYDRA_LAUNCH_EXTRA_ARGS', value: sshArguments },
  ],
};

export function mpiEnv(job: Job, place: Place): readonly EnvVar[] {
  const role = roleAt(job.spec, place);
  const workers = rolesOf(job.spec).find(({ name }) => name === 'worker');
  const ownRole: EnvVar = { name: 'K_MPI_JOB_ROLE', value: place.role };
  if (role === undefined || workers === undefined || place.role !== 'launcher') return [ownRole];
  const { implementation, launcherAsWorker } = settingsOf(job);
  const idle = launcherAsWorker === 'Disabled' && acceleratorOf(job.spec, role) === undefined;
  return [
    ownRole,
    ...launcherEnv[implementation](String(processesPerPod(job.spec, workers))),
    // Images for GPUs ask the container runtime for all of them, and the launcher uses none.
    ...(idle ? [{ name: 'NVIDIA_VISIBLE_DEVICES', value: '' }, { name: 'NVIDIA_DRIVER_CAPABILITIES', value: '' }] : []),
  ];
}

/** Each host with how many processes it takes; Hydra, of Intel MPI and MPICH, separates the two by a colon. */
export function hostfile(job: Job): string {
  const { implementation } = settingsOf(job);
  const separator = implementation === 'OpenMPI' ? ' slots=' : ':';
  const hosts = rolesOf(job.spec).filter((role) => takesProcesses(job, role));
  const first = hosts.filter(({ name }) => name === 'launcher');
  const lines = [...first, ...hosts.filter(({ name }) => name !== 'launcher')].flatMap((role) =>
    Array.from({ length: role.replicas }, (_, index) => `${hostOf(job, { role: role.name, index })}${separator}${processesPerPod(job.spec, role)}\n`));
  return lines.join('');
}

function takesProcesses(job: Job, { name }: JobRole): boolean {
  return name === 'worker' || settingsOf(job).launcherAsWorker === 'Enabled';
}

export function mpiSecret(job: Job): JobSecret {
  return { name: childName(job, 'mpi'), type: 'kubernetes.io/ssh-auth', generate: { kind: 'SshKeyPair' }, files: { hostfile: hostfile(job) } };
}

/** The keys for everyone; for the launcher also the hostfile, and a wait until all workers let it in. */
export function mpiPod(job: Job, place: Place, pod: PodSpec): PodSpec {
  const [main, ...others] = pod.containers;
  if (main === undefined) return pod;
  const isLauncher = place.role === 'launcher';
  const { name } = mpiSecret(job);
  const mounts = [sshMount(job), ...(isLauncher ? [{ name: 'anneal-hostfile', mountPath: hostfileFolder, readOnly: true }] : [])];
  const mounted = { ...main, volumeMounts: [...(main.volumeMounts ?? []), ...mounts] };
  return {
    ...pod,
    containers: [isLauncher ? mounted : answering(mounted), ...others],
    volumes: [...(pod.volumes ?? []), sshVolume(job, name), ...(isLauncher ? [hostfileVolume(name)] : [])],
    ...(isLauncher ? { initContainers: [...(pod.initContainers ?? []), workersAnswer(job, mounted)] } : {}),
  };
}

/**
 * Secret volumes are folders that everyone may write to, which sshd takes for unsafe unless told otherwise; and it will not begin without a
 * folder that only a boot makes.
 */
function answering(worker: Container): Container {
  if (worker.command !== undefined || worker.args !== undefined) return worker;
  return { ...worker, command: ['/bin/sh', '-c', 'mkdir -p /run/sshd && exec /usr/sbin/sshd -De -o StrictModes=no'] };
}

/** Neither mpirun nor ssh waits for a host name that is not there yet; without this the first start would fail while images are pulled. */
function workersAnswer(job: Job, launcher: Container): Container {
  // The launcher itself, where it takes processes too, is the first line.
  const from = settingsOf(job).launcherAsWorker === 'Enabled' ? 2 : 1;
  const script = [
    // The first process of a container has no SIGTERM unless it asks for it.
    "trap 'exit 143' TERM",
    'command -v ssh >/dev/null || { echo "The launcher\'s image has no ssh, by which mpirun starts the workers. Add the package openssh-client." >&2; exit 127; }',
    `for host in $(tail -n +${from} ${hostfilePath} | sed 's/[: ].*//'); do`,
    `  until ssh ${sshOptions} -o BatchMode=yes -o ConnectTimeout=5 "$host" true; do sleep 1; done`,
    'done',
  ].join('\n');
  const { image, volumeMounts = [], resources } = launcher;
  const alike = Object.fromEntries(['imagePullPolicy', 'securityContext'].flatMap((field) => (launcher[field] === undefined ? [] : [[field, launcher[field]]])));
  return { name: 'anneal-workers-answer', image, command: ['/bin/sh', '-c', script], volumeMounts, ...(resources === undefined ? {} : { resources }), ...alike };
}

function sshMount(job: Job): VolumeMount {
  return { name: 'anneal-ssh', mountPath: settingsOf(job).sshAuthMountPath };
}

/** ssh refuses a private key of its own user that others may read; files of root are fine for any other user, who must read them. */
function sshVolume(job: Job, secretName: string) {
  const ofRoot = settingsOf(job).sshAuthMountPath.startsWith('/root/');
  const items = [
    { key: 'ssh-privatekey', path: 'id_ecdsa' },
    { key: 'ssh-publickey', path: 'id_ecdsa.pub' },
    { key: 'ssh-publickey', path: 'authorized_keys' },
  ];
  return { name: 'anneal-ssh', secret: { secretName, defaultMode: ofRoot ? 0o600 : 0o444, items } };
}

function hostfileVolume(secretName: string) {
  return { name: 'anneal-hostfile', secret: { secretName, defaultMode: 0o444, items: [{ key: 'hostfile', path: 'hostfile' }] } };
}

function settingsOf(job: Job): MpiSettings {
  return job.spec.mpi ?? defaults;
}
