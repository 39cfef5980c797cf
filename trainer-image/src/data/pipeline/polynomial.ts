/** Adds products of number columns, so that a network need not learn to multiply: `a^2`, `a*b`. Terms and their order are those of scikit-learn's PolynomialFeatures. */
import { AnnealError } from '../../errors.ts';
import type { NumberColumn } from '../table.ts';
import { chosen, columnsOf, isNumber, isQuantity, requireNumber } from './columns.ts';
import type { StepKind } from './step.ts';

export interface PolynomialSpec {
  readonly columns?: readonly string[];
  /** Most factors of a product: 2 or 3. */
  readonly degree: number;
  /** Whether each factor may stand only once. */
  readonly interactionOnly: boolean;
}

export interface FittedPolynomial {
  readonly kind: 'Polynomial';
  readonly columns: readonly string[];
  /** Places in `columns` of each product's factors, ascending. */
  readonly terms: readonly (readonly number[])[];
}

const mostTerms = 10_000;

export const polynomial: StepKind<PolynomialSpec, FittedPolynomial> = {
  fit: async (spec, { frame, at }) => {
    const columns = [];
    for (const { name } of chosen(frame, spec.columns, isQuantity, at)) columns.push(requireNumber(await frame.column(name), 'polynomial', at).name);
    const orders = Array.from({ length: spec.degree - 1 }, (_, index) => index + 2);
    const count = orders.reduce((sum, factors) => sum + countOf(columns.length, factors, spec.interactionOnly), 0);
    if (count > mostTerms) throw new AnnealError('SPEC_CONFLICT', { at, message: `${columns.length} columns have ${count} products, more than ${mostTerms}. Name fewer columns, or a lower degree.` });
    const terms = orders.flatMap((factors) => products(columns.length, factors, spec.interactionOnly));
    return { step: { kind: 'Polynomial', columns, terms } };
  },
  apply: ({ columns, terms }) => (table) => {
    const factors = columnsOf(table, columns)?.filter(isNumber);
    if (factors === undefined) return table;
    return { ...table, columns: [...table.columns, ...terms.map((term) => product(term.flatMap((place) => factors[place] ?? []), table.rows))] };
  },
  reads: ({ columns }) => columns,
  joint: true,
};

function countOf(columns: number, factors: number, distinct: boolean): number {
  const from = distinct ? columns : columns + factors - 1;
  let count = 1;
  for (let factor = 0; factor < factors; factor++) count *= Math.max(0, from - factor) / (factor + 1);
  return Math.round(count);
}

/** Ascending places, in lexicographic order. */
function products(columns: number, factors: number, distinct: boolean): number[][] {
  let terms: number[][] = Array.from({ length: columns }, (_, place) => [place]);
  for (let more = 1; more < factors; more++) {
    terms = terms.flatMap((term) => {
      const first = (term.at(-1) ?? 0) + (distinct ? 1 : 0);
      return Array.from({ length: Math.max(0, columns - first) }, (_, next) => [...term, first + next]);
    });
  }
  return terms;
}

function product(factors: readonly NumberColumn[], rows: number): NumberColumn {
  const values = new Float64Array(rows).fill(1);
  for (const factor of factors) for (let row = 0; row < rows; row++) values[row] = (values[row] ?? NaN) * (factor.values[row] ?? NaN);
  const powers = new Map<string, number>();
  for (const { name } of factors) powers.set(name, (powers.get(name) ?? 0) + 1);
  return { kind: 'Number', name: [...powers].map(([name, power]) => (power === 1 ? name : `${name}^${power}`)).join('*'), values };
}
