/** Brings number columns to one scale: (x - shift) / divisor. Missing values are left out of the fit and stay missing. */
import type { TrainerSpec } from '@anneal/operator/api';
import { AnnealError } from '../../errors.ts';
import type { Frame } from '../frame.ts';
import { mean, present, quantile, standardDeviation } from '../statistics.ts';
import type { Table } from '../table.ts';
import { chosen, isNumber, replace, requireNumber } from './columns.ts';

export interface FittedScale {
  readonly kind: 'Scale';
  readonly columns: readonly { readonly name: string; readonly shift: number; readonly divisor: number }[];
}

type ScaleSpec = NonNullable<TrainerSpec['data']['pipeline'][number]['scale']>;

export async function fitScale(spec: ScaleSpec, frame: Frame, at: string): Promise<FittedScale> {
  const columns = [];
  for (const { name } of chosen(frame, spec.columns, ({ kind }) => kind === 'Number', at)) {
    const values = present(requireNumber(await frame.column(name), 'scale', at).values).sort();
    if (values.length === 0) throw new AnnealError('DATA_COLUMN_EMPTY', { at, message: `Column "${name}" has no value in the training rows. Exclude it in data.features.exclude.` });
    const { shift, divisor } = methods[spec.method](values);
    // A constant column has no scale; dividing by 0 would make it infinite for the first row that differs.
    columns.push({ name, shift, divisor: isTiny(divisor, shift) ? 1 : divisor });
  }
  return { kind: 'Scale', columns };
}

/** Of values in ascending order. */
const methods: Readonly<Record<ScaleSpec['method'], (sorted: Float64Array) => { shift: number; divisor: number }>> = {
  Standard: (sorted) => ({ shift: mean(sorted), divisor: standardDeviation(sorted) }),
  MinMax: (sorted) => ({ shift: quantile(sorted, 0), divisor: quantile(sorted, 1) - quantile(sorted, 0) }),
  Robust: (sorted) => ({ shift: quantile(sorted, 0.5), divisor: quantile(sorted, 0.75) - quantile(sorted, 0.25) }),
  MaxAbs: (sorted) => ({ shift: 0, divisor: Math.max(Math.abs(quantile(sorted, 0)), Math.abs(quantile(sorted, 1))) }),
};

/** Rounding leaves a constant column with a spread of about its own last digit. */
const isTiny = (divisor: number, shift: number): boolean => divisor <= 10 * Number.EPSILON * Math.abs(shift);

export function applyScale(step: FittedScale, table: Table): Table {
  const byName = new Map(step.columns.map((column) => [column.name, column]));
  return replace(table, (column) => {
    const how = byName.get(column.name);
    if (how === undefined || !isNumber(column)) return column;
    return { ...column, values: column.values.map((value) => (value - how.shift) / how.divisor) };
  });
}
