/** What came of a run, for a person: metrics, confusion matrix, where the model is and how to ask it. */
import path from 'node:path';
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
  readonly manifest: Pick<Manifest, 'task' | 'metrics'>;
  readonly epochs: number;
  /** Whose weights the model has. */
  readonly epoch: number;
  readonly validation: PartDetails;
  readonly test: PartDetails;
  readonly model: { readonly digest: string; readonly sizeBytes: number };
  /** Folder of the model, as the user would name it. */
  readonly modelFolder: string;
  /** Files that a person may want to read. */
  readonly pages: readonly string[];
  /** Body of a request, where one could be made up. */
  readonly example: object | undefined;
}

const mostClasses = 12;
const port = 8080;

export function summary(finished: Finished): string {
  const { manifest, epochs, epoch, model, modelFolder, pages } = finished;
  const best = epoch === epochs ? '' : `, with the weights of epoch ${epoch}`;
  return [
    `${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}${best}.`,
    metricsTable(manifest),
    ...foldsOf(manifest),
    ...confusionOf(finished),
    [`Model: ${modelFolder} (${bytes(model.sizeBytes)}, ${model.digest})`, ...pages.map((page) => `Read:  ${page}`)].join('\n'),
    `Serve it:\n  ${serveCommand(finished)}\nAsk it:\n  ${askCommand(finished)}`,
  ].join('\n\n');
}

const parts = { '': 'train', val_: 'validation', test_: 'test' } as const;

/** A row for each metric, a column for each part that has any. */
function metricsTable({ metrics }: Finished['manifest']): string {
  const shown = Object.entries(parts).filter(([prefix]) => metrics[`${prefix}loss`] !== undefined);
  const names = new Set(Object.keys(metrics).filter((name) => !name.startsWith('cv_')).map((name) => name.replace(/^(?:val|test)_/, '')));
  const cell = (name: string): string => (metrics[name] === undefined ? '' : rounded(metrics[name]));
  return table([['', ...shown.map(([, part]) => part)], ...[...names].map((name) => [name, ...shown.map(([prefix]) => cell(`${prefix}${name}`))])]);
}

/** What a cross-validation said; nothing where there was none. */
function foldsOf({ metrics }: Finished['manifest']): string[] {
  const names = Object.keys(metrics).filter((name) => name.startsWith('cv_') && !name.endsWith('_std'));
  const told = names.map((name) => `${name.replace(/^cv_/, '')} ${rounded(metrics[name] ?? NaN)}${metrics[`${name}_std`] === undefined ? '' : ` ± ${rounded(metrics[`${name}_std`] ?? NaN)}`}`);
  return told.length === 0 ? [] : [`Over the folds: ${told.join(', ')}`];
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
