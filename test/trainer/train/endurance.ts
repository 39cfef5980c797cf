/** A program that trains, in a process with nothing else in it, and prints what memory is held as epochs go by. To be run with `--expose-gc`. */
import { text } from 'node:stream/consumers';
import type { TrainerSpec } from '@anneal/operator/api';
import { native, tf } from '../../../trainer-image/src/model/backend.ts';
import { succeeded, train } from '../support.ts';

export interface Held {
  readonly tensors: number;
  /** What TensorFlow holds for this process by number, sessions aside. */
  readonly nativeTensors: number;
  /** Of the whole process, without what JavaScript holds. */
  readonly nativeBytes: number;
  readonly heapBytes: number;
}

export interface EnduranceInput {
  readonly spec: TrainerSpec;
  readonly volume: string;
  /** Reports between two looks; each epoch ends with one. */
  readonly every: number;
}

function held(): Held {
  globalThis.gc?.();
  const { rss, heapTotal, heapUsed } = process.memoryUsage();
  return { tensors: tf.memory().numTensors, nativeTensors: native().binding.getNumOfTensors(), nativeBytes: rss - heapTotal, heapBytes: heapUsed };
}

if (import.meta.main) {
  const { spec, volume, every } = JSON.parse(await text(process.stdin)) as EnduranceInput;
  const looks: Held[] = [];
  let reports = 0;
  succeeded(await train(spec, volume, {
    checkpointIntervalSeconds: 3600,
    onReport: () => {
      if (++reports % every === 0) looks.push(held());
    },
  }));
  process.stdout.write(JSON.stringify(looks));
}
