/** Entry of the training thread: the maths blocks it, so that the main thread never is. */
import { parentPort, workerData } from 'node:worker_threads';
import { hearControl } from './control.ts';
import type { TrainingEvent, TrainingOrder } from './order.ts';
import { runTraining } from './run.ts';

export interface WorkerInput {
  readonly order: TrainingOrder;
  /** What `speakControl` writes. Shared memory, since a thread in a loop hears no message. */
  readonly control: Int32Array;
}

if (parentPort === null) throw new Error('worker.ts is the entry of a worker thread.');
const port = parentPort;
const { order, control } = workerData as WorkerInput;
const tell = (event: TrainingEvent): void => port.postMessage(event);
const abort = new AbortController();
port.on('message', () => abort.abort());

const outcome = await runTraining(order, {
  ...hearControl(control),
  signal: abort.signal,
  now: Date.now,
  report: (report) => tell({ kind: 'Progress', report }),
  log: (level, message, fields = {}) => tell({ kind: 'Log', level, message, fields }),
});
tell({ kind: 'Ended', outcome });
port.close();
