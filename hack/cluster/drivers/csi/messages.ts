/** The messages of csi.proto v1 that the driver reads; fields as proto-loader names them. An absent message is null, an absent scalar its zero. */
import { RpcError } from '../grpc.ts';

export interface VolumeCapability {
  accessType?: 'mount' | 'block';
  mount?: { mountFlags: string[] } | null;
  accessMode: { mode: string } | null;
}

export interface CreateVolumeRequest {
  name: string;
  capacityRange: { requiredBytes: number; limitBytes: number } | null;
  volumeCapabilities: VolumeCapability[];
  volumeContentSource: { type?: 'snapshot' | 'volume'; snapshot?: { snapshotId: string }; volume?: { volumeId: string } } | null;
}

export interface ValidateVolumeCapabilitiesRequest {
  volumeId: string;
  volumeCapabilities: VolumeCapability[];
  volumeContext: Record<string, string>;
  parameters: Record<string, string>;
}

export interface CreateSnapshotRequest {
  name: string;
  sourceVolumeId: string;
}

export interface ListSnapshotsRequest {
  maxEntries: number;
  startingToken: string;
  sourceVolumeId: string;
  snapshotId: string;
}

export interface NodePublishVolumeRequest {
  volumeId: string;
  targetPath: string;
  volumeCapability: VolumeCapability | null;
  readonly: boolean;
}

export interface TargetRequest {
  volumeId: string;
  targetPath: string;
}

export interface NodeGetVolumeStatsRequest {
  volumeId: string;
  volumePath: string;
}

/** The value of a required field. */
export function required(field: string, value: string): string {
  if (value === '') throw new RpcError('INVALID_ARGUMENT', `${field} is empty. Set it.`);
  return value;
}

const modes: Record<string, { readOnly: boolean }> = {
  SINGLE_NODE_WRITER: { readOnly: false },
  SINGLE_NODE_SINGLE_WRITER: { readOnly: false },
  SINGLE_NODE_MULTI_WRITER: { readOnly: false },
  SINGLE_NODE_READER_ONLY: { readOnly: true },
  MULTI_NODE_READER_ONLY: { readOnly: true },
  MULTI_NODE_SINGLE_WRITER: { readOnly: false },
  MULTI_NODE_MULTI_WRITER: { readOnly: false },
};

/** Why a directory cannot be offered this way; undefined when it can. All nodes share one machine, so every access mode holds. */
export function unsupported(capability: VolumeCapability): string | undefined {
  if (capability.accessType !== 'mount') return 'The driver offers directories only. Ask for volumeMode Filesystem.';
  const mode = capability.accessMode?.mode ?? 'UNKNOWN';
  return mode in modes ? undefined : `Access mode ${mode} is not known. Use one of ${Object.keys(modes).join(', ')}.`;
}

export function requireSupported(capabilities: readonly (VolumeCapability | null)[]): void {
  if (capabilities.length === 0 || capabilities.includes(null)) throw new RpcError('INVALID_ARGUMENT', 'A volume capability is missing. Give the access type and the access mode.');
  for (const capability of capabilities) {
    const reason = capability === null ? undefined : unsupported(capability);
    if (reason !== undefined) throw new RpcError('INVALID_ARGUMENT', reason);
  }
}

export function isReadOnly(capability: VolumeCapability | null): boolean {
  return modes[capability?.accessMode?.mode ?? '']?.readOnly ?? false;
}
