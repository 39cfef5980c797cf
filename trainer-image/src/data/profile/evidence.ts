/** What is found out about the data at hand. Each fact costs a pass over columns and is found when it is first asked for; expectations and the report share them. */
import { repeatedRows, sharedRows } from '../rowhash/repeats.ts';
import type { FoundRows } from '../rowhash/repeats.ts';
import type { Rows } from '../rows.ts';
import type { Split } from '../split.ts';
import { pick } from '../table.ts';
import type { Column, ColumnInfo } from '../table.ts';
import { codeClasses, codesAmong } from '../target.ts';
import type { Task } from '../target.ts';
import { correlate, correlatedRows, mostCorrelated } from './correlations.ts';
import type { Correlations } from './correlations.ts';
import type { NumberProfile } from './numbers.ts';
import { halves, relation } from './relation.ts';
import { sampleOf, sampleSize } from './sample.ts';
import type { SampledTarget } from './sample.ts';
import { summarise } from './summary.ts';
import type { TextProfile } from './texts.ts';

/** The data that a run is about to train on, as everything after the privacy measures sees them. */
export interface Subject {
  readonly rows: Rows;
  /** Columns of `rows` that are looked at; others may not even have been read. */
  readonly columns: readonly string[];
  /** Left out where the rows themselves are learnt. */
  readonly target?: string;
  readonly task: Task;
  /** Classes of the target where a saved model brings them; not all need be there. */
  readonly classes?: readonly string[];
  /** Columns that the model sees. */
  readonly features: readonly string[];
  /** What rows hold beside their columns, by its name in `rows`. */
  readonly vector?: string;
  readonly parts: Split;
  /** For what is drawn by lot. */
  readonly seed: number;
}

export type ColumnProfile = NumberProfile | TextProfile;
export type PartName = keyof Split;
export const partNames = ['train', 'validation', 'test'] as const satisfies readonly PartName[];

/** Classes of the target in order, and how many rows of each part each has. */
export interface ClassCounts {
  /** Its name. */
  readonly target: string;
  readonly classes: readonly string[];
  readonly rows: Readonly<Record<PartName, readonly number[]>>;
}

const at = 'spec.trainer.data';

export class Evidence {
  readonly subject: Subject;
  readonly #profiles = new Map<string, Promise<ColumnProfile>>();
  readonly #relations = new Map<string, Promise<number>>();
  #duplicates: Promise<FoundRows> | undefined;
  #leaked: Promise<FoundRows> | undefined;
  #classes: Promise<ClassCounts> | undefined;
  #sample: Promise<Sample> | undefined;

  constructor(subject: Subject) {
    this.subject = subject;
  }

  /** @throws AnnealError `SPEC_COLUMN_MISSING` */
  info(name: string, field: string): ColumnInfo {
    const [info] = pick(this.subject.rows.columns, [name], field);
    if (info === undefined) throw new Error(`There is no column "${name}".`);
    return info;
  }

  profile(name: string): Promise<ColumnProfile> {
    return remembered(this.#profiles, name, async () => (await summarise(this.subject.rows, this.info(name, at), this.subject.seed)).profile());
  }

  /** Rows that equal an earlier one in all columns that are looked at. */
  duplicates(): Promise<FoundRows> {
    return this.#duplicates ??= repeatedRows(this.subject.rows, [...this.subject.columns, ...vectorIn(this.subject)]);
  }

  /** Rows of validation and test whose features a training row has too. */
  leaked(): Promise<FoundRows> {
    return this.#leaked ??= leakedRows(this.subject);
  }

  /** How much the column alone says about the target, from 0 to 1, 0 where there is none; looked at in some of the training rows. */
  relation(name: string): Promise<number> {
    return remembered(this.#relations, name, async () => {
      const { rows, target, cut } = await this.sample();
      return target === undefined ? 0 : relation(await this.subject.rows.column(name, rows), target, cut);
    });
  }

  /** Of a classification. */
  classes(): Promise<ClassCounts> {
    return this.#classes ??= classCounts(this.subject);
  }

  /** Training rows for what need not look at all. */
  sample(): Promise<Sample> {
    return this.#sample ??= sampled(this.subject);
  }

  /** Of number columns that are not private; of more than 200 those that say most about the target. */
  async correlations(): Promise<Correlations> {
    const shown = this.subject.columns.map((name) => this.info(name, at)).filter(({ kind, private: hidden }) => kind === 'Number' && hidden === undefined);
    const numbers = shown.map(({ name }) => name);
    const strengths = new Map<string, number>();
    if (numbers.length > mostCorrelated) for (const name of numbers) strengths.set(name, name === this.subject.target ? 1 : await this.relation(name));
    const strongest = [...numbers].sort((a, b) => (strengths.get(b) ?? 0) - (strengths.get(a) ?? 0)).slice(0, mostCorrelated);
    const chosen = numbers.filter((name) => strongest.includes(name));
    const rows = sampleOf((await this.sample()).rows, correlatedRows(chosen.length), this.subject.seed);
    const columns = [];
    for (const name of chosen) {
      const column = await this.subject.rows.column(name, rows);
      if (column.kind === 'Number') columns.push({ name, values: column.values });
    }
    return correlate(columns);
  }
}

export interface Sample {
  readonly rows: Int32Array;
  readonly target: SampledTarget | undefined;
  readonly cut: readonly [Int32Array, Int32Array];
}

function remembered<T>(known: Map<string, Promise<T>>, name: string, find: () => Promise<T>): Promise<T> {
  const before = known.get(name);
  if (before !== undefined) return before;
  const found = find();
  known.set(name, found);
  return found;
}

const vectorIn = ({ vector }: Subject): string[] => (vector === undefined ? [] : [vector]);

async function leakedRows(subject: Subject): Promise<FoundRows> {
  const { rows, features, parts } = subject;
  const roles = new Uint8Array(rows.rows);
  for (const row of parts.train) roles[row] = 1;
  for (const part of [parts.validation, parts.test]) for (const row of part) roles[row] = 2;
  return sharedRows(rows, [...features, ...vectorIn(subject)], (row) => (roles[row] === 1 ? 'Known' : roles[row] === 2 ? 'Asked' : undefined));
}

async function classCounts({ rows, target, classes: known, parts }: Subject): Promise<ClassCounts> {
  if (target === undefined) throw new Error('There are no classes where there is no target.');
  const column = await rows.column(target);
  const { classes, codes } = known === undefined ? codeClasses(column) : { classes: known, codes: codesAmong(known, column) };
  const count = (part: Int32Array): number[] => {
    const counts = classes.map(() => 0);
    for (const row of part) counts[codes[row] ?? 0] = (counts[codes[row] ?? 0] ?? 0) + 1;
    return counts;
  };
  return { target, classes, rows: { train: count(parts.train), validation: count(parts.validation), test: count(parts.test) } };
}

async function sampled({ rows, target, task, features, parts, seed }: Subject): Promise<Sample> {
  const chosen = sampleOf(parts.train, sampleSize(features.length), seed);
  return { rows: chosen, target: target === undefined ? undefined : sampledTarget(await rows.column(target, chosen), task), cut: halves(chosen.length, seed) };
}

function sampledTarget(column: Column, task: Task): SampledTarget {
  if (column.kind !== 'Text' && task === 'Regression') return { task, values: column.values };
  if (column.kind === 'Text') return { task: 'Classification', codes: column.codes, classes: column.dictionary.length };
  const places = new Map<number, number>();
  const codes = Int32Array.from(column.values, (value) => {
    const place = places.get(value) ?? places.size;
    places.set(value, place);
    return place;
  });
  return { task: 'Classification', codes, classes: places.size };
}
