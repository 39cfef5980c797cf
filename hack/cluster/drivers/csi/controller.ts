/** The Controller service: makes and removes volumes. Every call may come again, also after it succeeded. */
import { loadService } from '../protos.ts';
import { RpcError, unary } from '../grpc.ts';
import type { Service } from '../grpc.ts';
import type { Serialise } from '../serialise.ts';
import { copyAtOneMoment } from './copy.ts';
import { required, requireSupported, unsupported } from './messages.ts';
import type { CreateVolumeRequest, ValidateVolumeCapabilitiesRequest } from './messages.ts';
import { mountsOf } from './mounts.ts';
import { snapshotMethods } from './snapshots.ts';
import { idOf } from './store.ts';
import type { ContentSource, SnapshotRecord, Store, VolumeRecord } from './store.ts';

export interface Stores {
  volumes: Store<VolumeRecord>;
  snapshots: Store<SnapshotRecord>;
}

const defaultBytes = 1024 ** 3;
const capabilities = ['CREATE_DELETE_VOLUME', 'CREATE_DELETE_SNAPSHOT', 'LIST_SNAPSHOTS', 'CLONE_VOLUME', 'SINGLE_NODE_MULTI_WRITER'];

export async function controllerService(stores: Stores, serialise: Serialise): Promise<Service> {
  return {
    definition: await loadService('csi', 'csi.v1.Controller'),
    methods: {
      ControllerGetCapabilities: unary('ControllerGetCapabilities', () => ({ capabilities: capabilities.map((type) => ({ rpc: { type } })) })),
      CreateVolume: unary('CreateVolume', async (request: CreateVolumeRequest) => {
        const id = idOf(required('name', request.name));
        requireSupported(request.volumeCapabilities);
        return { volume: asMessage(await serialise(`volume ${id}`, () => createVolume(stores, id, request))) };
      }),
      DeleteVolume: unary('DeleteVolume', async ({ volumeId }: { volumeId: string }) => {
        const id = required('volume_id', volumeId);
        await serialise(`volume ${id}`, () => deleteVolume(stores, id));
        return {};
      }),
      ValidateVolumeCapabilities: unary('ValidateVolumeCapabilities', (request: ValidateVolumeCapabilitiesRequest) => validate(stores, request)),
      ...snapshotMethods(stores, serialise),
    },
  };
}

async function createVolume({ volumes, snapshots }: Stores, id: string, request: CreateVolumeRequest): Promise<VolumeRecord> {
  const { requiredBytes, limitBytes } = request.capacityRange ?? { requiredBytes: 0, limitBytes: 0 };
  if (limitBytes > 0 && requiredBytes > limitBytes) throw new RpcError('OUT_OF_RANGE', `required_bytes ${requiredBytes} is more than limit_bytes ${limitBytes}.`);
  const source = sourceOf(request);

  const existing = await volumes.find(id);
  if (existing !== undefined) {
    const fits = existing.capacityBytes >= requiredBytes && (limitBytes === 0 || existing.capacityBytes <= limitBytes);
    if (!fits) throw new RpcError('ALREADY_EXISTS', `Volume ${request.name} exists with ${existing.capacityBytes} bytes, which is outside ${requiredBytes} to ${limitBytes}.`);
    if (!sameSource(existing.source, source)) throw new RpcError('ALREADY_EXISTS', `Volume ${request.name} exists with other content.`);
    return existing;
  }

  const content = source === undefined ? undefined : await contentOf({ volumes, snapshots }, source);
  const wanted = requiredBytes || Math.min(content?.bytes ?? defaultBytes, limitBytes || Infinity);
  if (content !== undefined && wanted < content.bytes) throw new RpcError('OUT_OF_RANGE', `${wanted} bytes are too few for content of ${content.bytes} bytes. Ask for at least as many.`);
  const volume: VolumeRecord = { id, name: request.name, capacityBytes: wanted, source };
  await volumes.add(volume, async (data) => {
    if (content !== undefined) await copyAtOneMoment(content.folder, data);
  });
  return volume;
}

function sourceOf({ volumeContentSource: from }: CreateVolumeRequest): ContentSource | undefined {
  if (from === null) return undefined;
  if (from.snapshot) return { kind: 'snapshot', snapshotId: required('snapshot_id', from.snapshot.snapshotId) };
  if (from.volume) return { kind: 'volume', volumeId: required('volume_id', from.volume.volumeId) };
  throw new RpcError('INVALID_ARGUMENT', 'volume_content_source names neither a snapshot nor a volume.');
}

function sameSource(one: ContentSource | undefined, other: ContentSource | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

async function contentOf({ volumes, snapshots }: Stores, source: ContentSource): Promise<{ folder: string; bytes: number }> {
  if (source.kind === 'snapshot') {
    const snapshot = await snapshots.find(source.snapshotId);
    if (snapshot === undefined) throw new RpcError('NOT_FOUND', `There is no snapshot ${source.snapshotId}.`);
    return { folder: snapshots.dataOf(snapshot.id), bytes: snapshot.sizeBytes };
  }
  const volume = await volumes.find(source.volumeId);
  if (volume === undefined) throw new RpcError('NOT_FOUND', `There is no volume ${source.volumeId}.`);
  return { folder: volumes.dataOf(volume.id), bytes: volume.capacityBytes };
}

async function deleteVolume({ volumes }: Stores, id: string): Promise<void> {
  if ((await volumes.find(id)) !== undefined) {
    const [inUse] = await mountsOf(volumes.dataOf(id));
    if (inUse !== undefined) throw new RpcError('FAILED_PRECONDITION', `Volume ${id} is still mounted at ${inUse.mountPoint}. Unpublish it first.`);
  }
  await volumes.remove(id);
}

async function validate({ volumes }: Stores, request: ValidateVolumeCapabilitiesRequest): Promise<object> {
  const id = required('volume_id', request.volumeId);
  if (request.volumeCapabilities.length === 0) throw new RpcError('INVALID_ARGUMENT', 'volume_capabilities is empty. Name at least one.');
  if ((await volumes.find(id)) === undefined) throw new RpcError('NOT_FOUND', `There is no volume ${id}.`);
  const message = request.volumeCapabilities.map(unsupported).find((reason) => reason !== undefined);
  if (message !== undefined) return { message };
  const { volumeCapabilities, volumeContext, parameters } = request;
  return { confirmed: { volumeCapabilities, volumeContext, parameters } };
}

function asMessage({ id, capacityBytes, source }: VolumeRecord): object {
  return { volumeId: id, capacityBytes, ...(source === undefined ? {} : { contentSource: { [source.kind]: source } }) };
}
