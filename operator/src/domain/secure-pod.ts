/** What every pod that Anneal writes has in common: the "restricted" Pod Security Standard and no token of the API server. */

/** The image's unprivileged user; volumes are made writable for its group. */
const userId = 65532;

export const securePodFields = {
  automountServiceAccountToken: false,
  enableServiceLinks: false,
  securityContext: {
    runAsNonRoot: true,
    runAsUser: userId,
    runAsGroup: userId,
    fsGroup: userId,
    fsGroupChangePolicy: 'OnRootMismatch',
    seccompProfile: { type: 'RuntimeDefault' },
  },
} as const;

export const secureContainerFields = {
  securityContext: {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  },
  // Where the program wrote no termination message, the kubelet keeps the end of its log: evidence that outlives the pod.
  terminationMessagePolicy: 'FallbackToLogsOnError',
} as const;
