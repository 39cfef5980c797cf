/** How a cluster comes to be: on this machine's own parts, in Docker by kind, or there already. */
export type ProviderName = 'embedded' | 'kind' | 'current';

export interface UpOptions {
  /** etcd and an API server with its controllers, without nodes: enough to try manifests; needs no rights. */
  readonly controlPlaneOnly: boolean;
  readonly nodes: number;
  readonly gpusPerNode: number;
  /** How long a node may be silent before it is NotReady; Kubernetes' own time when absent. */
  readonly nodeMonitorGraceSeconds?: number;
}

export interface ClusterStatus {
  readonly up: boolean;
  /** One line for each part that a person may want to know of. */
  readonly lines: readonly string[];
}

export interface Provider {
  readonly name: ProviderName;
  /** Brings the cluster up, or back to health; does nothing when it is healthy. */
  up(options: UpOptions): Promise<void>;
  /** Removes the cluster and all that came with it. Does nothing when there is none. */
  down(): Promise<void>;
  status(): Promise<ClusterStatus>;
  /** Makes an image usable by pods: a file that docker, podman or buildah saved, or the name of an image that one of them has. */
  load(image: string): Promise<void>;
  /** Ends a node as a power cut does. */
  killNode(name: string): Promise<void>;
  /** Brings a killed node back under its name. */
  startNode(name: string): Promise<void>;
  /** Path of the kubeconfig. */
  kubeconfig(): Promise<string>;
}
