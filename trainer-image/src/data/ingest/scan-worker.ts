/** Entry of a thread that reads blocks. */
import { parentPort, workerData } from 'node:worker_threads';
import { memoryOf, scanner } from './scan.ts';
import type { Scan, ScanOrder } from './scan.ts';

export interface BlockMessage {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly end: number;
}

export interface ScanMessage {
  readonly scan: Scan;
  /** Memory of the block, to be used again. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

if (parentPort === null) throw new Error('scan-worker.ts is the entry of a worker thread.');
const port = parentPort;
const scan = scanner(workerData as ScanOrder);
port.on('message', ({ bytes, end }: BlockMessage) => {
  const scanned = scan(bytes, end);
  const message: ScanMessage = { scan: scanned, bytes };
  port.postMessage(message, [...new Set([bytes.buffer, ...memoryOf(scanned)])]);
});
