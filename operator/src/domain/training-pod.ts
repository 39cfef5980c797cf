/** Builds the pods of a TrainingJob. */
import { annotations, labels, managedBy, podName, trainerEnv, type TrainingJobSpec } from '../api/index.ts';
import { checkpointParts, type CheckpointContext } from './checkpoint-pod.ts';
import { clusterEnv, withPeers } from './cluster-env/index.ts';
import { hostname, needsService, serviceName } from './cluster-env/network.ts';
import { dataParts } from './data-pod.ts';
import { withDevices } from './device-claims.ts';
import type { Job } from './job.ts';
import { volumeOf, type JobVolume } from './job-volume.ts';
import { placementOf } from './node-pool.ts';
import { acceleratorLimit, acceleratorName, podFields, resourcesOf } from './pod-settings.ts';
import type { Container, EnvVar, PodSpec, VolumeMount } from './pod.ts';
import { savedModelParts } from './saved-model-pod.ts';
import { roleAt, trainerRole, type JobRole, type Place } from './roles.ts';
import { secureContainerFields, securePodFields } from './secure-pod.ts';

/** What the operator was told at its start. */
export interface TrainingSettings {
  readonly trainerImage: string;
  /** Where trainers push progress; undefined turns it off. */
  readonly progressUrl: string | undefined;
}

/** What a pod is built from beside its job and place. */
export interface PodContext extends TrainingSettings {
  /** Nodes that the pod keeps away from. */
  readonly excludedNodes: readonly string[];
  readonly checkpoint: CheckpointContext;
}

const volumeMountPath = '/anneal';
const tokenFolder = '/var/run/secrets/anneal.dev';
const tokenFile = `${tokenFolder}/token`;
const tokenMount: VolumeMount = { name: 'anneal-token', mountPath: tokenFolder, readOnly: true };

/** Audience of the token that a pod sends with its progress; good for nothing else. */
export const progressAudience = 'anneal.dev/progress';

/** Where programs report, at the operator's address. */
export const progressPath = '/v1/progress';
export const checkpointPath = '/v1/checkpoints';

/** Path of Kubeflow Trainer's status server (its proposal 2779). */
export function kubeflowPath({ namespace, name }: Pick<Job, 'namespace' | 'name'>): string {
  return `/apis/trainer.kubeflow.org/v1alpha1/namespaces/${namespace}/trainjobs/${name}/status`;
}

/** The pod of one place and attempt, without its owner reference. */
export function trainingPod(job: Job, place: Place, attempt: number, context: PodContext) {
  const role = roleAt(job.spec, place);
  const own = {
    [labels.managedBy]: managedBy,
    [labels.trainingJob]: job.name,
    [labels.role]: place.role,
    [labels.index]: String(place.index),
    [labels.attempt]: String(attempt),
  };
  const theirs = role?.template?.metadata ?? job.spec.pod;
  // Another of our labels would make the pod look like one of another kind's.
  const userLabels = Object.fromEntries(Object.entries(theirs?.labels ?? {}).filter(([name]) => !name.startsWith('anneal.dev/')));
  return {
    metadata: {
      name: podName(job, place.role, place.index, attempt),
      namespace: job.namespace,
      labels: { ...userLabels, ...own },
      annotations: { ...theirs?.annotations, [annotations.mainContainer]: role?.template?.spec.containers[0]?.name ?? trainerRole },
    },
    spec: {
      ...awayFrom(withPeers(job, place, withDevices(job, place, podSpec(job, role, place, attempt, context))), context.excludedNodes),
      ...(needsService(job.spec) ? { hostname: hostname(place), subdomain: serviceName(job) } : {}),
    },
  };
}

function podSpec(job: Job, role: JobRole | undefined, place: Place, attempt: number, context: PodContext): PodSpec {
  return role?.template === undefined ? trainerPodSpec(job, place, attempt, context) : rolePodSpec(job, role, place, role.template.spec, attempt, context);
}

/**
 * By the nodes' names, since the label of the host name is another text in some clusters. Terms are alternatives, so each of the user's gets
 * the exclusion too; Kubernetes takes one name for each requirement.
 */
function awayFrom(spec: PodSpec, nodes: readonly string[]): PodSpec {
  if (nodes.length === 0) return spec;
  const exclusion = nodes.map((node) => ({ key: 'metadata.name', operator: 'NotIn', values: [node] }));
  const affinity = spec.affinity;
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const terms = required?.nodeSelectorTerms ?? [{}];
  const nodeSelectorTerms = terms.map((term) => ({ ...term, matchFields: [...(term.matchFields ?? []), ...exclusion] }));
  return { ...spec, affinity: { ...affinity, nodeAffinity: { ...affinity?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: { ...required, nodeSelectorTerms } } } };
}

function trainerPodSpec(job: Job, place: Place, attempt: number, settings: PodContext): PodSpec {
  const { spec } = job;
  const checkpoint = checkpointParts(job, settings.checkpoint, volumeMountPath);
  const volume = volumeOf(job, spec);
  const data = dataParts(spec.trainer?.data);
  const saved = savedModelParts(spec.trainer?.model);
  const container: Container = {
    name: trainerRole,
    image: spec.pod?.image ?? settings.trainerImage,
    args: ['train'],
    env: [...commonEnv(job, attempt, volume), ...clusterEnv(job, place), ...trainerOnlyEnv(spec, settings), ...data.env, ...saved.env, ...checkpoint.env],
    resources: resourcesOf(spec.pod, spec.accelerator, { cpu: '250m', memory: '512Mi' }),
    volumeMounts: [
      ...volumeMounts(volume),
      { name: 'tmp', mountPath: '/tmp' },
      ...data.mounts,
      ...saved.mounts,
      ...checkpoint.mounts,
      ...(settings.progressUrl === undefined ? [] : [tokenMount]),
    ],
    ...secureContainerFields,
  };
  return {
    ...securePodFields,
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: spec.pod?.terminationGracePeriodSeconds ?? 60,
    containers: [container],
    volumes: [
      ...volumes(volume),
      { name: 'tmp', emptyDir: {} },
      ...data.volumes,
      ...saved.volumes,
      ...checkpoint.volumes,
      ...(settings.progressUrl === undefined ? [] : [progressToken]),
    ],
    ...podFields(spec.pod, placementOf(spec.nodePool)),
  };
}

/** The user's pod, with what Anneal must add: restart by our budgets, the volume, the accelerator, where to run. */
function rolePodSpec(job: Job, role: JobRole, place: Place, template: PodSpec, attempt: number, context: PodContext): PodSpec {
  const checkpoint = checkpointParts(job, context.checkpoint, volumeMountPath);
  const volume = volumeOf(job, job.spec);
  const placement = placementOf(job.spec.nodePool);
  const [main, ...sidecars] = template.containers;
  if (main === undefined) return template;
  const limits = { ...main.resources?.limits, ...acceleratorLimit(role.accelerator ?? job.spec.accelerator) };
  const container: Container = {
    ...withLastWords(main),
    env: withOurs([...commonEnv(job, attempt, volume), ...clusterEnv(job, place), ...checkpoint.env, ...reportEnv(job, context)], main.env ?? []),
    volumeMounts: [...(main.volumeMounts ?? []), ...volumeMounts(volume), ...checkpoint.mounts, ...(context.progressUrl === undefined ? [] : [tokenMount])],
    ...(Object.keys(limits).length > 0 ? { resources: { ...main.resources, limits } } : {}),
  };
  const nodeSelector = { ...template.nodeSelector, ...placement.nodeSelector };
  const tolerations = [...(template.tolerations ?? []), ...placement.tolerations];
  return {
    ...template,
    restartPolicy: 'Never',
    ...(template.initContainers === undefined ? {} : { initContainers: template.initContainers.map(withLastWords) }),
    containers: [container, ...sidecars],
    volumes: [...(template.volumes ?? []), ...volumes(volume), ...checkpoint.volumes, ...(context.progressUrl === undefined ? [] : [progressToken])],
    ...(Object.keys(nodeSelector).length > 0 ? { nodeSelector } : {}),
    ...(tolerations.length > 0 ? { tolerations } : {}),
  };
}

/** Where the user asks for nothing else, the kubelet keeps the end of the log as evidence. */
function withLastWords(container: Container): Container {
  return { terminationMessagePolicy: secureContainerFields.terminationMessagePolicy, ...container };
}

/** Ours first, since a variable may refer only to those before it; and each once, since the last of a name wins. */
function withOurs(ours: readonly EnvVar[], theirs: readonly EnvVar[]): EnvVar[] {
  return [...ours, ...theirs.filter(({ name }) => !ours.some((variable) => variable.name === name))];
}

function commonEnv(job: Job, attempt: number, volume: JobVolume | undefined): EnvVar[] {
  return [
    { name: trainerEnv.job, value: `${job.namespace}/${job.name}` },
    { name: trainerEnv.jobUid, value: job.uid },
    { name: trainerEnv.attempt, value: String(attempt) },
    ...(volume === undefined ? [] : [{ name: trainerEnv.volume, value: volumeMountPath }]),
  ];
}

function trainerOnlyEnv(spec: TrainingJobSpec, settings: TrainingSettings): EnvVar[] {
  return [
    { name: trainerEnv.spec, value: JSON.stringify(spec.trainer) },
    ...(spec.accelerator === undefined ? [] : [{ name: trainerEnv.accelerator, value: acceleratorName(spec.accelerator) }]),
    ...(settings.progressUrl === undefined
      ? []
      : [
          { name: trainerEnv.progressUrl, value: settings.progressUrl },
          { name: trainerEnv.tokenFile, value: tokenFile },
        ]),
  ];
}

/**
 * How a role's program reports: Anneal's own way, and that of Kubeflow's trainer, which Transformers finds by itself. No certificate is
 * named, since the address is one within the cluster without TLS.
 */
function reportEnv(job: Job, { progressUrl }: TrainingSettings): EnvVar[] {
  if (progressUrl === undefined) return [];
  return [
    { name: trainerEnv.progressUrl, value: progressUrl },
    { name: trainerEnv.checkpointUrl, value: new URL(checkpointPath, progressUrl).href },
    { name: trainerEnv.tokenFile, value: tokenFile },
    { name: 'KUBEFLOW_TRAINER_SERVER_URL', value: new URL(kubeflowPath(job), progressUrl).href },
    { name: 'KUBEFLOW_TRAINER_SERVER_TOKEN', value: tokenFile },
  ];
}

function volumeMounts(volume: JobVolume | undefined): VolumeMount[] {
  if (volume === undefined) return [];
  return [{ name: 'anneal', mountPath: volumeMountPath, ...(volume.subPath === undefined ? {} : { subPath: volume.subPath }) }];
}

function volumes(volume: JobVolume | undefined) {
  return volume === undefined ? [] : [{ name: 'anneal', persistentVolumeClaim: { claimName: volume.claimName } }];
}

const progressToken = {
  name: tokenMount.name,
  projected: { sources: [{ serviceAccountToken: { audience: progressAudience, expirationSeconds: 3600, path: 'token' } }] },
};
