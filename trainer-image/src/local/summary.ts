/** What came of a run, for a person: metrics, confusion matrix, where the model is and how to ask it. */
import path from 'node:path';
import { metricsOfTask } from '../train/metrics.ts';
import type { Manifest } from '../model/directory.ts';
import { bytes, rounded, shellWord, table } from './text.ts';

/** What `metrics.json` of a model says of a part. */
export interface PartDetails {
  readonly rows: number;
  readonly classes?: readonly string[];
  /** [true][predicted] */
  readonly confusion?: readonly (readonly number[])[];
}

export interface Finished {
  readonly name: string;
  readonly manifest: Pick<Manifest, 'task' | 'metrics' | 'data'>;
  readonly epochs: number;
  /** Whose weights the model has. */
  readonly epoch: number;
  readonly validation: PartDetails;
  readonly test: PartDetails;
  readonly model: { readonly digest: string; readonly sizeBytes: number };
  /** Folder of the model, as the user would name it. */
  readonly modelFolder: string;
  /** Body of a request, where one could be made up. */
  readonly example: object | undefined;
}

const mostClasses = 12;
const port = 8080;

export function summary(finished: Finished): string {
  const { manifest, epochs, epoch, model, modelFolder } = finished;
  const best = epoch === epochs ? '' : `, with the weights of epoch ${epoch}`;
  return [
    `${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}${best}.`,
    metricsTable(manifest),
    ...confusionOf(finished),
    `Model: ${modelFolder} (${bytes(model.sizeBytes)}, ${model.digest})`,
    `Serve it:\n  ${serveCommand(finished)}\nAsk it:\n  ${askCommand(finished)}`,
  ].join('\n\n');
}

function metricsTable({ task, metrics }: Finished['manifest']): string {
  const parts = [['train', ''], ['validation', 'val_'], ['test', 'test_']].filter(([, prefix]) => metrics[`${prefix ?? ''}loss`] !== undefined);
  const cell = (name: string): string => (metrics[name] === undefined ? '' : rounded(metrics[name]));
  return table([['', ...parts.map(([part = '']) => part)], ...metricsOfTask(task).map((metric) => [metric, ...parts.map(([, prefix = '']) => cell(`${prefix}${metric}`))])]);
}

/** Of the test part, or of the validation part where nothing was held back for a test. */
function confusionOf({ validation, test }: Finished): string[] {
  const [part, { classes, confusion }] = test.rows > 0 ? ['Test' as const, test] : ['Validation' as const, validation];
  if (classes === undefined || confusion === undefined || classes.length > mostClasses) return [];
  return [`${part} rows, by what they are (down) and what was predicted (across):\n${table([['', ...classes], ...confusion.map((row, place) => [classes[place] ?? '', ...row.map(String)])])}`];
}

export const serveCommand = ({ name, modelFolder }: Pick<Finished, 'name' | 'modelFolder'>): string => `anneal-train serve --model-dir ${shellWord(modelFolder)} --name ${shellWord(name)}`;

/** Where no request could be made up, what the model wants to be asked. */
export function askCommand({ name, example }: Pick<Finished, 'name' | 'example'>): string {
  const model = `http://localhost:${port}/v2/models/${encodeURIComponent(name)}`;
  return example === undefined ? `curl -s ${model}` : `curl -s ${model}/infer -d ${shellWord(JSON.stringify(example))}`;
}

/** A folder as the user would name it: relative where it lies below. */
export function shownFolder(folder: string, directory: string): string {
  const relative = path.relative(directory, folder);
  return relative === '' ? '.' : relative.startsWith('..') ? folder : relative;
}
