/** `anneal-train`: the spec of a cluster on one machine, without it. */
import path from 'node:path';
import { trainerExit } from '@anneal/operator/api';
import { AnnealError, toAnnealError } from '../errors.ts';
import { orderFrom } from '../train/environment.ts';
import type { TrainingOrder } from '../train/order.ts';
import { environmentOf } from './environment.ts';
import { parseFlags, usage } from './flags.ts';
import type { Flags } from './flags.ts';
import { ManifestRefused, readJob } from './manifest.ts';
import type { LocalJob } from './manifest.ts';
import { mountedFolders } from './mounts.ts';
import { createNarrator } from './narrator.ts';
import { planInThread, renderPlan } from './plan/index.ts';
import type { Terminal } from './terminal.ts';
import { shellWord } from './text.ts';
import { trainHere } from './train.ts';
import type { LocalRun } from './train.ts';

export interface Parts {
  readonly terminal: Terminal;
  /** As of `AttemptOptions`. */
  readonly tune: (preferred: number | undefined) => number;
  readonly memoryBytes: number;
}

/** @param args  without the program. @returns the exit code; what went wrong has been told */
export async function runLocal(args: readonly string[], { terminal, tune, memoryBytes }: Parts): Promise<number> {
  let flags: Flags | undefined;
  try {
    flags = parseFlags(args);
    if (flags === undefined) {
      terminal.print(`${usage}\n`);
      return trainerExit.ok;
    }
    const job = await readJob(flags, terminal);
    if (job.unused.length > 0) terminal.tell(`Not used here, since it takes a cluster: ${job.unused.join(', ')}.\n`);
    const places = { ...mountedFolders(job.spec, flags.mounts, terminal.directory), pseudonymKey: pseudonymKeyOf(job, flags, terminal) };
    // Read by TensorFlow when it is loaded; what is asked for here wins over what was set.
    if (flags.threads !== undefined) terminal.environment.TF_NUM_INTRAOP_THREADS = terminal.environment.TF_NUM_INTEROP_THREADS = String(flags.threads);
    const run = { job, flags, terminal, tune, memoryBytes, places };
    if (flags.dryRun) return await planHere(run);
    return await trainHere({ ...run, command: ['anneal-train', ...args].map(shellWord).join(' ') });
  } catch (error) {
    return failed(error, flags?.json === true, terminal);
  }
}

function pseudonymKeyOf({ spec: { data: { privacy } } }: LocalJob, { pseudonymKey }: Flags, { directory }: Terminal): string | undefined {
  if (pseudonymKey !== undefined) return path.resolve(directory, pseudonymKey);
  if (privacy?.pseudonymise === undefined) return undefined;
  throw new AnnealError('PRIVACY_KEY', { at: 'spec.trainer.data.privacy.pseudonymise.key', message: 'The key for pseudonyms is in a Secret of a cluster. Name a file that has it here: --pseudonym-key FILE.' });
}

async function planHere({ job, flags, terminal, tune, memoryBytes, places }: Omit<LocalRun, 'command'>): Promise<number> {
  const begun = terminal.now();
  const threads = tune(undefined);
  const narrator = createNarrator({ terminal, verbose: flags.verbose, watched: undefined });
  const stop = new AbortController();
  terminal.onInterrupt(() => stop.abort());
  const order = (volume: string): TrainingOrder => ({ ...orderFrom(environmentOf(job, { ...places, folder: volume, attempt: 1 }, terminal.environment), () => threads), memoryBytes });
  const plan = await planInThread({ name: job.name, order, log: narrator.log, begun, signal: stop.signal });
  narrator.close();
  if (plan === undefined) return trainerExit.terminated;
  terminal.print(`${flags.json ? JSON.stringify(plan) : renderPlan(plan)}\n`);
  return trainerExit.ok;
}

/** One line for each thing that is wrong: what, where, and by which code programs know it. */
function failed(error: unknown, asJson: boolean, terminal: Terminal): number {
  const errors = error instanceof ManifestRefused
    ? error.violations.map(({ at, sentence }) => new AnnealError('SPEC_INVALID', { message: sentence, ...(at === '' ? {} : { at }) }))
    : [toAnnealError(error)];
  for (const { code, at, message } of errors) terminal.tell(`error: ${message} (${code}${at === undefined ? '' : ` at ${at}`})\n`);
  if (asJson) terminal.print(`${JSON.stringify({ outcome: 'Failed', errors: errors.map(({ code, at, message }) => ({ code, at, message })) })}\n`);
  return errors.every(({ needsUser }) => needsUser) ? trainerExit.configurationError : trainerExit.applicationError;
}
