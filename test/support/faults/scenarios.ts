/**
 * Stories of TrainingJobs, told by what the user and the nodes do. Each step waits for what must come true however often the operator
 * dies meanwhile, so that a story ends in the same way under every fault.
 */
import { isTrue, labels, type TrainingJob } from '../../../operator/src/api/index.ts';
import { podType, trainingJobType } from '../../../operator/src/controllers/shared/resources.ts';
import type { KubeObject, ObjectKey } from '../../../operator/src/kube/resource.ts';
import type { LivePod } from '../fake-kubelet.ts';
import type { Bed } from './bed.ts';
import { namespaceLabel } from './node-agent.ts';
import type { Program } from './node-agent.ts';

export interface Stage {
  readonly bed: Bed;
  readonly job: ObjectKey;
  /** How long one step may take under the faults of this run. */
  readonly stepSeconds: number;
}

/** What a user writes: the built-in trainer, or roles. */
interface Spec {
  readonly trainer?: object;
  readonly roles?: readonly { readonly name: string; readonly replicas: number; readonly minReplicas?: number; readonly maxReplicas?: number; readonly template: { readonly spec: object } }[];
  readonly framework?: string;
  readonly failurePolicy?: object;
}

export interface Scenario {
  readonly name: string;
  /** About how many writes the operator does in it. */
  readonly writes: number;
  readonly spec: Spec;
  play(stage: Stage): Promise<void>;
}

const resultMessage = JSON.stringify({ metrics: { test_accuracy: 0.98 }, epochs: 5, model: { path: 'model', digest: `sha256:${'a'.repeat(64)}`, sizeBytes: 1000 } });
/** No simulated node ever pulls it. */
const image = 'example.com/never-pulled:1';
const template = { spec: { containers: [{ name: 'main', image }] } };

const single: Scenario = {
  name: 'single',
  writes: 6,
  spec: {
    trainer: { data: { source: { format: 'CSV', uri: 'https://example.com/digits.csv' }, target: 'label' }, model: { preset: 'MLP' }, fit: { epochs: 5 } },
  },
  async play(stage) {
    await running(stage, 1);
    everyoneSucceeds(stage, resultMessage);
    await succeeded(stage);
  },
};

const gang: Scenario = {
  name: 'gang',
  writes: 17,
  spec: { roles: [{ name: 'worker', replicas: 3, template }], failurePolicy: { budgets: { applicationError: 3 } } },
  async play(stage) {
    await running(stage, 3);
    await memberIsLost(stage, 1, failure(stage));
    await running(stage, 3);
    everyoneSucceeds(stage);
    await succeeded(stage);
  },
};

const elastic: Scenario = {
  name: 'elastic',
  writes: 20,
  spec: { roles: [{ name: 'worker', replicas: 3, minReplicas: 2, maxReplicas: 4, template }], framework: 'Custom' },
  async play(stage) {
    await running(stage, 3);
    await memberIsLost(stage, 1, deletion(stage));
    await running(stage, 3);
    await scale(stage, 4);
    await running(stage, 4);
    await scale(stage, 2);
    await tells(stage, 'two pods are left', ({ status }) => status?.roles?.[0]?.replicas === 2 && status.roles[0].running === 2 && podsOf(stage).length === 2);
    everyoneSucceeds(stage);
    await succeeded(stage);
  },
};

export const trainingJobScenarios: readonly Scenario[] = [single, gang, elastic];

/** How a story loses a pod. */
interface Loss {
  /** As the ledger tells it. */
  readonly cause: string;
  readonly befall: (victim: LivePod) => void | Promise<void>;
  /** Whether the cluster took the pod away for another reason first. */
  readonly isForestalled: (victim: LivePod, job: TrainingJob) => boolean;
}

/** One pod of this place is lost; where the cluster is first, its successor is. */
async function memberIsLost(stage: Stage, index: number, { cause, befall, isForestalled }: Loss): Promise<void> {
  const isTold = ({ status }: TrainingJob): boolean => status?.failures?.some((failure) => failure.cause === cause) === true;
  for (let told = false; !told; ) {
    const victim = await runningMember(stage, index);
    await befall(victim);
    told = isTold(await tells(stage, `${cause} is in the ledger`, (job) => isTold(job) || isForestalled(victim, job)));
  }
}

const failure = (stage: Stage): Loss => ({
  cause: 'ApplicationError',
  befall: ({ metadata: { uid } }) => program(stage, (pod) => (pod.metadata.uid === uid ? { exitCode: 1, message: 'loss is NaN' } : undefined)),
  isForestalled: ({ metadata: { uid } }) => !podsOf(stage).some(({ metadata }) => metadata.uid === uid),
});

const deletion = ({ bed }: Stage): Loss => ({
  cause: 'Preempted',
  befall: async (victim) => bed.agent.delete(victim),
  // It is gone either way, so only the ledger tells.
  isForestalled: ({ metadata: { name } }, { status }) => status?.failures?.some(({ pod }) => pod === name) === true,
});

async function runningMember(stage: Stage, index: number): Promise<LivePod> {
  const isVictim = (pod: LivePod): boolean => isPlace(pod, index) && pod.status.phase === 'Running' && pod.metadata.deletionTimestamp === undefined;
  return stage.bed.chronicle.until(`a pod of place ${index} runs`, () => podsOf(stage).find(isVictim), { seconds: stage.stepSeconds });
}

/** So many pods of the first role run, and the status says so. */
async function running(stage: Stage, count: number): Promise<void> {
  await tells(stage, `${count} pods run`, ({ status }) => isTrue(status?.conditions, 'Running') && status?.roles?.[0]?.running === count);
}

/** Whatever comes first is its end; a story is over only when the job has succeeded. */
async function succeeded(stage: Stage): Promise<void> {
  await tells(stage, 'the job has succeeded', ({ status }) => {
    if (isTrue(status?.conditions, 'Failed')) throw new Error(`The job failed: ${JSON.stringify(status?.conditions)}`);
    return isTrue(status?.conditions, 'Succeeded');
  });
}

async function tells(stage: Stage, what: string, holds: (job: TrainingJob) => boolean | undefined): Promise<TrainingJob> {
  const { bed, job, stepSeconds } = stage;
  const look = (): TrainingJob | undefined => bed.chronicle.objects<TrainingJob & KubeObject>(trainingJobType, job.namespace).find(({ metadata }) => metadata.name === job.name);
  const hint = (): string => `${job.name}: ${JSON.stringify(look()?.status)}; pods: ${podsOf(stage).map(({ metadata, status }) => `${metadata.name} ${status.phase ?? ''}`).join(', ')}`;
  return bed.chronicle.until(`${what} of ${job.name}`, () => {
    const now = look();
    return now !== undefined && holds(now) === true ? now : undefined;
  }, { seconds: stepSeconds, hint });
}

async function scale({ bed, job }: Stage, replicas: number): Promise<void> {
  const { spec } = await bed.client.get<TrainingJob & KubeObject>(trainingJobType, job);
  await bed.client.merge(trainingJobType, job, { spec: { roles: spec.roles?.map((role) => ({ ...role, replicas })) } });
}

/** The same job with all its pods on the nodes of its namespace. */
export function onOwnNodes(spec: Scenario['spec'], namespace: string): object {
  const nodeSelector = { [namespaceLabel]: namespace };
  return spec.roles !== undefined
    ? { ...spec, roles: spec.roles.map((role) => ({ ...role, template: { spec: { ...role.template.spec, nodeSelector } } })) }
    : { ...spec, pod: { nodeSelector } };
}

function podsOf({ bed, job }: Stage): LivePod[] {
  return bed.chronicle.objects<LivePod>(podType, job.namespace).filter(({ metadata }) => metadata.labels?.[labels.trainingJob] === job.name);
}

function program({ bed, job }: Stage, ofJob: Program): void {
  bed.agent.program(job.namespace, (pod) => (pod.metadata.labels?.[labels.trainingJob] === job.name ? ofJob(pod) : undefined));
}

function everyoneSucceeds(stage: Stage, message?: string): void {
  program(stage, () => ({ exitCode: 0, ...(message === undefined ? {} : { message }) }));
}

function isPlace(pod: LivePod, index: number): boolean {
  return pod.metadata.labels?.[labels.index] === String(index);
}
