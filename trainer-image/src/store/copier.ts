/** Copies checkpoints while training goes on: one at a time, and always the newest. */
import path from 'node:path';
import type { CheckpointReport } from '@anneal/operator/api';
import { AnnealError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Copies } from './copies.ts';

export interface Copier {
  /** True when the checkpoint is in the bucket; where it is not, it will be, unless a newer one overtakes it. */
  offer(checkpoint: CheckpointReport): boolean;
  /** Waits until the newest one is copied or has failed, for this long at most. */
  settle(withinMs: number): Promise<void>;
}

export interface CopierOptions {
  readonly copies: Copies;
  readonly keep: number;
  readonly log: Log;
  /** Called when a checkpoint is complete in the bucket. */
  readonly onCopied: () => void;
  /** Another attempt owns the bucket: this one must end. */
  readonly onSuperseded: () => void;
}

export function createCopier({ copies, keep, log, onCopied, onSuperseded }: CopierOptions): Copier {
  let waiting: string | undefined;
  let copied: string | undefined;
  let offered: string | undefined;
  let work: Promise<void> | undefined;

  const copyAll = async (): Promise<void> => {
    for (let name = waiting; name !== undefined; name = waiting) {
      waiting = undefined;
      try {
        await copies.copyCheckpoint(name, keep);
        copied = name;
        onCopied();
      } catch (error) {
        if (error instanceof AnnealError && error.code === 'SUPERSEDED') {
          onSuperseded();
          return;
        }
        // Training goes on: the next checkpoint is copied in its place.
        log('warn', 'Checkpoint could not be copied to the bucket', { checkpoint: name, bucket: copies.uri, error: error instanceof Error ? error.message : String(error) });
      }
    }
  };

  return {
    offer: (checkpoint) => {
      const name = path.basename(checkpoint.path ?? '');
      if (name !== offered) {
        offered = waiting = name;
        work ??= copyAll().finally(() => (work = undefined));
      }
      return copied === name;
    },
    settle: async (withinMs) => {
      let timer: NodeJS.Timeout | undefined;
      const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, withinMs)));
      await Promise.race([work, patience]);
      clearTimeout(timer);
    },
  };
}
