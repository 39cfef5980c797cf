/** `anneal convert`: TrainingJobs from the training jobs of other operators, on standard output. */
import { parseArgs } from 'node:util';
import { convert, type Conversion, type Source } from '../domain/convert/index.ts';
import { InputError, readInput } from './files.ts';
import type { Terminal } from './terminal.ts';
import { parseYaml, renderYaml } from './yaml.ts';

export const convertUsage = `anneal convert -f FILE [-f FILE...] [--runtime FILE...] [--strict]
  -f, --file FILE      a manifest, a folder of manifests, or - for standard input
  --runtime FILE       where TrainingRuntimes and ClusterTrainingRuntimes are that TrainJobs refer to
  --strict             print nothing and end with 1 when a field was lost
  --help               print this

Takes TFJob, PyTorchJob, XGBoostJob, PaddleJob, JAXJob and MPIJob (kubeflow.org/v1), MPIJob (kubeflow.org/v2beta1) and TrainJob
(trainer.kubeflow.org/v1alpha1). Ends with 0 when all of them were converted and with 2 when one could not be.`;

const exitCodes = { done: 0, lost: 1, badInput: 2 } as const;

export async function runConvert(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    const flags = parseFlags(args);
    if (flags.help) {
      terminal.print(`${convertUsage}\n`);
      return exitCodes.done;
    }
    const [sources, runtimes] = [await readSources(flags.files, terminal), await readSources(flags.runtimes, terminal)];
    return report(convert(sources, runtimes), flags.strict, terminal);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    terminal.tell(`${error.message}\n`);
    return exitCodes.badInput;
  }
}

interface Flags {
  readonly files: readonly string[];
  readonly runtimes: readonly string[];
  readonly strict: boolean;
  readonly help: boolean;
}

function parseFlags(args: readonly string[]): Flags {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { file: { type: 'string', short: 'f', multiple: true }, runtime: { type: 'string', multiple: true }, strict: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    });
    const { file = [], runtime = [], strict = false, help = false } = values;
    if (file.length === 0 && !help) throw new InputError('There is nothing to convert; write -f FILE, or -f - for standard input.');
    return { files: file, runtimes: runtime, strict, help };
  } catch (error) {
    if (error instanceof InputError || !(error instanceof TypeError)) throw error;
    throw new InputError(`${error.message.split('. ', 1)[0] ?? ''}. See anneal convert --help.`, { cause: error });
  }
}

async function readSources(paths: readonly string[], terminal: Terminal): Promise<readonly Source[]> {
  const files = await Promise.all(paths.map((path) => readInput(path, terminal)));
  return files.flat().flatMap(parseYaml);
}

/** Prints all or nothing, so that what goes on to `kubectl apply` is never a part. */
function report({ conversions, passedOver, errors }: ReturnType<typeof convert>, strict: boolean, terminal: Terminal): number {
  for (const sentence of [...passedOver, ...errors]) terminal.tell(`${sentence}\n`);
  if (errors.length > 0) return exitCodes.badInput;
  if (conversions.length === 0 && passedOver.length === 0) {
    terminal.tell('The input holds no manifest.\n');
    return exitCodes.badInput;
  }
  for (const { source, notes } of conversions) for (const note of notes) terminal.tell(`${source.at}: ${note.kind.toLowerCase()} ${note.path}: ${note.why} ${note.instead}\n`);
  const lost = conversions.flatMap(({ notes }) => notes).filter(({ kind }) => kind === 'Lost').length;
  if (strict && lost > 0) {
    terminal.tell(`${lost} ${lost === 1 ? 'field was' : 'fields were'} lost, and --strict allows none.\n`);
    return exitCodes.lost;
  }
  terminal.print(conversions.map(render).join('---\n'));
  return exitCodes.done;
}

function render({ source, kind, name, job, notes }: Conversion): string {
  const title = `From the ${kind} ${name} (${source.at}).`;
  const parts = (['Lost', 'Changed'] as const).flatMap((wanted) => {
    const reasons = Map.groupBy(notes.filter((note) => note.kind === wanted), ({ why, instead }) => `${why} ${instead}`);
    return reasons.size === 0 ? [] : [`${wanted}:`, ...[...reasons].map(([reason, alike]) => `  ${alike.map(({ path }) => path).join(', ')}: ${reason}`)];
  });
  // A line end in a file's or a field's name must not end the comment.
  const comments = [title, ...parts].map((line) => `# ${line.replace(/[\r\n\u0085\u2028\u2029]+/g, ' ')}\n`);
  return `${comments.join('')}${renderYaml(job)}`;
}
