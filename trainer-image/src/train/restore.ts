/** Begins a run from a checkpoint of another job: goes on where that one stood, or takes its weights alone. */
import path from 'node:path';
import { AnnealError } from '../errors.ts';
import { namesIn } from '../files.ts';
import { byNewest, isCheckpointName, readAny } from './checkpoint.ts';
import type { Checkpoint, Kinship } from './checkpoint.ts';

export type Restored =
  /** The same training with perhaps another number of epochs: everything is taken over. */
  | { readonly kind: 'GoneOn'; readonly checkpoint: Checkpoint }
  /** Other data or other settings: only the weights are. */
  | { readonly kind: 'WeightsOnly'; readonly checkpoint: Checkpoint };

const at = 'spec.checkpoint.restoreFrom';

/**
 * @param from  folder of one checkpoint, or of several, or of a job's volume
 * @throws AnnealError `CHECKPOINT_FOREIGN` when there is none, or none of this network
 */
export function restore(from: string, kinship: Kinship, passedOver: (name: string, why: string) => void): Restored {
  const [folder, names] = candidates(from);
  for (const name of names) {
    const read = readAny(folder, name);
    if (typeof read === 'string') {
      passedOver(name, read);
      continue;
    }
    if (read.kinship.lineage === kinship.lineage) return { kind: 'GoneOn', checkpoint: read };
    if (read.kinship.network === kinship.network) return { kind: 'WeightsOnly', checkpoint: read };
    throw new AnnealError('CHECKPOINT_FOREIGN', { at, message: `Checkpoint ${name} is of a network with other layers, inputs or classes. Give spec.trainer.model and the features as in the job that it is from, or remove restoreFrom.` });
  }
  throw new AnnealError('CHECKPOINT_FOREIGN', { at, message: `There is no complete checkpoint in ${from}. Name the folder of one, as status.checkpoint.path of its job has it, or remove restoreFrom.` });
}

/** Threads of the checkpoint that would be taken, since the last bits depend on them. */
export function candidates(from: string): [folder: string, names: readonly string[]] {
  const within = namesIn(from);
  if (within.includes('checkpoint.json')) return [path.dirname(from), [path.basename(from)]];
  if (within.includes('checkpoints')) return candidates(path.join(from, 'checkpoints'));
  return [from, byNewest(within.filter(isCheckpointName))];
}
