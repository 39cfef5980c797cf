/** TrainJob of trainer.kubeflow.org/v1alpha1, resolved with its runtime. */
import { draftJob, type DraftJob, type DraftRole, type DraftSpec } from './draft.ts';
import { withInitializers } from './initializers.ts';
import { withClaims } from './claims.ts';
import { readJobSet } from './jobset.ts';
import { isObject, type JsonObject } from './json.ts';
import { readIdentity, readRuntimeIdentity, type Identity } from './metadata.ts';
import { readMlPolicy, readPodGroupPolicy, type MlPolicy } from './ml-policy.ts';
import { mapping, type Node } from './node.ts';
import { Reader } from './reader.ts';
import { readDeadline, readManager, readSuspend } from './run-policy.ts';
import { ancestorOf, nameOf, overContainer, patched, trainerContainer, watchOf } from './runtime.ts';

export interface RuntimeRef {
  readonly kind: string;
  readonly name: string;
}

export function runtimeRefOf(document: Reader): RuntimeRef {
  const ref = document.need('spec', '{runtimeRef: {name: torch-distributed}}').need('runtimeRef', '{name: torch-distributed}');
  ref.ignore('apiGroup');
  ref.need('name', 'torch-distributed');
  return { kind: ref.choice('kind', ['ClusterTrainingRuntime', 'TrainingRuntime']) ?? 'ClusterTrainingRuntime', name: ref.text('name') ?? '' };
}

/** @param runtime  the document that the TrainJob refers to */
export function convertTrainJob(document: Reader, runtime: Reader): DraftJob {
  document.ignore('apiVersion', 'kind', 'status');
  runtime.ignore('apiVersion', 'kind', 'metadata', 'status');
  const identity = readIdentity(document);
  const spec = document.need('spec', '{runtimeRef: {name: torch-distributed}}');
  const runtimeSpec = runtime.need('spec', '{template: …}');
  const trainer = spec.at('trainer');
  const policy = readMlPolicy(runtimeSpec.at('mlPolicy'), trainer);
  const template = new Reader(patched(runtimeSpec.need('template', '{spec: {replicatedJobs: [...]}}').node, spec.at('runtimePatches'), watchOf(document.ledger)), document.ledger);
  const jobSet = readJobSet(template, (job) => overTrainer(job, trainer, policy, document), { policy, jobName: identity.name });
  const roles = withClaims(withInitializers(jobSet.roles, jobSet.initializers, spec.at('initializer')), jobSet.claims);
  const ofTemplate = template.at('metadata');
  const extra = ofTemplate === undefined ? { metadata: {}, scheduling: {} } : readRuntimeIdentity(ofTemplate);
  const scheduling = { ...readPodGroupPolicy(runtimeSpec.at('podGroupPolicy')), ...jobSet.scheduling, ...extra.scheduling, ...identity.scheduling };
  readManager(spec);
  return draftJob(joinMetadata(identity, extra.metadata), {
    ...frameworkOf(policy, roles, runtimeSpec.at('mlPolicy')),
    roles,
    failurePolicy: jobSet.failurePolicy,
    ...(jobSet.ttlSecondsAfterFinished === undefined ? {} : { ttlSecondsAfterFinished: jobSet.ttlSecondsAfterFinished }),
    ...readDeadline(spec, 'The time counts from the first running pod, not from the start of the TrainJob, and leaves time in suspension out.'),
    ...(Object.keys(scheduling).length === 0 ? {} : { scheduling }),
    ...readSuspend(spec, scheduling),
  });
}

function frameworkOf(policy: MlPolicy, roles: readonly DraftRole[], source: Reader | undefined): Omit<DraftSpec, 'roles'> {
  if (policy.framework === 'MPI' && roles.length < 2) {
    source?.loseField('mpi', 'An MPI job has a launcher and workers, and the runtime has one of them; neither hostfile nor keys are made.', 'Give the runtime the jobs launcher and node.');
    return { framework: 'Custom' };
  }
  return { framework: policy.framework, ...(policy.mpi === undefined ? {} : { mpi: policy.mpi }) };
}

function joinMetadata(identity: Identity, runtime: JsonObject): JsonObject {
  const joined = (['labels', 'annotations'] as const).map((field) => [field, { ...objectOf(runtime[field]), ...objectOf(identity.metadata[field]) }] as const);
  return { ...identity.metadata, ...Object.fromEntries(joined.filter(([, tags]) => Object.keys(tags).length > 0)) };
}

function objectOf(value: JsonObject[string] | undefined): JsonObject {
  return isObject(value) ? value : {};
}

const torchtune = ['tune', 'run'];

/** What kubeflow/trainer writes from spec.trainer over the container of the trainer's job; of MPI's workers, resources and environment only. */
function overTrainer(job: Node, trainer: Reader | undefined, policy: MlPolicy, document: Reader): Node {
  if (trainer === undefined) return job;
  const isTrainer = ancestorOf(job) === 'trainer';
  if (!isTrainer && !(policy.launcherAsWorker && nameOf(job) === trainerContainer)) return job;
  const own = (name: string): Node | undefined => (isTrainer ? trainer.at(name)?.node : undefined);
  const over = mapping(trainer.path, {
    image: own('image'),
    command: isTorchtune(trainer) ? undefined : own('command'),
    args: own('args'),
    env: trainer.at('env')?.node,
    resources: trainer.at('resourcesPerNode')?.node,
  });
  return overContainer(job, trainerContainer, over, watchOf(document.ledger));
}

/** kubeflow/trainer completes this command from the number of nodes and the runtime's command; here the runtime's stands. */
function isTorchtune(trainer: Reader): boolean {
  const command = trainer.at('command');
  const words = command?.node.kind === 'sequence' ? command.node.items.map((word) => (word.kind === 'scalar' ? word.value : undefined)) : [];
  if (words.length !== torchtune.length || words.some((word, position) => word !== torchtune[position])) return false;
  command?.lose('From it kubeflow/trainer makes the whole torchtune command; the command of the runtime is kept instead, for one node.', 'Write the recipe and the config for your number of nodes into the command of the role.');
  return true;
}
