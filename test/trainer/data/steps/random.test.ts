import { expect } from 'chai';
import * as fc from 'fast-check';
import { emptyTable, frameOf } from '../../../../trainer-image/src/data/frame.ts';
import { applyPipeline, fitPipeline } from '../../../../trainer-image/src/data/pipeline/index.ts';
import type { FittedStep, Step } from '../../../../trainer-image/src/data/pipeline/index.ts';
import type { Target } from '../../../../trainer-image/src/data/pipeline/step.ts';
import { random } from '../../../../trainer-image/src/data/random.ts';
import { infoOf, slice, take, valueAt } from '../../../../trainer-image/src/data/table.ts';
import type { Column, ColumnInfo, Table } from '../../../../trainer-image/src/data/table.ts';
import { survey } from '../parity.ts';

/** Any step that suits the columns that are there; undefined where none of the drawn kind does. */
function stepFor(kind: string, columns: readonly ColumnInfo[], draw: (n: number) => number, place: number): Step | undefined {
  const named = (suits: (column: ColumnInfo) => boolean): string[] => columns.filter(suits).map(({ name }) => name);
  const quantities = named((column) => column.kind === 'Number' && column.categories === undefined);
  const texts = named((column) => column.kind === 'Text');
  const times = named((column) => column.kind === 'Time');
  const one = <T>(of: readonly T[]): T | undefined => of[draw(of.length)];
  const some = (of: readonly string[]): string[] => of.filter((_, at) => at === 0 || draw(2) === 0).slice(0, 12);
  const number = one(quantities);
  switch (kind) {
    case 'scale': return number === undefined ? undefined : { scale: { columns: some(quantities), method: one(['Standard', 'MinMax', 'Robust', 'MaxAbs'] as const) ?? 'Standard' } };
    case 'outliers': return number === undefined ? undefined : { outliers: { columns: some(quantities), method: one(['IQR', 'ZScore', 'Quantile'] as const) ?? 'IQR', action: 'Clip' } };
    case 'transform': return number === undefined ? undefined : { transform: { columns: [number], method: one(['YeoJohnson', 'Quantile'] as const) ?? 'Quantile', output: one(['Uniform', 'Normal'] as const) ?? 'Normal', quantiles: 50 } };
    case 'discretise': return number === undefined ? undefined : { discretise: { columns: [number], bins: 2 + draw(9), strategy: one(['Uniform', 'Quantile'] as const) ?? 'Uniform' } };
    case 'polynomial': return quantities.length < 2 || columns.some(({ name }) => name.includes('^') || name.includes('*')) ? undefined : { polynomial: { columns: quantities.slice(0, 2), degree: 2 + draw(2), interactionOnly: draw(2) === 0 } };
    case 'pca': return quantities.length < 3 ? undefined : { pca: { columns: quantities.slice(0, 6), components: 2, whiten: draw(2) === 0, name: `pca${place}` } };
    case 'select': return quantities.length < 3 ? undefined : { select: { columns: quantities.slice(0, 5), method: one(['FTest', 'Correlation'] as const) ?? 'FTest', keep: 4, threshold: 0 } };
    case 'derive': {
      if (number === undefined) return undefined;
      const quoted = `"${number}"`;
      const word = texts[0] === undefined ? `'none'` : `"${texts[0]}"`;
      const expression = one([`sin(${quoted}) + exp(-abs(${quoted})) ** 1.7`, `CASE WHEN ${quoted} > 0.5 THEN upper(${word}) ELSE ${word} || '!' END`, `TRY(ln(${quoted}))`, `length(${word}) / 7`, `coalesce(round(${quoted}, 2), -1)`, times[0] === undefined ? `${quoted} / 3` : `date_trunc('month', "${times[0]}")`]);
      return { derive: { name: `derived${place}`, expression: expression ?? '1' } };
    }
    case 'dates': return times.length === 0 ? undefined : { dates: { parts: ['Year', 'Month', 'DayOfWeek', 'Minute', 'EpochDays'], cyclic: draw(2) === 0 } };
    case 'text': return texts[0] === undefined ? undefined : { text: { column: texts[0], method: one(['Hashing', 'TfIdf'] as const) ?? 'Hashing', features: 9, analyzer: one(['Word', 'Character'] as const) ?? 'Word', ngrams: [1, 2], lowercase: true } };
    case 'encode': return texts.length === 0 ? undefined : { encode: { columns: some(texts), method: one(['OneHot', 'Ordinal', 'Target', 'Frequency', 'Hash', 'Embedding'] as const) ?? 'OneHot', unknown: 'Ignore', buckets: 5, ...(draw(2) === 0 ? { maxCategories: 4 } : {}) } };
    default: return undefined;
  }
}

const kinds = ['scale', 'outliers', 'transform', 'discretise', 'polynomial', 'pca', 'select', 'derive', 'dates', 'text', 'encode'];
const fill: readonly Step[] = [
  { impute: { strategy: 'Median', indicator: true } },
  { impute: { strategy: 'MostFrequent', indicator: false } },
];

/** Fits a pipeline of drawn steps, each suited to what those before it leave. */
async function drawn(table: Table, seed: number, target: Target): Promise<readonly FittedStep[]> {
  const source = random(seed, 'pipeline');
  const draw = (n: number): number => (n === 0 ? 0 : source.below(n));
  const steps: Step[] = [];
  let columns: readonly ColumnInfo[] = table.columns.map(infoOf);
  let fitted: readonly FittedStep[] = [];
  const wanted = 3 + draw(5);
  for (let place = 0; place < wanted; place++) {
    // What a derived column leaves missing is filled in before the next step meets it.
    steps.push(...fill);
    const step = stepFor(kinds[draw(kinds.length)] ?? '', columns, draw, place);
    if (step !== undefined) steps.push(step);
    fitted = (await fitPipeline(steps, frameOf(table), target, true)).steps;
    columns = (await applyPipeline(fitted, emptyTable(table.columns.map(infoOf)))).columns.map(infoOf);
  }
  return fitted;
}

/** Two numbers are the same where their bits are: 0 is not -0. */
const sameBits = (a: Column, rowA: number, b: Column, rowB: number): boolean =>
  a.kind === 'Text' || b.kind === 'Text' ? a.kind === b.kind && valueAt(a, rowA) === valueAt(b, rowB) : Object.is(a.values[rowA], b.values[rowB]);

async function expectSameBits(steps: readonly FittedStep[], table: Table, rows: Iterable<number>): Promise<void> {
  const batch = await applyPipeline(steps, table);
  const stored = JSON.parse(JSON.stringify(steps)) as FittedStep[];
  for (const row of rows) {
    const single = await applyPipeline(stored, take(table, Int32Array.of(row)));
    if (row === 0) expect(single.columns.map(infoOf)).to.deep.equal(batch.columns.map(infoOf));
    single.columns.forEach((column, at) => {
      const other = batch.columns[at];
      if (other === undefined || !sameBits(column, 0, other, row)) expect.fail(`Row ${row} differs in column "${column.name}" after ${JSON.stringify(steps.map(({ kind }) => kind))}.`);
    });
  }
}

const classed = (classes: Int32Array): Target => ({ task: 'Classification', classes: ['a', 'b', 'c'], codes: classes });

describe('any pipeline', function () {
  this.timeout(600_000);

  it('does to one row, from what was stored, what it did to many, to the same bits', async () => {
    await fc.assert(fc.asyncProperty(fc.nat(), async (seed) => {
      const { table, classes } = survey(150, seed);
      await expectSameBits(await drawn(table, seed, classed(classes)), table, Array.from({ length: 25 }, (_, at) => at * 6));
    }), { numRuns: 12 });
  });

  it('does so for each of 10,000 rows', async () => {
    const { table, classes } = survey(10_000, 4);
    const steps: Step[] = [
      ...fill,
      { dates: { parts: ['Month', 'DayOfWeek', 'Hour', 'EpochDays'], cyclic: true } },
      { encode: { columns: ['city'], method: 'Target', unknown: 'Ignore' } },
      { text: { column: 'plan', method: 'TfIdf', features: 20, analyzer: 'Character', ngrams: [1, 2], lowercase: true } },
      { outliers: { columns: ['income', 'balance'], method: 'IQR', action: 'Clip' } },
      { transform: { columns: ['income', 'balance'], method: 'YeoJohnson' } },
      { transform: { columns: ['height'], method: 'Quantile', output: 'Normal' } },
      { polynomial: { columns: ['income', 'balance'], degree: 2, interactionOnly: false } },
      { scale: { method: 'Standard' } },
      { pca: { columns: ['income', 'balance', 'height', 'age'], components: 3, whiten: true } },
    ];
    const fitted = (await fitPipeline(steps, frameOf(table), classed(classes), true)).steps;
    await expectSameBits(fitted, table, Array.from({ length: table.rows }, (_, row) => row));
  });

  it('does so for each of 1,000 rows with columns that SQL derives', async () => {
    const { table, classes } = survey(1000, 5);
    const steps: Step[] = [
      ...fill,
      { derive: { name: 'rate', expression: 'ln(1 + income) / (height - 100) + sin(age) ** 3 + exp(-balance / 1000)' } },
      { derive: { name: 'group', expression: `CASE WHEN age < 40 THEN city ELSE 'old ' || lower(city) END` } },
      { derive: { name: 'week', expression: `date_trunc('week', joined)` } },
      { derive: { name: 'first', expression: 'upper(left(city, 1))' } },
    ];
    const fitted = (await fitPipeline(steps, frameOf(table), classed(classes), true)).steps;
    await expectSameBits(fitted, table, Array.from({ length: table.rows }, (_, row) => row));
  });

  it('does to blocks what it does to all at once', async () => {
    const { table, classes } = survey(3000, 9);
    const steps = await drawn(table, 77, classed(classes));
    const whole = await applyPipeline(steps, table);
    for (const [from, to] of [[0, 7], [7, 2055], [2055, 3000]] as const) {
      const block = await applyPipeline(steps, slice(table, from, to));
      block.columns.forEach((column, at) => {
        const other = whole.columns[at];
        for (let row = from; row < to; row++) if (other === undefined || !sameBits(column, row - from, other, row)) expect.fail(`Row ${row} differs in column "${column.name}".`);
      });
    }
  });
});
