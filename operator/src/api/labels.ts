/** Labels and annotations that Anneal puts on what it makes. */

export const labels = {
  managedBy: 'app.kubernetes.io/managed-by',
  name: 'app.kubernetes.io/name',
  instance: 'app.kubernetes.io/instance',
  trainingJob: 'anneal.dev/training-job',
  role: 'anneal.dev/role',
  index: 'anneal.dev/index',
  attempt: 'anneal.dev/attempt',
  sweep: 'anneal.dev/sweep',
  trial: 'anneal.dev/trial',
  modelDeployment: 'anneal.dev/model-deployment',
  nodePool: 'anneal.dev/node-pool',
} as const;

export const annotations = {
  /** JSON of the hyperparameters of a trial. */
  parameters: 'anneal.dev/parameters',
  /** Digest of the template that a trial was made from, and after a slash that of the overrides, where it used them. */
  template: 'anneal.dev/template',
  /** Digest of the model that a replica serves. */
  modelDigest: 'anneal.dev/model-digest',
  revision: 'anneal.dev/revision',
  /** On a pod: the container that trains or serves. An injector may put its own before it. */
  mainContainer: 'anneal.dev/main-container',
} as const;

/** Value of the managed-by label. */
export const managedBy = 'anneal';
