/** How odd a row is: by how much a network that learnt to give rows back is off. */
import type { TrainerSpec } from '@anneal/operator/api';
import { AnnealError } from '../errors.ts';
import type { Rows } from './rows.ts';
import type { Split } from './split.ts';
import { pick, textAt } from './table.ts';
import type { Column } from './table.ts';
import { parseTime } from './time.ts';

/** As the losses of those names are; the mean over a row's numbers. */
export type ErrorName = 'MSE' | 'MAE' | 'Huber';

/** Stored with the model. */
export interface AnomalyRule {
  readonly error: ErrorName;
  /** Share of the validation rows that are not above the threshold. */
  readonly quantile: number;
  /** A row whose error is above it is an anomaly. */
  readonly threshold: number;
}

/** A column that is not learnt from, and what it holds in a row that is an anomaly. */
export interface LabelSpec {
  readonly column: string;
  readonly value: string;
}

export const labelIn = ({ evaluation }: Pick<TrainerSpec, 'evaluation'>): { readonly label?: LabelSpec } => (evaluation?.anomaly?.label === undefined ? {} : { label: evaluation.anomaly.label });

const ofDifference: Readonly<Record<ErrorName, (difference: number) => number>> = {
  MSE: (difference) => difference * difference,
  MAE: Math.abs,
  Huber: (difference) => (Math.abs(difference) <= 1 ? (difference * difference) / 2 : Math.abs(difference) - 0.5),
};

/**
 * @param features  rows × width. @param outputs  the same rows as the network gives them back
 * @returns the error of each row
 */
export function rowErrors(error: ErrorName, features: Float32Array, outputs: Float32Array, width: number): Float64Array {
  const of = ofDifference[error];
  return Float64Array.from({ length: features.length / width }, (_, row) => {
    let sum = 0;
    for (let at = row * width; at < (row + 1) * width; at++) sum += of((outputs[at] ?? NaN) - (features[at] ?? NaN));
    return sum / width;
  });
}

/**
 * Which rows that are held back are known to be anomalies.
 * @param seen  columns that the model sees
 * @throws AnnealError `SPEC_COLUMN_MISSING`; `SPEC_CONFLICT` for a label that the model sees, or that no row has
 */
export async function anomaliesIn(label: LabelSpec | undefined, seen: readonly string[], data: Rows, { validation, test }: Split): Promise<{ anomalies?: Readonly<Record<'validation' | 'test', Uint8Array>> }> {
  if (label === undefined) return {};
  const at = 'spec.trainer.evaluation.anomaly.label';
  const { column: name, value } = label;
  pick(data.columns, [name], `${at}.column`);
  if (seen.includes(name)) throw new AnnealError('SPEC_CONFLICT', { at: `${at}.column`, message: `The model sees "${name}", so it would see the answer. Remove it from features.columns, or write another label.` });
  const of = async (rows: Int32Array): Promise<Uint8Array> => holders(await data.column(name, rows), value);
  const anomalies = { validation: await of(validation), test: await of(test) };
  if (![...anomalies.validation, ...anomalies.test].includes(1)) throw new AnnealError('SPEC_CONFLICT', { at: `${at}.value`, message: `No row of validation and test has "${value}" in "${name}". Write the value as it stands in the data, or remove label.` });
  return { anomalies };
}

/** The numbers that truth values of JSON and Parquet are read as. */
const truths: Readonly<Record<string, number>> = { true: 1, false: 0 };

function holders(column: Column, value: string): Uint8Array {
  if (column.kind === 'Text') return Uint8Array.from(column.codes, (_, row) => Number(textAt(column, row) === value));
  const wanted = column.kind === 'Time' ? parseTime(value) : truths[value] ?? Number(value);
  return Uint8Array.from(column.values, (held) => Number(held === wanted));
}
