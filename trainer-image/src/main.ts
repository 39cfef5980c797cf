/** The trainer image's one program. Verbs: train, run, serve. Reads the process' environment and arguments, wires, and sets the exit code. */
import { onStopSignal } from './signals.ts';
import { availableParallelism, totalmem } from 'node:os';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import type { ProgressReply } from '@anneal/operator/api';
import { terminationMessagePath, trainerEnv, trainerExit } from '@anneal/operator/api';
import { AnnealError } from './errors.ts';
import { runLocal } from './local/command.ts';
import type { Terminal } from './local/terminal.ts';
import { createLog } from './log.ts';
import type { Log } from './log.ts';
import { memoryFor } from './memory.ts';
import { parseServeFlags } from './serve/flags.ts';
import { readCpuMax, threadsFor } from './threads.ts';
import { beginAttempt } from './train/attempt.ts';
import { textOf } from './train/environment.ts';
import type { TrainingOutcome } from './train/order.ts';
import { createPusher } from './train/progress.ts';
import type { Pusher } from './train/progress.ts';
import { writeTermination } from './train/termination.ts';
import { version } from './version.ts';

const usage = `Usage:
  anneal-trainer train [--termination-message FILE] [--grace-seconds N]
      Trains what ${trainerEnv.spec} says; see docs/trainer.md for the variables.
  anneal-trainer run -f FILE
      Trains what a TrainingJob says here, without a cluster; run --help names the flags. Also as anneal-train -f FILE.
  anneal-trainer serve --model-dir DIR --name NAME [--port 8080] [--max-body-bytes N] [--drain-seconds N] [--pseudonym-key FILE]
      Serves a model by the Open Inference Protocol V2.
  anneal-trainer version`;

const memory = (): number => memoryFor(totalmem(), process.constrainedMemory());

/** Set before TensorFlow is loaded, which reads them once. What the pod sets wins. @returns the threads that it, or ONNX Runtime, will use */
function tuneTensorFlow(preferred?: number): number {
  const threads = String(preferred ?? threadsFor(availableParallelism(), readCpuMax()));
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  process.env.TF_NUM_INTRAOP_THREADS ??= threads;
  process.env.TF_NUM_INTEROP_THREADS ??= threads;
  // On by itself only where the CPU has instructions for neural networks, though it nearly halves the time of a convolution everywhere.
  process.env.TF_ENABLE_ONEDNN_OPTS ??= '1';
  // TF32, which a GPU multiplies by unless told not to, keeps 10 of 23 bits: answers would be off by 1e-3, and not those of what is served.
  process.env.NVIDIA_TF32_OVERRIDE ??= '0';
  // A GPU sums in the order in which its threads come by, unless told not to: one seed would give another model each time.
  process.env.TF_DETERMINISTIC_OPS ??= '1';
  // Else it takes all of a GPU's memory, also where the GPU is shared.
  process.env.TF_FORCE_GPU_ALLOW_GROWTH ??= 'true';
  return Number(process.env.TF_NUM_INTRAOP_THREADS);
}

async function train(args: string[], log: Log): Promise<number> {
  const { values } = parseArgs({ args, options: { 'termination-message': { type: 'string', default: terminationMessagePath }, 'grace-seconds': { type: 'string', default: '20' } } });
  const outcome = await outcomeOf(log, Number(values['grace-seconds']) * 1000);
  switch (outcome.kind) {
    case 'Succeeded':
      writeTermination(values['termination-message'], outcome.result, log);
      log('info', 'Training succeeded', { ...outcome.result });
      return trainerExit.ok;
    case 'Stopped':
      log('info', 'Training stopped as asked', { checkpoint: outcome.checkpoint });
      return trainerExit.terminated;
    case 'Failed':
      writeTermination(values['termination-message'], outcome.failure, log);
      return outcome.needsUser ? trainerExit.configurationError : trainerExit.applicationError;
  }
}

async function outcomeOf(log: Log, graceMs: number): Promise<TrainingOutcome> {
  const attempt = beginAttempt({ environment: process.env, log, graceMs, tune: tuneTensorFlow, memoryBytes: memory(), push: (report) => pusher?.push(report) });
  const pusher = pusherOf(log, (reply) => attempt.heed(reply));
  onStopSignal(() => attempt.stop());
  const outcome = await attempt.ended;
  await pusher?.close(2000);
  return outcome;
}

function pusherOf(log: Log, heed: (reply: ProgressReply) => void): Pusher | undefined {
  const url = textOf(process.env, trainerEnv.progressUrl);
  if (url === undefined) return undefined;
  const tokenFile = textOf(process.env, trainerEnv.tokenFile);
  return createPusher({ url, ...(tokenFile === undefined ? {} : { tokenFile }) }, log, heed);
}

/** npm passes on what the terminal has already sent to all of its processes, so a second wish counts only some time after the first. */
const doubledMs = 1000;

async function run(args: string[]): Promise<number> {
  const terminal: Terminal = {
    directory: process.cwd(),
    environment: process.env,
    // A terminal that does not say how wide it is says 0.
    columns: process.stderr.isTTY ? process.stderr.columns || 80 : undefined,
    input: () => text(process.stdin),
    print: (told) => void process.stdout.write(told),
    tell: (told) => void process.stderr.write(told),
    onInterrupt: (listener) => {
      let first: number | undefined;
      onStopSignal(() => {
        if (first === undefined) listener();
        else if (Date.now() - first > doubledMs) process.exit(trainerExit.terminated);
        first ??= Date.now();
      });
    },
    now: Date.now,
  };
  const code = await runLocal(args, { terminal, tune: tuneTensorFlow, memoryBytes: memory() });
  // What goes into a pipe may still be on its way, and would be lost with the process.
  for (const stream of [process.stdout, process.stderr]) await new Promise<void>((resolve) => stream.write('', () => resolve()));
  return code;
}

/** TensorFlow is only loaded for a model that needs it; the main thread of a training never does. */
async function serve(args: string[], log: Log): Promise<number> {
  try {
    const flags = parseServeFlags(args);
    if (flags === undefined) {
      process.stdout.write(`${usage}\n`);
      return trainerExit.ok;
    }
    const stopAsked = new Promise<void>((resolve) => onStopSignal(resolve));
    const threads = tuneTensorFlow();
    const { serve: start } = await import('./serve/server.ts');
    const serving = await start({ ...flags, threads, log });
    await stopAsked;
    await serving.close();
    return trainerExit.ok;
  } catch (error) {
    if (!(error instanceof AnnealError)) throw error;
    process.stderr.write(`error: ${error.message} (${error.code})\n`);
    return error.needsUser ? trainerExit.configurationError : trainerExit.applicationError;
  }
}

async function main([verb = '', ...args]: string[]): Promise<number> {
  const log = createLog(textOf(process.env, 'ANNEAL_LOG_LEVEL') ?? 'info', { job: process.env[trainerEnv.job], attempt: process.env[trainerEnv.attempt] });
  switch (verb) {
    case 'train': return train(args, log);
    case 'run': return run(args);
    case 'serve': return serve(args, log);
    case 'version':
      process.stdout.write(`${version}\n`);
      return 0;
    default:
      process.stderr.write(`${usage}\n`);
      return trainerExit.configurationError;
  }
}

process.exit(await main(process.argv.slice(2)));
