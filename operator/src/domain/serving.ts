/**
 * What serves a model: the revision that a model and its settings make, and the Deployment, Service, autoscaler and
 * disruption budget of a ModelDeployment, all under its own name. Owners and types are added by the controller.
 */
import { annotations, labels, managedBy, shortHash, type ModelDeploymentSpec, type ModelStatus, type ObjectMeta, type Pod as PodSettings } from '../api/index.ts';
import { canonicalJson, placementOf } from './node-pool.ts';
import { given, podFields, resourcesOf } from './pod-settings.ts';
import type { Container, PodSpec, PodTemplate } from './pod.ts';
import { pseudonymKeyParts } from './pseudonym-key.ts';
import { secureContainerFields, securePodFields } from './secure-pod.ts';

/** What the operator was told at its start. */
export interface ServingSettings {
  /** The image that serves where a spec names no other. */
  readonly trainerImage: string;
}

/** One model with its settings, ready to be rolled out. */
export interface Revision {
  /** Short digest of the model and of everything in the pods; equal ones need no rollout. */
  readonly name: string;
  readonly model: ModelStatus;
  readonly pod: PodSpec;
  /** What the user wants on the pods beside ours. */
  readonly podMetadata: Pick<PodSettings, 'labels' | 'annotations'>;
}

export const servingRole = 'server';
const port = { name: 'http', number: 8080 } as const;
const modelMountPath = '/model';
const revisionLength = 10;

/** Selects the replicas. A Deployment's selector can never be changed, so it holds nothing but the name. */
export function replicaSelector(name: string): Readonly<Record<string, string>> {
  return { [labels.modelDeployment]: name };
}

export function servingLabels(name: string): Readonly<Record<string, string>> {
  return { [labels.managedBy]: managedBy, [labels.name]: 'model-server', [labels.instance]: name, [labels.modelDeployment]: name };
}

export function revisionOf(name: string, spec: ModelDeploymentSpec, model: ModelStatus, settings: ServingSettings): Revision {
  const pod = servingPod(name, spec, model, settings);
  const podMetadata = { ...given('labels', spec.pod?.labels), ...given('annotations', spec.pod?.annotations) };
  return { name: shortHash(canonicalJson({ model: model.digest, pod, ...podMetadata }), revisionLength), model, pod, podMetadata };
}

function servingPod(name: string, spec: ModelDeploymentSpec, model: ModelStatus, settings: ServingSettings): PodSpec {
  const key = model.pseudonymKey && pseudonymKeyParts(model.pseudonymKey);
  const container: Container = {
    name: servingRole,
    image: spec.pod?.image ?? settings.trainerImage,
    args: ['serve', '--model-dir', modelMountPath, '--name', name, '--port', String(port.number), ...(key === undefined ? [] : ['--pseudonym-key', key.file])],
    ports: [{ name: port.name, containerPort: port.number }],
    resources: resourcesOf(spec.pod, spec.accelerator, { cpu: '100m', memory: '384Mi' }),
    volumeMounts: [
      { name: 'model', mountPath: modelMountPath, subPath: model.path, readOnly: true },
      { name: 'tmp', mountPath: '/tmp' },
      ...key?.mounts ?? [],
    ],
    ...probes,
    ...secureContainerFields,
  };
  return {
    ...securePodFields,
    terminationGracePeriodSeconds: spec.pod?.terminationGracePeriodSeconds ?? 60,
    containers: [container],
    volumes: [
      { name: 'model', persistentVolumeClaim: { claimName: model.claimName, readOnly: true } },
      { name: 'tmp', emptyDir: {} },
      ...key?.volumes ?? [],
    ],
    topologySpreadConstraints: [
      { maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway', labelSelector: { matchLabels: replicaSelector(name) } },
    ],
    ...podFields(spec.pod, placementOf(spec.nodePool)),
  };
}

/** A large model may take five minutes to load; a busy server answers its health checks late, which is no reason to kill it. */
const probes = {
  startupProbe: { httpGet: { path: '/v2/health/ready', port: port.name }, periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 300 },
  readinessProbe: { httpGet: { path: '/v2/health/ready', port: port.name }, periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 2 },
  livenessProbe: { httpGet: { path: '/v2/health/live', port: port.name }, periodSeconds: 10, timeoutSeconds: 10, failureThreshold: 6 },
} as const;

/**
 * Seconds after which a rollout without progress counts as stuck. A pool that starts nodes on demand needs minutes
 * before a pod even has one.
 */
export function progressDeadlineSeconds(spec: ModelDeploymentSpec): number {
  return spec.nodePool === undefined && spec.accelerator === undefined ? 600 : 1200;
}

/** True when a HorizontalPodAutoscaler decides the number of replicas. */
export function isAutoscaled({ scaling }: ModelDeploymentSpec): boolean {
  return mostReplicas(scaling) > scaling.minReplicas;
}

function mostReplicas({ minReplicas, maxReplicas }: ModelDeploymentSpec['scaling']): number {
  return maxReplicas ?? minReplicas;
}

/** On a Deployment: the number of replicas that we gave it. As long as it still has it, nobody else has taken the number over. */
const ownReplicas = 'anneal.dev/replicas';

/**
 * The number of replicas to send. An autoscaler's own number is never sent, since that would undo its scaling. But a number
 * of ours that it has not changed yet must be: a field that its only owner leaves out falls to the default, one replica.
 *
 * @param existing  the Deployment as it is
 */
export function replicasToSend(spec: ModelDeploymentSpec, existing: { readonly metadata: ObjectMeta; readonly spec: { readonly replicas?: number } } | undefined): number | undefined {
  if (!isAutoscaled(spec)) return spec.scaling.minReplicas;
  const replicas = existing?.spec.replicas;
  return replicas !== undefined && existing?.metadata.annotations?.[ownReplicas] === String(replicas) ? replicas : undefined;
}

/** @param replicas  left out where an autoscaler owns them */
export function servingDeployment(name: string, spec: ModelDeploymentSpec, revision: Revision, replicas: number | undefined) {
  return {
    metadata: {
      name,
      labels: servingLabels(name),
      annotations: { ...revisionAnnotations(revision), ...(replicas === undefined ? {} : { [ownReplicas]: String(replicas) }) },
    },
    spec: {
      ...(replicas === undefined ? {} : { replicas }),
      paused: false,
      selector: { matchLabels: replicaSelector(name) },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      progressDeadlineSeconds: progressDeadlineSeconds(spec),
      revisionHistoryLimit: 3,
      template: replicaTemplate(name, revision),
    },
  };
}

/**
 * What the Deployment is created with, to take its name without taking over one that others made. It holds only fields
 * that each later apply sets too, since whoever creates a field keeps it from being removed; and it is paused, so that no pod
 * starts from it.
 */
export function reservedDeployment(name: string, spec: ModelDeploymentSpec, revision: Revision) {
  const [container] = revision.pod.containers;
  return {
    metadata: { name, labels: servingLabels(name) },
    spec: {
      replicas: spec.scaling.minReplicas,
      paused: true,
      selector: { matchLabels: replicaSelector(name) },
      template: {
        metadata: { labels: replicaLabels(name) },
        spec: { containers: [{ name: servingRole, image: container?.image }] },
      },
    },
  };
}

function replicaTemplate(name: string, revision: Revision): PodTemplate {
  const { pod, podMetadata } = revision;
  return {
    metadata: {
      labels: { ...replicaLabels(name), ...podMetadata.labels },
      annotations: { ...podMetadata.annotations, ...revisionAnnotations(revision), [annotations.mainContainer]: servingRole },
    },
    spec: pod,
  };
}

const replicaLabels = (name: string): Readonly<Record<string, string>> => ({ ...servingLabels(name), [labels.role]: servingRole });

function revisionAnnotations(revision: Revision): Readonly<Record<string, string>> {
  return { [annotations.revision]: revision.name, [annotations.modelDigest]: revision.model.digest };
}

export function servingService(name: string) {
  return {
    metadata: { name, labels: servingLabels(name) },
    spec: { type: 'ClusterIP', selector: replicaSelector(name), ports: [{ name: port.name, port: 80, targetPort: port.name, protocol: 'TCP', appProtocol: 'http' }] },
  };
}

export function servingUrl(namespace: string, name: string): string {
  return `http://${name}.${namespace}.svc`;
}

export function servingAutoscaler(name: string, { scaling }: ModelDeploymentSpec) {
  return {
    metadata: { name, labels: servingLabels(name) },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      minReplicas: scaling.minReplicas,
      maxReplicas: mostReplicas(scaling),
      metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: scaling.target } } }],
    },
  };
}

export function servingDisruptionBudget(name: string) {
  return {
    metadata: { name, labels: servingLabels(name) },
    // Counted in unavailable pods, so that a single replica does not keep its node from being drained for ever.
    spec: { maxUnavailable: 1, unhealthyPodEvictionPolicy: 'AlwaysAllow', selector: { matchLabels: replicaSelector(name) } },
  };
}
