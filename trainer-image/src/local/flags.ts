/** What `anneal-train` can be told. */
import { parseArgs } from 'node:util';
import type { ParseArgsConfig } from 'node:util';
import { AnnealError } from '../errors.ts';

export const usage = `anneal-train -f FILE [flags]
  -f, --file FILE        a TrainingJob, or the content of its spec.trainer, in YAML or JSON; - for standard input
  --name NAME            which TrainingJob, where the file holds several; names the model of a bare spec.trainer
  --out DIR              folder for checkpoints, model and report; ./NAME unless given
  --dry-run              train nothing: look at the data, and say what would be done, with estimates of time and memory
  --set PATH=VALUE       change a field first, for example fit.epochs=3 or spec.checkpoint.keep=1; may be repeated
  --mount URI=DIR        folder that stands for pvc://CLAIM or configmap://NAME; may be repeated
  --pseudonym-key FILE   the key for data.privacy.pseudonymise, which a cluster has in a Secret
  --threads N            threads of TensorFlow
  --json                 the result, or with --dry-run the plan, as JSON on standard output
  --verbose              each line of the trainer's log
  --help                 print this
anneal-train serve --model-dir DIR --name NAME [--port 8080] [--pseudonym-key FILE]
  Serves a model by the Open Inference Protocol V2.
anneal-train version

Ends with 0 when the model is there, 1 when trying again may help, 2 when the manifest, the data or a flag must change, 143 when it was stopped.
Run it again to go on from the last checkpoint.`;

export interface Flags {
  readonly file: string;
  readonly name?: string;
  readonly out?: string;
  readonly dryRun: boolean;
  readonly assignments: readonly string[];
  readonly mounts: readonly string[];
  readonly pseudonymKey?: string;
  readonly threads?: number;
  readonly json: boolean;
  readonly verbose: boolean;
}

/** @returns undefined where help is asked for. @throws AnnealError `COMMAND_INVALID` */
export function parseFlags(args: readonly string[]): Flags | undefined {
  const { file, name, out, threads, 'pseudonym-key': pseudonymKey, set = [], mount = [], help = false, json = false, verbose = false, 'dry-run': dryRun = false } = valuesOf(args, options, 'anneal-train --help');
  if (help) return undefined;
  if (file === undefined) throw invalid('There is no manifest; write -f FILE, or -f - for standard input. See anneal-train --help.');
  return {
    file, dryRun, assignments: set, mounts: mount, json, verbose,
    ...(name === undefined ? {} : { name }),
    ...(out === undefined ? {} : { out }),
    ...(pseudonymKey === undefined ? {} : { pseudonymKey }),
    ...(threads === undefined ? {} : { threads: threadsOf(threads) }),
  };
}

const options = {
  file: { type: 'string', short: 'f' }, name: { type: 'string' }, out: { type: 'string' }, threads: { type: 'string' }, 'pseudonym-key': { type: 'string' }, 'dry-run': { type: 'boolean' }, set: { type: 'string', multiple: true },
  mount: { type: 'string', multiple: true }, json: { type: 'boolean' }, verbose: { type: 'boolean' }, help: { type: 'boolean', short: 'h' },
} as const;

/** @param help  where the flags are told of. @throws AnnealError `COMMAND_INVALID` for those that there are not */
export function valuesOf<const T extends NonNullable<ParseArgsConfig['options']>>(args: readonly string[], options: T, help: string) {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw invalid(`${error.message.split('. ', 1)[0] ?? ''}. See ${help}.`, error);
  }
}

function threadsOf(text: string): number {
  const threads = Number(text);
  if (Number.isInteger(threads) && threads >= 1 && threads <= 4096) return threads;
  throw invalid(`--threads is "${text}". Write a whole number from 1 to 4096.`);
}

/** Something that was typed and that cannot be done. */
export function invalid(message: string, cause?: unknown): AnnealError {
  return new AnnealError('COMMAND_INVALID', { message, cause });
}
