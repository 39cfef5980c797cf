/** Fills in missing values. Statistics as scikit-learn's SimpleImputer: median by interpolation, of equally frequent values the smallest. */
import { AnnealError } from '../../errors.ts';
import type { Frame } from '../frame.ts';
import { moments, mostFrequent, countCodes, quantiles } from '../statistics.ts';
import { firstMissing } from '../table.ts';
import type { Column, ColumnInfo, TextColumn, TimeColumn, NumberColumn } from '../table.ts';
import { formatTime, parseTime } from '../time.ts';
import { chosen, isQuantity, isText, namesOf, replaceEach, requireNumber, requireSquares } from './columns.ts';
import type { Fit, StepKind, Training } from './step.ts';

export interface ImputeSpec {
  readonly columns?: readonly string[];
  readonly strategy: 'Mean' | 'Median' | 'MostFrequent' | 'Constant';
  /** Constant for number columns. */
  readonly value?: number;
  /** Constant for text columns, or an ISO 8601 time for time columns. */
  readonly text?: string;
  readonly indicator: boolean;
}

export interface FittedImpute {
  readonly kind: 'Impute';
  /** A time is filled in by its microseconds. */
  readonly columns: readonly { readonly name: string; readonly fill: number | string; readonly indicator: boolean }[];
}

export const impute: StepKind<ImputeSpec, FittedImpute> = {
  fit,
  apply: (step) => replaceEach(new Map(step.columns.map(({ name, fill, indicator }) => [name, (column) => {
    const filled = fillIn(column, fill);
    return indicator ? [filled, { kind: 'Number', name: `${name}_missing`, values: missingIn(column) }] : filled;
  }]))),
  reads: namesOf,
  joint: false,
};

async function fit(spec: ImputeSpec, { frame, at }: Training): Promise<Fit<FittedImpute>> {
  const columns = [];
  for (const { name } of chosen(frame, spec.columns, (column) => suits(spec, column), at)) {
    const column = await frame.column(name);
    columns.push({ name, fill: fillOf(spec, column, frame, at), indicator: spec.indicator && firstMissing(column) >= 0 });
  }
  return { step: { kind: 'Impute', columns } };
}

/** With no columns named, a column without any value is left to a Constant, or to the check before the network. */
function suits(spec: ImputeSpec, column: ColumnInfo): boolean {
  switch (spec.strategy) {
    case 'Mean': return isQuantity(column);
    case 'Median': return isQuantity(column) || column.kind === 'Time';
    case 'MostFrequent': return true;
    case 'Constant': return constantFor(spec, column) !== undefined;
  }
}

/** The constant as the column holds it; undefined where the spec has none for such a column. */
function constantFor({ value, text }: ImputeSpec, { kind }: ColumnInfo): number | string | undefined {
  switch (kind) {
    case 'Number': return value;
    case 'Text': return text;
    case 'Time': return text === undefined ? undefined : parseTime(text);
  }
}

function fillOf(spec: ImputeSpec, column: Column, frame: Frame, at: string): number | string {
  switch (spec.strategy) {
    case 'Mean': return found(meanOf(column, frame, at), column, at);
    case 'Median': return found(medianOf(column, at), column, at);
    case 'MostFrequent': return found(isText(column) ? mostFrequentText(column) : mostFrequent(column.values), column, at);
    case 'Constant': {
      const constant = constantFor(spec, column);
      if (constant !== undefined) return constant;
      const [holds, field] = { Number: ['numbers', 'value'], Text: ['text', 'text'], Time: ['times', `text, for example "${formatTime(0)}"`] }[column.kind];
      throw new AnnealError('SPEC_COLUMN_KIND', { at, message: `Column "${column.name}" holds ${holds}. Write the constant for it as ${field}, or leave the column out.` });
    }
  }
}

function meanOf(column: Column, frame: Frame, at: string): number {
  const numbers = requireNumber(column, 'strategy: Mean', at);
  requireSquares(frame, numbers, 'strategy: Mean', at);
  return moments(numbers.values).mean;
}

function medianOf(column: Column, at: string): number | undefined {
  if (column.kind !== 'Time') return quantiles(requireNumber(column, 'strategy: Median', at).values, [0.5])[0];
  // Between two moments lies a whole microsecond, so that the column stays exact.
  return Math.floor(quantiles(column.values, [0.5])[0] ?? NaN);
}

function mostFrequentText({ codes, dictionary }: TextColumn): string | undefined {
  const counts = countCodes(codes, dictionary.length);
  let best = -1;
  for (let code = 0; code < dictionary.length; code++) {
    const [count = 0, most = 0] = [counts[code], counts[best]];
    if (count > most || (count > 0 && count === most && (dictionary[code] ?? '') < (dictionary[best] ?? ''))) best = code;
  }
  return dictionary[best];
}

function found<T extends number | string>(fill: T | undefined, column: Column, at: string): T {
  if (fill !== undefined && !Number.isNaN(fill)) return fill;
  throw new AnnealError('DATA_COLUMN_EMPTY', { at, message: `Column "${column.name}" has no value in the training rows to fill in from. Exclude it in data.features.exclude, or use strategy: Constant.` });
}

function fillIn(column: Column, by: number | string): Column {
  if (firstMissing(column) < 0) return column;
  return isText(column) ? fillText(column, String(by)) : fillNumber(column, Number(by));
}

function fillText(column: TextColumn, by: string): TextColumn {
  const known = column.dictionary.indexOf(by);
  const fill = known < 0 ? column.dictionary.length : known;
  const codes = column.codes.slice();
  for (let row = 0; row < codes.length; row++) if ((codes[row] ?? 0) < 0) codes[row] = fill;
  return { ...column, codes, dictionary: known < 0 ? [...column.dictionary, by] : column.dictionary };
}

function fillNumber<T extends NumberColumn | TimeColumn>(column: T, by: number): T {
  const values = column.values.slice();
  for (let row = 0; row < values.length; row++) if (Number.isNaN(values[row])) values[row] = by;
  return { ...column, values };
}

function missingIn(column: Column): Float64Array {
  const marks = new Float64Array(isText(column) ? column.codes.length : column.values.length);
  if (isText(column)) for (let row = 0; row < marks.length; row++) marks[row] = (column.codes[row] ?? 0) < 0 ? 1 : 0;
  else for (let row = 0; row < marks.length; row++) marks[row] = Number.isNaN(column.values[row]) ? 1 : 0;
  return marks;
}
