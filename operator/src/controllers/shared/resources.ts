/** The resource types that the controllers read and write. */
import type { ResourceType } from '../../kube/resource.ts';

export const trainingJobType: ResourceType = { group: 'anneal.dev', version: 'v1alpha1', kind: 'TrainingJob', plural: 'trainingjobs', namespaced: true };
export const hyperparamSweepType: ResourceType = { group: 'anneal.dev', version: 'v1alpha1', kind: 'HyperparamSweep', plural: 'hyperparamsweeps', namespaced: true };
export const modelDeploymentType: ResourceType = { group: 'anneal.dev', version: 'v1alpha1', kind: 'ModelDeployment', plural: 'modeldeployments', namespaced: true };

export const podType: ResourceType = { group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };
export const nodeType: ResourceType = { group: '', version: 'v1', kind: 'Node', plural: 'nodes', namespaced: false };
export const secretType: ResourceType = { group: '', version: 'v1', kind: 'Secret', plural: 'secrets', namespaced: true };
export const eventType: ResourceType = { group: '', version: 'v1', kind: 'Event', plural: 'events', namespaced: true };
export const serviceType: ResourceType = { group: '', version: 'v1', kind: 'Service', plural: 'services', namespaced: true };
export const volumeClaimType: ResourceType = { group: '', version: 'v1', kind: 'PersistentVolumeClaim', plural: 'persistentvolumeclaims', namespaced: true };
export const deploymentType: ResourceType = { group: 'apps', version: 'v1', kind: 'Deployment', plural: 'deployments', namespaced: true };
export const autoscalerType: ResourceType = { group: 'autoscaling', version: 'v2', kind: 'HorizontalPodAutoscaler', plural: 'horizontalpodautoscalers', namespaced: true };
export const disruptionBudgetType: ResourceType = { group: 'policy', version: 'v1', kind: 'PodDisruptionBudget', plural: 'poddisruptionbudgets', namespaced: true };
export const claimTemplateType: ResourceType = { group: 'resource.k8s.io', version: 'v1', kind: 'ResourceClaimTemplate', plural: 'resourceclaimtemplates', namespaced: true };
export const nodePoolType: ResourceType = { group: 'karpenter.sh', version: 'v1', kind: 'NodePool', plural: 'nodepools', namespaced: false };
export const volumeSnapshotType: ResourceType = { group: 'snapshot.storage.k8s.io', version: 'v1', kind: 'VolumeSnapshot', plural: 'volumesnapshots', namespaced: true };

export const podMetricsType: ResourceType = { group: 'metrics.k8s.io', version: 'v1beta1', kind: 'PodMetrics', plural: 'pods', namespaced: true };
export const priorityClassType: ResourceType = { group: 'scheduling.k8s.io', version: 'v1', kind: 'PriorityClass', plural: 'priorityclasses', namespaced: false };
export const workloadType: ResourceType = { group: 'kueue.x-k8s.io', version: 'v1beta2', kind: 'Workload', plural: 'workloads', namespaced: true };
export const resourceFlavorType: ResourceType = { group: 'kueue.x-k8s.io', version: 'v1beta2', kind: 'ResourceFlavor', plural: 'resourceflavors', namespaced: false };
export const workloadPriorityClassType: ResourceType = { group: 'kueue.x-k8s.io', version: 'v1beta2', kind: 'WorkloadPriorityClass', plural: 'workloadpriorityclasses', namespaced: false };
export const volcanoPodGroupType: ResourceType = { group: 'scheduling.volcano.sh', version: 'v1beta1', kind: 'PodGroup', plural: 'podgroups', namespaced: true };
export const coschedulingPodGroupType: ResourceType = { group: 'scheduling.x-k8s.io', version: 'v1alpha1', kind: 'PodGroup', plural: 'podgroups', namespaced: true };
