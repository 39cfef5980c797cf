/** Entry of the thread that makes a plan: a thread as of a training, since that decides what memory it takes. */
import { totalmem } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { toAnnealError } from '../../errors.ts';
import { makePlan } from './make.ts';
import type { PlanEvent, PlanInput } from './messages.ts';

if (parentPort === null) throw new Error('worker.ts is the entry of a worker thread.');
const port = parentPort;
const tell = (event: PlanEvent): void => port.postMessage(event);
const stop = new AbortController();
port.on('message', () => stop.abort());

try {
  const plan = await makePlan({
    ...(workerData as PlanInput),
    log: (level, message, fields = {}) => tell({ kind: 'Log', level, message, fields }),
    signal: stop.signal,
    now: Date.now,
    memory: { resident: () => process.memoryUsage.rss(), peak: () => process.resourceUsage().maxRSS * 1024, total: totalmem() },
  });
  tell({ kind: 'Planned', plan });
} catch (error) {
  const { code, at, message } = toAnnealError(error);
  tell(stop.signal.aborted ? { kind: 'Stopped' } : { kind: 'Failed', code, message, ...(at === undefined ? {} : { at }) });
}
port.close();
