/** What a person should know of the data before the first epoch; `data-report.json`. It holds no time, so that equal data give an equal report. */
import type { Finding } from '../expectations/finding.ts';
import type { PrivacyReport } from '../privacy/index.ts';
import type { Correlations } from '../profile/correlations.ts';
import { partNames } from '../profile/evidence.ts';
import type { ColumnProfile, Evidence, PartName } from '../profile/evidence.ts';
import type { NumberStatistics } from '../profile/numbers.ts';
import type { TextProfile } from '../profile/texts.ts';
import type { FoundRows } from '../rowhash/repeats.ts';
import type { ColumnInfo, Privacy } from '../table.ts';
import type { Task } from '../target.ts';

export interface DataReport {
  readonly formatVersion: 1;
  readonly rows: number;
  readonly task: Task;
  /** Left out where the rows themselves are learnt. */
  readonly target?: string;
  /** Rows of each part. */
  readonly parts: Readonly<Record<PartName, number>>;
  /** Of a classification: the classes, and how many rows of each part each has. */
  readonly classes?: { readonly names: readonly string[]; readonly rows: Readonly<Record<PartName, readonly number[]>> };
  readonly findings: readonly Finding[];
  readonly columns: readonly ColumnReport[];
  /** Rows that equal an earlier one in all columns. */
  readonly duplicates: FoundRows;
  /** Rows of validation and test whose features a training row has too. */
  readonly leaked: FoundRows;
  readonly correlations: Correlations;
  /** Training rows that `relation` was looked at in. */
  readonly sampledRows: number;
  readonly privacy?: PrivacyReport;
}

export interface ColumnReport {
  readonly name: string;
  readonly kind: ColumnInfo['kind'];
  readonly role: 'Target' | 'Feature' | 'Unused';
  /** Set where no value is shown: there are counts alone. */
  readonly private?: Privacy;
  readonly missing: number;
  readonly distinct: number;
  /** Whether `distinct`, quantiles, bars and the counts of `top` are exact; else they are near. */
  readonly exact: boolean;
  /** Share of what there is to know about the target that this column alone tells, from 0 to 1; of features. */
  readonly relation?: number;
  readonly infinite?: number;
  readonly statistics?: NumberStatistics;
  /** The most frequent texts that more than one row has. */
  readonly top?: TextProfile['top'];
  /** In UTF-16 code units. */
  readonly lengths?: TextProfile['lengths'];
}

export async function reportOf(evidence: Evidence, findings: readonly Finding[], privacy?: PrivacyReport): Promise<DataReport> {
  const { rows, columns, target, task, features, parts } = evidence.subject;
  const inColumns: ColumnReport[] = [];
  for (const name of columns) inColumns.push(await columnOf(evidence, name, name === target ? 'Target' : features.includes(name) ? 'Feature' : 'Unused'));
  const { train, validation, test } = parts;
  return {
    formatVersion: 1,
    rows: rows.rows, task, ...(target === undefined ? {} : { target }),
    parts: { train: train.length, validation: validation.length, test: test.length },
    ...(task === 'Classification' ? { classes: await classesOf(evidence) } : {}),
    findings,
    columns: inColumns,
    duplicates: await evidence.duplicates(),
    leaked: await evidence.leaked(),
    correlations: await evidence.correlations(),
    sampledRows: (await evidence.sample()).rows.length,
    ...(privacy === undefined ? {} : { privacy }),
  };
}

async function columnOf(evidence: Evidence, name: string, role: ColumnReport['role']): Promise<ColumnReport> {
  const { kind, private: hidden } = evidence.info(name, 'spec.trainer.data');
  const profile = await evidence.profile(name);
  const { missing, distinct, exact } = profile;
  const relation = role === 'Feature' && evidence.subject.target !== undefined ? { relation: await evidence.relation(name) } : {};
  const counts = { name, kind, role, missing, distinct, exact, ...relation };
  return hidden === undefined ? { ...counts, ...shownOf(profile) } : { ...counts, private: hidden };
}

/** A text that a single row has is no category, and none of a reader's business. */
const fewestRows = 2;

/** What holds values of the data. */
function shownOf(profile: ColumnProfile): Partial<ColumnReport> {
  if (profile.kind === 'Text') return { top: profile.top.filter(({ rows }) => rows >= fewestRows), ...(profile.lengths === undefined ? {} : { lengths: profile.lengths }) };
  return { infinite: profile.infinite, ...(profile.statistics === undefined ? {} : { statistics: profile.statistics }) };
}

async function classesOf(evidence: Evidence): Promise<NonNullable<DataReport['classes']>> {
  const { target, classes, rows } = await evidence.classes();
  const hidden = evidence.info(target, 'spec.trainer.data.target').private !== undefined;
  return { names: hidden ? classes.map((_, place) => `class ${place + 1}`) : classes, rows };
}

/** Rows of a class in all parts. */
export const rowsOfClass = ({ rows }: NonNullable<DataReport['classes']>, place: number): number => partNames.reduce((sum, part) => sum + (rows[part][place] ?? 0), 0);
