/** The JobSet in a training runtime: its jobs become roles, those that prepare data become init containers. */
import { readClaims, type Claim } from './claims.ts';
import type { DraftFailurePolicy, DraftRole, DraftScheduling, DraftTemplate } from './draft.ts';
import { fieldOf, isObject, listOf } from './json.ts';
import { topologyOf } from './metadata.ts';
import type { MlPolicy } from './ml-policy.ts';
import type { Node } from './node.ts';
import { Reader } from './reader.ts';
import { ancestorOf, nameOf, readLabels, trainerContainer } from './runtime.ts';
import { readTemplate } from './template.ts';

export interface JobSet {
  readonly roles: readonly DraftRole[];
  readonly claims: readonly Claim[];
  readonly initializers: readonly Reader[];
  readonly failurePolicy: DraftFailurePolicy;
  readonly scheduling: DraftScheduling;
  readonly ttlSecondsAfterFinished: number | undefined;
}

export interface JobSetContext {
  readonly policy: MlPolicy;
  readonly jobName: string;
}

const initializerSteps = ['dataset-initializer', 'model-initializer'];
/** A Job's default. */
const jobRetries = 6;
const mostRetries = 10_000;
const longestRoleName = 20;
const mostProcesses = 256;

/** @param override  what the TrainJob writes over a job */
export function readJobSet(template: Reader, override: (job: Node) => Node, context: JobSetContext): JobSet {
  const spec = template.need('spec', '{replicatedJobs: [...]}');
  const jobs = spec.need('replicatedJobs', '[{name: node, template: …}]').items().map((job) => new Reader(override(job.node), job.ledger));
  const isInitializer = (job: Reader): boolean => initializerSteps.includes(ancestorOf(job.node) ?? '');
  const trainers = jobs.filter((job) => !isInitializer(job));
  const roles = trainers.flatMap((job) => readRole(job, trainers, context));
  if (roles.length === 0) spec.fail('has no job that trains.');
  readJobSetFields(spec, roles);
  const ttlSecondsAfterFinished = spec.whole('ttlSecondsAfterFinished', { min: 0, max: 2 ** 31 - 1 });
  if (ttlSecondsAfterFinished !== undefined) spec.remark('It was the JobSet that was deleted then; now it is the TrainingJob.', 'Leave it out to keep the job.', 'ttlSecondsAfterFinished');
  return {
    roles,
    claims: readClaims(spec.at('volumeClaimPolicies')),
    initializers: jobs.filter(isInitializer),
    failurePolicy: { budgets: { applicationError: retriesOf(spec, trainers) } },
    scheduling: Object.assign({}, ...trainers.map((job) => topologyOf(job.at('template')?.at('metadata')?.at('annotations')))) as DraftScheduling,
    ttlSecondsAfterFinished,
  };
}

/** Name and replicas of the role that a job becomes; undefined where the framework has no such role. */
function placeOf(job: Reader, trainers: readonly Reader[], { policy }: JobSetContext): { readonly name: string; readonly replicas: number } | undefined {
  const [name, isTrainer] = [nameOf(job.node), ancestorOf(job.node) === 'trainer'];
  const only = trainers.length === 1;
  switch (policy.framework) {
    case 'MPI':
      if (name === 'launcher' || (isTrainer && name !== trainerContainer)) return { name: 'launcher', replicas: 1 };
      return name === trainerContainer ? { name: 'worker', replicas: workersOf(job, policy) } : undefined;
    case 'Custom':
      return { name: shortened(job, name), replicas: isTrainer || only ? policy.nodes : podsOf(job) };
    default:
      return isTrainer || only ? { name: 'worker', replicas: policy.nodes } : undefined;
  }
}

const podsRange = { min: 0, max: 1000 };

/** Workers beside the launcher, where that trains too. */
function workersOf(job: Reader, policy: MlPolicy): number {
  const workers = Math.max(policy.nodes - (policy.launcherAsWorker ? 1 : 0), 1);
  const jobSpec = job.at('template')?.at('spec');
  const parallelism = jobSpec?.whole('parallelism', podsRange);
  if (parallelism !== undefined && parallelism !== workers) jobSpec?.loseField('parallelism', 'The number of nodes counts.', 'Set replicas of the role worker.');
  return workers;
}

function podsOf(job: Reader): number {
  const jobSpec = job.at('template')?.at('spec');
  const parallelism = jobSpec?.whole('parallelism', podsRange) ?? 1;
  const completions = jobSpec?.whole('completions', podsRange);
  if (completions !== undefined && completions !== parallelism) jobSpec?.loseField('completions', 'All pods of a role run at the same time.', 'Set replicas of the role to as many as there should be.');
  return (job.whole('replicas', podsRange) ?? 1) * parallelism;
}

function shortened(job: Reader, name: string): string {
  if (name.length <= longestRoleName) return name;
  const short = name.slice(0, longestRoleName).replace(/-+$/, '');
  job.remark(`A role's name may have ${longestRoleName} characters, so it is called ${short}.`, 'Give it a short name of your own.', 'name');
  return short;
}

function readRole(job: Reader, trainers: readonly Reader[], context: JobSetContext): readonly DraftRole[] {
  job.need('name', 'node').scalar();
  const place = placeOf(job, trainers, context);
  if (place === undefined) {
    job.lose(`A ${context.policy.framework} job has no role for it.`, 'Run it as a TrainingJob of its own, or write the job with framework: Custom.');
    return [];
  }
  if (place.replicas === 0) {
    job.lose('It has no pods.', 'Set numNodes to at least 1.');
    return [];
  }
  const template = readTemplate(readJob(job), { jobName: context.jobName, trainers: [trainerContainer] });
  const { framework, launcherAsWorker } = context.policy;
  const processesPerPod = context.policy.processesPerPod ?? (framework === 'PyTorch' ? coresOf(template) : undefined);
  const takesProcesses = processesPerPod !== undefined && (place.name !== 'launcher' || launcherAsWorker);
  return [{ name: place.name, replicas: place.replicas, ...(takesProcesses ? { processesPerPod } : {}), template }];
}

/** kubeflow/trainer starts a PyTorch process for each core that a pod without accelerators asks for; a TrainingJob would start one. */
function coresOf({ spec }: DraftTemplate): number | undefined {
  const resources = fieldOf(listOf(spec, 'containers')[0], 'resources');
  const [requests, limits] = [fieldOf(resources, 'requests'), fieldOf(resources, 'limits')];
  const names = [requests, limits].flatMap((quantities) => (isObject(quantities) ? Object.keys(quantities) : []));
  if (names.some((name) => name.includes('/'))) return undefined;
  const asked = fieldOf(requests, 'cpu') ?? fieldOf(limits, 'cpu');
  const match = typeof asked === 'string' || typeof asked === 'number' ? /^(\d+(?:\.\d+)?)(m?)$/.exec(String(asked)) : null;
  if (match === null) return undefined;
  const cores = Math.ceil(Number(match[1]) / (match[2] === 'm' ? 1000 : 1));
  return cores > 1 && cores <= mostProcesses ? cores : undefined;
}

/** The pod template of a job; all that a Job is beside it is said to be lost. */
export function readJob(job: Reader): Reader {
  // kubeflow/trainer sets the first two itself; the roles of other jobs have read them.
  job.ignore('name', 'replicas');
  job.loseField('groupName', 'Roles have no groups.', 'Leave it out.');
  readDependencies(job.at('dependsOn'));
  const template = job.need('template', '{spec: {template: …}}');
  const metadata = template.at('metadata');
  metadata?.ignore('creationTimestamp');
  metadata?.at('labels')?.ignore(...readLabels);
  for (const tags of ['labels', 'annotations']) {
    for (const [name, value] of metadata?.at(tags)?.entries() ?? []) {
      if (!readLabels.includes(name) && !name.startsWith('alpha.jobset.sigs.k8s.io/exclusive-topology')) value.lose('There is no Job that could carry it.', 'Put it into the metadata of the pod template.');
    }
  }
  const spec = template.need('spec', '{template: …}');
  spec.ignore('parallelism', 'completions', 'completionMode', 'backoffLimit');
  spec.loseField('podFailurePolicy', 'Its rules are those of a Job.', 'Write them as spec.failurePolicy.rules: exit codes, reasons, and what to do.');
  for (const [name, field] of spec.entries()) {
    if (!['template', 'parallelism', 'completions', 'completionMode', 'backoffLimit', 'podFailurePolicy'].includes(name)) {
      field.lose('It is a setting of a Job, and Anneal makes the pods itself.', 'Look at spec.failurePolicy, spec.activeDeadlineSeconds and spec.suspend of the TrainingJob.');
    }
  }
  return spec.need('template', '{spec: {containers: [...]}}');
}

function readDependencies(dependsOn: Reader | undefined): void {
  for (const dependency of dependsOn?.items() ?? []) {
    const [name, status] = [dependency.text('name') ?? '', dependency.choice('status', ['Ready', 'Complete'])];
    // Init containers end before the trainer begins, and mpirun waits for its workers.
    if (initializerSteps.includes(name) || (status === 'Ready' && name === trainerContainer)) continue;
    dependency.lose('All pods of a TrainingJob start together.', 'Wait in an init container of the role that comes later.');
  }
}

/** How often the pods of a TrainJob may fail: its Jobs make each anew so often, and the JobSet all of them. */
function retriesOf(spec: Reader, jobs: readonly Reader[]): number {
  const counts = jobs.flatMap((job) => {
    const jobSpec = job.at('template')?.at('spec');
    const limit = jobSpec?.whole('backoffLimit', { min: 0, max: mostRetries });
    if (limit !== undefined) jobSpec?.remark('It was for one Job; now it is the budget of all pods of the job for the program\'s own failures.', 'Set spec.failurePolicy.budgets.applicationError.', 'backoffLimit');
    return limit === undefined ? [] : [limit];
  });
  const policy = spec.at('failurePolicy');
  const restarts = policy?.whole('maxRestarts', { min: 0, max: mostRetries });
  if (restarts !== undefined) policy?.remark('Restarts of the whole job come from the same budget as those of single pods.', 'Set spec.failurePolicy.budgets.applicationError.', 'maxRestarts');
  policy?.loseField('restartStrategy', 'Anneal waits until no pod of the last attempt runs any more.', 'Leave it out.');
  policy?.loseField('rules', 'They are about Jobs.', 'Write them as spec.failurePolicy.rules: exit codes, causes, reasons, and what to do.');
  return Math.min(mostRetries, (counts.length === 0 ? jobRetries : Math.max(...counts)) + (restarts ?? 0));
}

function readJobSetFields(spec: Reader, roles: readonly DraftRole[]): void {
  const network = spec.at('network');
  // Anneal's pods always have names, and have them before they are ready.
  for (const name of ['publishNotReadyAddresses', 'enableDNSHostnames']) {
    if (network?.flag(name) === false) network.loseField(name, 'The pods of a job with several always find each other by name, also before they are ready.', 'Leave it out.');
  }
  network?.loseField('subdomain', 'Anneal names the Service of a job itself.', 'Take the addresses from the environment.');
  readSuccess(spec.at('successPolicy'), roles);
  spec.loseField('startupPolicy', 'All pods of a TrainingJob start together.', 'Wait in an init container of the role that comes later.');
  spec.loseField('coordinator', 'The leader of a job is its chief, master or launcher, else worker 0.', 'Take its address from the environment.');
  spec.loseField('suspend', 'It is the TrainJob\'s suspend that counts.', 'Set spec.suspend of the TrainingJob.');
  spec.loseField('managedBy', 'Anneal makes no JobSet.', 'Leave it out.');
}

function readSuccess(policy: Reader | undefined, roles: readonly DraftRole[]): void {
  if (policy === undefined) return;
  const targets = policy.at('targetReplicatedJobs')?.items().map((item) => item.scalar()) ?? [];
  const isLauncher = targets.length === 1 && targets[0] === 'launcher' && roles.some(({ name }) => name === 'launcher');
  const isTrainer = targets.length === 0 || (targets.length === 1 && targets[0] === trainerContainer && roles.length === 1);
  if (policy.choice('operator', ['All', 'Any']) === 'All' && (isLauncher || isTrainer)) return;
  policy.lose('The framework decides which pods must succeed.', 'Set spec.successPolicy.');
}
