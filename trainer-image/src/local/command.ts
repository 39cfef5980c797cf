/** `anneal-train`: the spec of a cluster on one machine, without it. */
import { trainerExit } from '@anneal/operator/api';
import { AnnealError, toAnnealError } from '../errors.ts';
import { parseFlags, usage } from './flags.ts';
import type { Flags } from './flags.ts';
import { ManifestRefused, readJob } from './manifest.ts';
import { sourceFolder } from './mounts.ts';
import type { Terminal } from './terminal.ts';
import { shellWord } from './text.ts';
import { trainHere } from './train.ts';

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
    const folder = sourceFolder(job.spec.data.source, flags.mounts, terminal.directory);
    // Read by TensorFlow when it is loaded; what is asked for here wins over what was set.
    if (flags.threads !== undefined) terminal.environment.TF_NUM_INTRAOP_THREADS = terminal.environment.TF_NUM_INTEROP_THREADS = String(flags.threads);
    return await trainHere({ job, flags, terminal, tune, memoryBytes, sourceFolder: folder, command: ['anneal-train', ...args].map(shellWord).join(' ') });
  } catch (error) {
    return failed(error, flags?.json === true, terminal);
  }
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
