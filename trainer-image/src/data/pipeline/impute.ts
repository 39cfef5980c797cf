/** Fills in missing values. Statistics as scikit-learn's SimpleImputer: median by interpolation, of equally frequent values the smallest. */
import type { TrainerSpec } from '@anneal/operator/api';
import { AnnealError } from '../../errors.ts';
import type { Frame } from '../frame.ts';
import { mean, mode, present, quantile } from '../statistics.ts';
import { firstMissing } from '../table.ts';
import type { Column, ColumnInfo, Table, TextColumn } from '../table.ts';
import { chosen, isText, replace, requireNumber } from './columns.ts';

export interface FittedImpute {
  readonly kind: 'Impute';
  readonly columns: readonly { readonly name: string; readonly fill: number | string; readonly indicator: boolean }[];
}

type ImputeSpec = NonNullable<TrainerSpec['data']['pipeline'][number]['impute']>;

export async function fitImpute(spec: ImputeSpec, frame: Frame, at: string): Promise<FittedImpute> {
  const columns = [];
  for (const { name } of chosen(frame, spec.columns, (column) => suits(spec, column), at)) {
    const column = await frame.column(name);
    columns.push({ name, fill: fillOf(spec, column, at), indicator: spec.indicator && firstMissing(column) >= 0 });
  }
  return { kind: 'Impute', columns };
}

/** With no columns named, a column without any value is left to a Constant, or to the check before the network. */
function suits(spec: ImputeSpec, { kind }: ColumnInfo): boolean {
  switch (spec.strategy) {
    case 'Mean':
    case 'Median': return kind === 'Number';
    case 'MostFrequent': return kind !== 'Time';
    case 'Constant': return (kind === 'Number' && spec.value !== undefined) || (kind === 'Text' && spec.text !== undefined);
  }
}

function fillOf(spec: ImputeSpec, column: Column, at: string): number | string {
  switch (spec.strategy) {
    case 'Mean': return found(mean(present(requireNumber(column, 'strategy: Mean', at).values)), column, at);
    case 'Median': return found(quantile(present(requireNumber(column, 'strategy: Median', at).values).sort(), 0.5), column, at);
    case 'MostFrequent': return found(isText(column) ? mostFrequentText(column) : mode(present(column.values), (a, b) => a < b), column, at);
    case 'Constant': return constantOf(spec, column, at);
  }
}

function mostFrequentText({ codes, dictionary }: TextColumn): string | undefined {
  const code = mode(codes.filter((each) => each >= 0), (a, b) => (dictionary[a] ?? '') < (dictionary[b] ?? ''));
  return code === undefined ? undefined : dictionary[code];
}

function constantOf(spec: ImputeSpec, column: Column, at: string): number | string {
  const fill = isText(column) ? spec.text : spec.value;
  if (fill !== undefined) return fill;
  const field = isText(column) ? 'text' : 'value';
  throw new AnnealError('SPEC_COLUMN_KIND', { at, message: `Column "${column.name}" holds ${isText(column) ? 'text' : 'numbers'}. Write the constant for it as ${field}, or leave the column out.` });
}

function found<T extends number | string>(fill: T | undefined, column: Column, at: string): T {
  if (fill !== undefined && !Number.isNaN(fill)) return fill;
  throw new AnnealError('DATA_COLUMN_EMPTY', { at, message: `Column "${column.name}" has no value in the training rows to fill in from. Exclude it in data.features.exclude, or use strategy: Constant.` });
}

export function applyImpute(step: FittedImpute, table: Table): Table {
  const byName = new Map(step.columns.map((column) => [column.name, column]));
  return replace(table, (column) => {
    const how = byName.get(column.name);
    if (how === undefined) return column;
    const filled = fill(column, how.fill);
    if (!how.indicator) return filled;
    return [filled, { kind: 'Number', name: `${column.name}_missing`, values: indicator(column) }];
  });
}

function fill(column: Column, by: number | string): Column {
  if (isText(column)) {
    const known = column.dictionary.indexOf(String(by));
    const code = known < 0 ? column.dictionary.length : known;
    const dictionary = known < 0 ? [...column.dictionary, String(by)] : column.dictionary;
    return { ...column, dictionary, codes: column.codes.map((each) => (each < 0 ? code : each)) };
  }
  const number = Number(by);
  return { ...column, values: column.values.map((value) => (Number.isNaN(value) ? number : value)) };
}

function indicator(column: Column): Float64Array {
  return isText(column)
    ? Float64Array.from(column.codes, (code) => (code < 0 ? 1 : 0))
    : column.values.map((value) => (Number.isNaN(value) ? 1 : 0));
}
