/** The objects that tell a cluster of the driver; the cluster that runs it applies them. */
export const driverName = 'directory.csi.anneal.dev';

export const csiObjects = [
  {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'CSIDriver',
    metadata: { name: driverName },
    // fsGroupPolicy File: the kubelet gives the files to the pod's fsGroup, so that a pod that is not root can write.
    spec: { attachRequired: false, podInfoOnMount: false, fsGroupPolicy: 'File', volumeLifecycleModes: ['Persistent'] },
  },
  {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'anneal-directory', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
    provisioner: driverName,
    reclaimPolicy: 'Delete',
    // As the default classes of EKS, GKE and AKS do: a claim stays Pending until a pod uses it.
    volumeBindingMode: 'WaitForFirstConsumer',
  },
] as const;

/** Needs the snapshot.storage.k8s.io CRDs. */
export const snapshotObjects = [
  {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshotClass',
    metadata: { name: 'anneal-directory', annotations: { 'snapshot.storage.kubernetes.io/is-default-class': 'true' } },
    driver: driverName,
    deletionPolicy: 'Delete',
  },
] as const;
