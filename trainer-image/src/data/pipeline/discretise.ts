/** Replaces a number by the place of the bin that it falls into, from 0. Bins as scikit-learn's KBinsDiscretizer; values beyond the outer edges belong to the outer bins. */
import { AnnealError } from '../../errors.ts';
import { countAtMost } from '../maths/search.ts';
import { orderStatistics } from '../maths/selection.ts';
import { extremes, present } from '../statistics.ts';
import type { Column } from '../table.ts';
import { chosen, isNumber, isQuantity, namesOf, replaceEach, requireNumber } from './columns.ts';
import type { Fit, StepKind, Training } from './step.ts';

export interface DiscretiseSpec {
  readonly columns?: readonly string[];
  readonly bins: number;
  readonly strategy: 'Uniform' | 'Quantile';
}

export interface FittedDiscretise {
  readonly kind: 'Discretise';
  /** Edges between the bins; a value on an edge belongs to the bin above. */
  readonly columns: readonly { readonly name: string; readonly edges: readonly number[] }[];
}

/** Narrower bins are none. */
const narrowest = 1e-8;

export const discretise: StepKind<DiscretiseSpec, FittedDiscretise> = {
  fit,
  apply: (step) => replaceEach(new Map(step.columns.map(({ name, edges }) => {
    const sorted = Float64Array.from(edges);
    return [name, (column) => binned(column, sorted)];
  }))),
  reads: namesOf,
  joint: false,
};

async function fit(spec: DiscretiseSpec, { frame, at }: Training): Promise<Fit<FittedDiscretise>> {
  const columns = [];
  for (const { name } of chosen(frame, spec.columns, isQuantity, at)) {
    const { values } = requireNumber(await frame.column(name), 'discretise', at);
    const { least, greatest } = extremes(values);
    if (Number.isNaN(least)) throw new AnnealError('DATA_COLUMN_EMPTY', { at, message: `Column "${name}" has no value in the training rows. Exclude it in data.features.exclude.` });
    const edges = least === greatest ? [] : spec.strategy === 'Uniform' ? evenEdges(least, greatest, spec.bins) : quantileEdges(values, spec.bins);
    columns.push({ name, edges });
  }
  return { step: { kind: 'Discretise', columns } };
}

function evenEdges(least: number, greatest: number, bins: number): number[] {
  const width = (greatest - least) / bins;
  return Array.from({ length: bins - 1 }, (_, edge) => (edge + 1) * width + least);
}

/** Averaged inverse of the distribution function (Hyndman and Fan (1996), type 2). */
function quantileEdges(values: Float64Array, bins: number): number[] {
  const scratch = present(values);
  const last = scratch.length - 1;
  // Ranks of the two values that an edge lies between: the same twice, but where it falls exactly between two.
  const ranks = Array.from({ length: bins + 1 }, (_, edge): [number, number] => {
    if (edge === bins) return [last, last];
    const place = scratch.length * ((edge * (100 / bins)) / 100) - 1;
    if (place < 0) return [0, 0];
    return place === Math.floor(place) ? [place, place + 1] : [Math.ceil(place), Math.ceil(place)];
  });
  const found = orderStatistics(scratch, ranks.flat());
  const edges = ranks.map(([below, above]) => ((found.get(below) ?? NaN) + (found.get(above) ?? NaN)) / 2);
  return edges.filter((edge, index) => index === 0 || edge - (edges[index - 1] ?? 0) > narrowest).slice(1, -1);
}

function binned(column: Column, edges: Float64Array): Column {
  if (!isNumber(column)) return column;
  const values = new Float64Array(column.values.length);
  for (let row = 0; row < values.length; row++) {
    const value = column.values[row] ?? NaN;
    values[row] = Number.isNaN(value) ? NaN : countAtMost(edges, value);
  }
  return { ...column, values };
}
