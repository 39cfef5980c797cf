/** What the main thread tells a training thread that hears no message: a few numbers in shared memory. */
import type { ProgressReply } from '@anneal/operator/api';
import type { TrainingHooks } from './order.ts';

/** Places in the memory. */
const [stopAt, wishesAt, intervalAt] = [0, 1, 2];

export interface ControlSpeaker {
  readonly memory: Int32Array;
  stop(): void;
  heed(reply: ProgressReply): void;
}

export function speakControl(): ControlSpeaker {
  const memory = new Int32Array(new SharedArrayBuffer(12));
  let obeyed: string | undefined;
  return {
    memory,
    stop: () => void Atomics.store(memory, stopAt, 1),
    heed: ({ checkpointIntervalSeconds, checkpointNow }) => {
      if (checkpointIntervalSeconds !== undefined) Atomics.store(memory, intervalAt, Math.max(1, Math.round(checkpointIntervalSeconds)));
      if (checkpointNow === undefined || checkpointNow === obeyed) return;
      obeyed = checkpointNow;
      Atomics.add(memory, wishesAt, 1);
    },
  };
}

export function hearControl(memory: Int32Array): Pick<TrainingHooks, 'stopRequested' | 'checkpointRequested' | 'checkpointInterval'> {
  let granted = 0;
  return {
    stopRequested: () => Atomics.load(memory, stopAt) === 1,
    checkpointRequested: () => {
      const wishes = Atomics.load(memory, wishesAt);
      if (wishes === granted) return false;
      granted = wishes;
      return true;
    },
    checkpointInterval: () => {
      const seconds = Atomics.load(memory, intervalAt);
      return seconds === 0 ? undefined : seconds;
    },
  };
}
