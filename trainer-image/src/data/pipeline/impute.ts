/** Fills in missing values. Statistics as scikit-learn's SimpleImputer: median by interpolation, of equally frequent values the smallest. */
import type { TrainerSpec } from '@anneal/operator/api';
import { AnnealError } from '../../errors.ts';
import { mean, mode, present, quantile } from '../statistics.ts';
import { firstMissing } from '../table.ts';
import type { Column, Table } from '../table.ts';
import { chosen, isNumber, isText, replace, requireNumber } from './columns.ts';

export interface FittedImpute {
  readonly kind: 'Impute';
  readonly columns: readonly { readonly name: string; readonly fill: number | string; readonly indicator: boolean }[];
}

type ImputeSpec = NonNullable<TrainerSpec['data']['pipeline'][number]['impute']>;

export function fitImpute(spec: ImputeSpec, table: Table, at: string): FittedImpute {
  const columns = chosen(table, spec.columns, (column) => suits(spec, column), at);
  return {
    kind: 'Impute',
    columns: columns.map((column) => ({ name: column.name, fill: fillOf(spec, column, at), indicator: spec.indicator && firstMissing(column) >= 0 })),
  };
}

/** With no columns named, a column without any value is left to a Constant, or to the check before the network. */
function suits(spec: ImputeSpec, column: Column): boolean {
  switch (spec.strategy) {
    case 'Mean':
    case 'Median': return isNumber(column);
    case 'MostFrequent': return true;
    case 'Constant': return isNumber(column) ? spec.value !== undefined : spec.text !== undefined;
  }
}

function fillOf(spec: ImputeSpec, column: Column, at: string): number | string {
  switch (spec.strategy) {
    case 'Mean': return found(mean(present(requireNumber(column, 'strategy: Mean', at).values)), column, at);
    case 'Median': return found(quantile(present(requireNumber(column, 'strategy: Median', at).values).sort(), 0.5), column, at);
    case 'MostFrequent': return found(isNumber(column)
      ? mode(present(column.values), (a, b) => a < b)
      : mode(column.values.filter((value) => value !== null), (a, b) => a < b), column, at);
    case 'Constant': return constantOf(spec, column, at);
  }
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
  if (isNumber(column)) {
    const number = Number(by);
    return { ...column, values: column.values.map((value) => (Number.isNaN(value) ? number : value)) };
  }
  const text = String(by);
  return { ...column, values: column.values.map((value) => value ?? text) };
}

function indicator(column: Column): Float64Array {
  return isNumber(column)
    ? column.values.map((value) => (Number.isNaN(value) ? 1 : 0))
    : Float64Array.from(column.values, (value) => (value === null ? 1 : 0));
}
