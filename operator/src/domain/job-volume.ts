/** The volume that holds a job's checkpoints and model. */
import { childName, labels, managedBy, type Owner, type TrainingJobSpec } from '../api/index.ts';

export interface JobVolume {
  readonly claimName: string;
  /** Folder of the job on a volume that it shares with others; undefined on a volume of its own. */
  readonly subPath?: string;
  /** Size and class of the claim to make; undefined for a claim that exists. */
  readonly template?: NonNullable<TrainingJobSpec['checkpoint']['volume']['claimTemplate']>;
}

/** The built-in trainer always has a volume, since its model must go somewhere; roles have one where they ask for it. */
export function volumeOf(owner: Owner, spec: TrainingJobSpec): JobVolume | undefined {
  const { claimName, claimTemplate } = spec.checkpoint.volume;
  if (claimName !== undefined) return { claimName, subPath: owner.name };
  if (claimTemplate === undefined && spec.trainer === undefined) return undefined;
  return { claimName: childName(owner, 'volume'), template: claimTemplate ?? { size: '1Gi', accessModes: ['ReadWriteOnce'] } };
}

/** Path of something in the job's folder, from the root of the volume. */
export function pathOnVolume(volume: JobVolume, path: string): string {
  return volume.subPath === undefined ? path : `${volume.subPath}/${path}`;
}

export function volumeClaim(owner: Owner, claimName: string, template: NonNullable<JobVolume['template']>) {
  return {
    metadata: { name: claimName, labels: { [labels.managedBy]: managedBy, [labels.trainingJob]: owner.name } },
    spec: {
      accessModes: template.accessModes,
      resources: { requests: { storage: String(template.size) } },
      ...(template.storageClassName === undefined ? {} : { storageClassName: template.storageClassName }),
    },
  };
}
