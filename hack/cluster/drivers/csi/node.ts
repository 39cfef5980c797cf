/** The Node service: shows a volume's folder at the path that the kubelet names. */
import { mkdir, rmdir, statfs } from 'node:fs/promises';
import { loadService } from '../protos.ts';
import { RpcError, unary } from '../grpc.ts';
import type { Service } from '../grpc.ts';
import type { Serialise } from '../serialise.ts';
import { isReadOnly, required, requireSupported } from './messages.ts';
import type { NodeGetVolumeStatsRequest, NodePublishVolumeRequest, TargetRequest } from './messages.ts';
import { bindMount, mountAt, mountsOf, unmount } from './mounts.ts';
import type { MountEntry } from './mounts.ts';
import type { Store, VolumeRecord } from './store.ts';

const capabilities = ['GET_VOLUME_STATS', 'SINGLE_NODE_MULTI_WRITER'];

export async function nodeService(nodeId: string, volumes: Store<VolumeRecord>, serialise: Serialise): Promise<Service> {
  return {
    definition: await loadService('csi', 'csi.v1.Node'),
    methods: {
      NodeGetInfo: unary('NodeGetInfo', () => ({ nodeId })),
      NodeGetCapabilities: unary('NodeGetCapabilities', () => ({ capabilities: capabilities.map((type) => ({ rpc: { type } })) })),
      NodePublishVolume: unary('NodePublishVolume', async (request: NodePublishVolumeRequest) => {
        required('volume_id', request.volumeId);
        requireSupported([request.volumeCapability]);
        await serialise(required('target_path', request.targetPath), () => publish(volumes, request));
        return {};
      }),
      NodeUnpublishVolume: unary('NodeUnpublishVolume', async ({ volumeId, targetPath }: TargetRequest) => {
        required('volume_id', volumeId);
        await serialise(required('target_path', targetPath), () => unpublish(targetPath));
        return {};
      }),
      NodeGetVolumeStats: unary('NodeGetVolumeStats', (request: NodeGetVolumeStatsRequest) => stats(volumes, request)),
    },
  };
}

async function publish(volumes: Store<VolumeRecord>, request: NodePublishVolumeRequest): Promise<void> {
  const { volumeId, targetPath, volumeCapability } = request;
  const folder = await folderOf(volumes, volumeId);
  const readOnly = request.readonly || isReadOnly(volumeCapability);
  await mkdir(targetPath, { recursive: true });

  const mounted = await mountAt(targetPath);
  if (mounted === undefined) {
    await bindMount(folder, targetPath, [...(readOnly ? ['ro'] : []), ...(volumeCapability?.mount?.mountFlags ?? [])]);
    return;
  }
  if (!(await shows(mounted, folder))) throw new RpcError('ALREADY_EXISTS', `Something else is mounted at ${targetPath}. Unmount it first.`);
  if (mounted.readOnly !== readOnly) throw new RpcError('ALREADY_EXISTS', `Volume ${volumeId} is mounted at ${targetPath} ${mounted.readOnly ? 'read-only' : 'writable'}. Unpublish it first.`);
}

/** Only unmount and rmdir, never a recursive removal: a mount that stayed would lose the user's files. */
async function unpublish(targetPath: string): Promise<void> {
  while ((await mountAt(targetPath)) !== undefined) await unmount(targetPath);
  await rmdir(targetPath).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  });
}

async function stats(volumes: Store<VolumeRecord>, { volumeId, volumePath }: NodeGetVolumeStatsRequest): Promise<object> {
  required('volume_path', volumePath);
  const folder = await folderOf(volumes, required('volume_id', volumeId));
  const mounted = await mountAt(volumePath);
  if (mounted === undefined || !(await shows(mounted, folder))) throw new RpcError('NOT_FOUND', `Volume ${volumeId} is not mounted at ${volumePath}.`);
  // Of the whole file system: a directory has no limit of its own.
  const { bsize, blocks, bavail, bfree, files, ffree } = await statfs(volumePath);
  return {
    usage: [
      { unit: 'BYTES', total: blocks * bsize, available: bavail * bsize, used: (blocks - bfree) * bsize },
      { unit: 'INODES', total: files, available: ffree, used: files - ffree },
    ],
  };
}

async function shows(mount: MountEntry, folder: string): Promise<boolean> {
  return (await mountsOf(folder)).some(({ mountPoint }) => mountPoint === mount.mountPoint);
}

async function folderOf(volumes: Store<VolumeRecord>, volumeId: string): Promise<string> {
  if ((await volumes.find(volumeId)) === undefined) throw new RpcError('NOT_FOUND', `There is no volume ${volumeId}.`);
  return volumes.dataOf(volumeId);
}
