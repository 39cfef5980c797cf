/** Entry of the training thread: the maths blocks it, so that the main thread never is. */
import { parentPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { linkOver } from './collective/link.ts';
import { hearControl } from './control.ts';
import type { TrainingEvent, TrainingOrder } from './order.ts';
import { runTraining } from './run.ts';

export interface WorkerInput {
  readonly order: TrainingOrder;
  /** What `speakControl` writes. Shared memory, since a thread in a loop hears no message. */
  readonly control: Int32Array;
  /** The way to the other replicas, and this one's name among them. */
  readonly peers?: { readonly port: MessagePort; readonly incarnation: string };
}

if (parentPort === null) throw new Error('worker.ts is the entry of a worker thread.');
const port = parentPort;
const { order, control, peers } = workerData as WorkerInput;
const tell = (event: TrainingEvent): void => port.postMessage(event);
const abort = new AbortController();
port.on('message', () => abort.abort());

const outcome = await runTraining(order, {
  ...hearControl(control),
  signal: abort.signal,
  now: Date.now,
  report: (report) => tell({ kind: 'Progress', report }),
  log: (level, message, fields = {}) => tell({ kind: 'Log', level, message, fields }),
  ...(peers === undefined ? {} : { link: linkOver(peers.port, peers.incarnation) }),
});
// What it still sends is sent before the main thread sees this end closed.
peers?.port.close();
tell({ kind: 'Ended', outcome });
port.close();
