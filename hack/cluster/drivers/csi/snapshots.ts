/** The snapshot half of the Controller service. A snapshot is ready when the call returns. */
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import { RpcError, unary } from '../grpc.ts';
import type { Serialise } from '../serialise.ts';
import type { Stores } from './controller.ts';
import { copyAtOneMoment } from './copy.ts';
import { required } from './messages.ts';
import type { CreateSnapshotRequest, ListSnapshotsRequest } from './messages.ts';
import { idOf } from './store.ts';
import type { SnapshotRecord } from './store.ts';

export function snapshotMethods(stores: Stores, serialise: Serialise): UntypedServiceImplementation {
  return {
    CreateSnapshot: unary('CreateSnapshot', async (request: CreateSnapshotRequest) => {
      const id = idOf(required('name', request.name));
      required('source_volume_id', request.sourceVolumeId);
      return { snapshot: asMessage(await serialise(`snapshot ${id}`, () => createSnapshot(stores, id, request))) };
    }),
    DeleteSnapshot: unary('DeleteSnapshot', async ({ snapshotId }: { snapshotId: string }) => {
      const id = required('snapshot_id', snapshotId);
      await serialise(`snapshot ${id}`, () => stores.snapshots.remove(id));
      return {};
    }),
    ListSnapshots: unary('ListSnapshots', async (request: ListSnapshotsRequest) => page(await stores.snapshots.list(), request)),
  };
}

async function createSnapshot({ volumes, snapshots }: Stores, id: string, { name, sourceVolumeId }: CreateSnapshotRequest): Promise<SnapshotRecord> {
  const existing = await snapshots.find(id);
  if (existing?.sourceVolumeId === sourceVolumeId) return existing;
  if (existing !== undefined) throw new RpcError('ALREADY_EXISTS', `Snapshot ${name} exists, of volume ${existing.sourceVolumeId}.`);
  const volume = await volumes.find(sourceVolumeId);
  if (volume === undefined) throw new RpcError('NOT_FOUND', `There is no volume ${sourceVolumeId}.`);
  const snapshot: SnapshotRecord = { id, name, sourceVolumeId, sizeBytes: volume.capacityBytes, createdAtMs: Date.now() };
  await snapshots.add(snapshot, (data) => copyAtOneMoment(volumes.dataOf(sourceVolumeId), data));
  return snapshot;
}

/** One page of a list; the token is the position of its first entry. */
function page(all: SnapshotRecord[], { snapshotId, sourceVolumeId, startingToken, maxEntries }: ListSnapshotsRequest): object {
  const wanted = all.filter((one) => (snapshotId === '' || one.id === snapshotId) && (sourceVolumeId === '' || one.sourceVolumeId === sourceVolumeId));
  const start = startingToken === '' ? 0 : Number(startingToken);
  if (!Number.isInteger(start) || start < 0 || start > wanted.length) throw new RpcError('ABORTED', `starting_token "${startingToken}" is not one that ListSnapshots gave. Start again without it.`);
  const end = maxEntries === 0 ? wanted.length : Math.min(start + maxEntries, wanted.length);
  return {
    entries: wanted.slice(start, end).map((one) => ({ snapshot: asMessage(one) })),
    nextToken: end < wanted.length ? String(end) : '',
  };
}

function asMessage({ id, sourceVolumeId, sizeBytes, createdAtMs }: SnapshotRecord): object {
  const creationTime = { seconds: Math.floor(createdAtMs / 1000), nanos: (createdAtMs % 1000) * 1_000_000 };
  return { snapshotId: id, sourceVolumeId, sizeBytes, creationTime, readyToUse: true };
}
