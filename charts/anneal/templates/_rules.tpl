{{/* What the operator may do in each namespace whose objects it runs. */}}
{{- define "anneal.namespacedRules" -}}
# Its own kinds. A sweep creates training jobs; one whose time is over is deleted.
- apiGroups: [anneal.dev]
  resources: [trainingjobs]
  verbs: [get, list, watch, create, delete]
- apiGroups: [anneal.dev]
  resources: [hyperparamsweeps, modeldeployments]
  verbs: [get, list, watch]
- apiGroups: [anneal.dev]
  resources: [trainingjobs/status, hyperparamsweeps/status, modeldeployments/status]
  verbs: [patch]
# Owner references with blockOwnerDeletion need this where OwnerReferencesPermissionEnforcement is on.
- apiGroups: [anneal.dev]
  resources: [trainingjobs/finalizers, hyperparamsweeps/finalizers, modeldeployments/finalizers]
  verbs: [update]
# What training and serving are made of. What has an owner goes with it, by the garbage collector's own rights.
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch, create, delete]
- apiGroups: [""]
  resources: [services]
  verbs: [get, list, watch, create, patch]
- apiGroups: [""]
  resources: [persistentvolumeclaims]
  verbs: [get, list, watch, create, patch, delete]
# Keys that the pods of a job share. Pods mount them; the operator never reads a Secret, its own or another's.
- apiGroups: [""]
  resources: [secrets]
  verbs: [create]
# Devices of a class, for jobs that ask for them. One that is there already is looked at once, to see that it is the job's.
- apiGroups: [resource.k8s.io]
  resources: [resourceclaimtemplates]
  verbs: [get, create]
# Why a pod's volume cannot be mounted is told in events only.
- apiGroups: [""]
  resources: [events]
  verbs: [get, list, watch]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch]
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch]
- apiGroups: [snapshot.storage.k8s.io]
  resources: [volumesnapshots]
  verbs: [get, list, watch, create, patch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
# Queues and gangs: a job's Workload in Kueue, its PodGroup in Volcano or the coscheduling plugin.
- apiGroups: [kueue.x-k8s.io]
  resources: [workloads]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [kueue.x-k8s.io]
  resources: [workloads/status]
  verbs: [patch]
- apiGroups: [scheduling.volcano.sh, scheduling.x-k8s.io]
  resources: [podgroups]
  verbs: [get, list, watch, create, patch, delete]
# What the pods of jobs with scheduling.idleDeadlineSeconds use.
- apiGroups: [metrics.k8s.io]
  resources: [pods]
  verbs: [get, list]
{{- end -}}

{{/* What it needs of the cluster as a whole. */}}
{{- define "anneal.clusterRules" -}}
- apiGroups: [karpenter.sh]
  resources: [nodepools]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [nodes]
  verbs: [get, list, watch]
# Where an admission lets pods run, and what it orders them by.
- apiGroups: [kueue.x-k8s.io]
  resources: [resourceflavors, workloadpriorityclasses]
  verbs: [get, list, watch]
- apiGroups: [scheduling.k8s.io]
  resources: [priorityclasses]
  verbs: [get, list, watch]
# Who sends progress: pods show a token of their service account.
- apiGroups: [authentication.k8s.io]
  resources: [tokenreviews]
  verbs: [create]
{{- end -}}
