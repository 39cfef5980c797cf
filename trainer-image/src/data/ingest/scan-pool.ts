/** Reads blocks on several threads, and gives what they hold in the order of the blocks. */
import { Worker } from 'node:worker_threads';
import type { Block } from './blocks.ts';
import { scanner } from './scan.ts';
import type { Scan, ScanOrder } from './scan.ts';
import type { BlockMessage, ScanMessage } from './scan-worker.ts';

export interface OrderedScan {
  readonly scan: Scan;
  readonly block: { readonly offset: number; readonly isTooLong: boolean };
  /** Which thread read it; each has its own codes for texts and its own order of columns. */
  readonly thread: number;
}

/** Memory for blocks, which comes back once they are read. */
export type Memory = (bytes: number) => ArrayBuffer;

/** Blocks that wait at a thread, so that it never waits for one. */
const blocksAhead = 2;
/** Beside the bundle as `scan-worker.js`; a module of its own when run from source. */
const workerUrl = new URL(import.meta.url.endsWith('.ts') ? './scan-worker.ts' : './scan-worker.js', import.meta.url);

/**
 * Block n goes to thread n mod threads, so that what each thread meets, and in which order, is always the same.
 * @param threads  0 reads in this thread
 * @param cut  gives the blocks, in memory that it is given
 */
export async function* scanBlocks(threads: number, order: ScanOrder, cut: (memory: Memory) => AsyncIterable<Block>, signal: AbortSignal): AsyncGenerator<OrderedScan, void, undefined> {
  if (threads === 0) {
    const scan = scanner(order);
    for await (const block of cut((bytes) => new ArrayBuffer(bytes))) {
      signal.throwIfAborted();
      yield { scan: scan(block.bytes, block.end), block, thread: 0 };
    }
    return;
  }
  await using pool = new ScanPool(threads, order);
  const waiting: Promise<OrderedScan>[] = [];
  for await (const block of cut(pool.memory)) {
    signal.throwIfAborted();
    waiting.push(pool.read(block));
    const [first] = waiting.length > threads * blocksAhead ? waiting.splice(0, 1) : [];
    if (first !== undefined) yield await first;
  }
  for (const scan of waiting) yield await scan;
}

class ScanPool implements AsyncDisposable {
  readonly #workers: readonly Worker[];
  readonly #answers: ((message: ScanMessage) => void)[][];
  readonly #spare: ArrayBuffer[] = [];
  readonly #failed: Promise<never>;
  #blocks = 0;

  constructor(threads: number, order: ScanOrder) {
    this.#workers = Array.from({ length: threads }, () => new Worker(workerUrl, { workerData: order }));
    this.#answers = this.#workers.map(() => []);
    this.#failed = new Promise((_, reject) => {
      for (const worker of this.#workers) worker.once('error', reject);
    });
    // Whoever waits for a block hears of it; where nobody does, the pool is at its end.
    this.#failed.catch(() => undefined);
    this.#workers.forEach((worker, thread) => worker.on('message', (message: ScanMessage) => {
      this.#spare.push(message.bytes.buffer);
      this.#answers[thread]?.shift()?.(message);
    }));
  }

  readonly memory: Memory = (bytes) => {
    const found = this.#spare.findIndex(({ byteLength }) => byteLength === bytes);
    return this.#spare.splice(found < 0 ? this.#spare.length : found, 1)[0] ?? new ArrayBuffer(bytes);
  };

  read({ bytes, end, offset, isTooLong }: Block): Promise<OrderedScan> {
    const thread = this.#blocks++ % this.#workers.length;
    const message: BlockMessage = { bytes, end };
    const answered = new Promise<ScanMessage>((resolve) => this.#answers[thread]?.push(resolve));
    this.#workers[thread]?.postMessage(message, [bytes.buffer]);
    const read = Promise.race([answered, this.#failed]).then(({ scan }) => ({ scan, block: { offset, isTooLong }, thread }));
    // A fault in an earlier block ends the reading; nobody then waits for this one.
    read.catch(() => undefined);
    return read;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}
