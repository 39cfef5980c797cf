import { expect } from 'chai';
import * as fc from 'fast-check';
import { askPython } from '../../../../hack/python/venv.ts';
import { correlate } from '../../../../trainer-image/src/data/profile/correlations.ts';
import { NumberSummary } from '../../../../trainer-image/src/data/profile/numbers.ts';
import { sketchError } from '../../../../trainer-image/src/data/profile/order.ts';
import { sampleOf } from '../../../../trainer-image/src/data/profile/sample.ts';
import { TextSummary } from '../../../../trainer-image/src/data/profile/texts.ts';
import { random } from '../../../../trainer-image/src/data/random.ts';
import { rowsOf } from '../../../../trainer-image/src/data/rows.ts';
import { normal } from '../normal.ts';
import { inBlocks } from '../sources.ts';
import { tableOf, text } from '../tables.ts';

function numbers(values: readonly number[], block: number, most?: number) {
  const summary = new NumberSummary('Number', values.length, random(0, 'test'), most);
  for (let from = 0; from < values.length; from += block) summary.add(Float64Array.from(values.slice(from, from + block)));
  return summary.profile();
}

async function texts(source: ReturnType<typeof inBlocks>, most?: number) {
  const summary = new TextSummary(most);
  for await (const { columns: [column] } of source.blocks(['t'], 1000)) if (column?.kind === 'Text') summary.add(column);
  return summary.profile();
}

const values = fc.array(fc.oneof({ weight: 6, arbitrary: fc.double({ min: -1e9, max: 1e9 }) }, { weight: 3, arbitrary: fc.integer({ min: -5, max: 5 }) }, { weight: 1, arbitrary: fc.constant(Infinity) }), { maxLength: 200 });

describe('the profile of a number column', () => {
  it('has the statistics of NumPy', async () => {
    const source = random(1, 'test');
    const columns = [
      Array.from({ length: 1000 }, () => 1e9 + normal(source)),
      Array.from({ length: 777 }, () => Math.exp(3 * normal(source))),
      Array.from({ length: 500 }, () => source.below(7)),
      [4.5],
    ];
    const program = `
import json, sys, numpy
print(json.dumps([[float(f) for f in [numpy.min(v), numpy.max(v), numpy.mean(v), numpy.std(v), *numpy.quantile(v, [.05, .25, .5, .75, .95]), len(numpy.unique(v))]] for v in map(numpy.array, json.load(sys.stdin))]))`;
    const expected = await askPython('science', program, columns) as number[][];
    columns.forEach((column, index) => {
      const { statistics, distinct } = numbers(column, 64);
      if (statistics === undefined) throw new Error('There are no statistics.');
      const { least, greatest, mean, deviation, q05, q25, median, q75, q95 } = statistics;
      [least, greatest, mean, deviation, q05, q25, median, q75, q95, distinct].forEach((found, place) => {
        expect(found).to.be.closeTo(expected[index]?.[place] ?? NaN, 1e-6 * Math.max(1e-3, Math.abs(deviation)));
      });
    });
  });

  it('puts values that differ by next to nothing, such as the smallest of p-values, into one bar', () => {
    for (const column of [[1e-320, 2e-320, 3e-320], [-1e-320, 0, 1e-320], [5e-324, 1e-310]]) {
      const { statistics } = numbers(column, 64);
      expect(statistics?.histogram).to.deep.equal({ edges: [column[0], column.at(-1)], counts: [column.length], below: 0, above: 0 });
    }
  });

  it('counts every value once: as missing, infinite, in a bar, or beyond them', () => {
    fc.assert(fc.property(values, fc.integer({ min: 1, max: 50 }), fc.boolean(), (column, block, sketched) => {
      const { rows, missing, infinite, statistics, exact } = numbers(column, block, sketched ? 0 : undefined);
      const finite = column.filter(Number.isFinite);
      expect(rows).to.equal(column.length);
      expect(missing).to.equal(column.filter(Number.isNaN).length);
      expect(infinite).to.equal(column.length - missing - finite.length);
      expect(exact).to.equal(!sketched || column.length === 0);
      expect(statistics === undefined).to.equal(finite.length === 0);
      if (statistics === undefined) return;
      const { edges, counts, below, above } = statistics.histogram;
      expect(counts.reduce((sum, count) => sum + count, below + above)).to.equal(finite.length);
      expect(counts.length).to.equal(edges.length - 1);
      counts.forEach((count, bar) => {
        const [low = NaN, high = NaN] = [edges[bar], edges[bar + 1]];
        expect(count).to.equal(finite.filter((value) => value >= low && (value < high || (bar === counts.length - 1 && value === high))).length);
      });
    }));
  });

  it('cuts far values off the histogram and counts them', () => {
    const column = [...Array.from({ length: 2000 }, (_, row) => row / 2000), 1e6, -1e6];
    const histogram = numbers(column, 100).statistics?.histogram;
    expect(histogram).to.include({ below: 1, above: 1 });
    expect(histogram?.edges.at(-1)).to.be.at.most(1.1);
  });

  it('keeps a sketch of a stream too long to hold, within the error that is told', function long() {
    this.timeout(60_000);
    const source = random(2, 'test');
    const column = Array.from({ length: 200_000 }, (_, row) => (row % 3 === 0 ? row : normal(source) * 1e5));
    const sorted = Float64Array.from(column).sort();
    const { statistics, distinct, exact } = numbers(column, 4096, 1000);
    expect(exact).to.equal(false);
    const rankOf = (value: number) => sorted.findIndex((other) => other >= value) / sorted.length;
    for (const [share, name] of [[0.05, 'q05'], [0.25, 'q25'], [0.5, 'median'], [0.75, 'q75'], [0.95, 'q95']] as const) {
      expect(Math.abs(rankOf(statistics?.[name] ?? NaN) - share), name).to.be.at.most(sketchError);
    }
    expect(distinct / new Set(column).size).to.be.closeTo(1, 0.03);
  });
});

describe('the profile of a text column', () => {
  const columns = fc.array(fc.option(fc.constantFrom('a', 'b', 'c', 'dd', '', 'größe'), { nil: null }), { minLength: 1, maxLength: 100 });

  it('has the counts of brute force, whether blocks share a dictionary or not', async () => {
    await fc.assert(fc.asyncProperty(columns, fc.integer({ min: 1, max: 20 }), async (column, block) => {
      const table = tableOf(text('t', ...column));
      const present = column.filter((value) => value !== null);
      const counts = new Map<string, number>();
      for (const value of present) counts.set(value, (counts.get(value) ?? 0) + 1);
      const top = [...counts].map(([value, rows]) => ({ value, rows })).sort((a, b) => b.rows - a.rows || (a.value < b.value ? -1 : 1));
      const lengths = present.map(({ length }) => length);
      for (const source of [rowsOf(table), inBlocks(table, block)]) {
        const profile = await texts(source);
        expect(profile).to.deep.include({ rows: column.length, missing: column.length - present.length, distinct: counts.size, exact: true, top });
        if (profile.lengths === undefined) expect(present).to.be.empty;
        else expect(profile.lengths).to.include({ least: Math.min(...lengths), greatest: Math.max(...lengths) });
      }
    }));
  });

  it('keeps the frequent ones of more than it may hold', async () => {
    const source = random(3, 'test');
    const column = Array.from({ length: 20_000 }, (_, row) => (row % 4 === 0 ? 'often' : `once ${source.uint32()}`));
    const profile = await texts(inBlocks(tableOf(text('t', ...column)), 500), 1000);
    expect(profile.exact).to.equal(false);
    expect(profile.top[0]?.value).to.equal('often');
    expect(profile.top[0]?.rows).to.be.within(5000 - 2 * 20_000 / 1000, 5000);
    expect(profile.distinct / 15_001).to.be.closeTo(1, 0.03);
  });
});

describe('correlations', () => {
  it('are those of pandas, of the rows where both have a value', async () => {
    const source = random(4, 'test');
    const shared = Array.from({ length: 300 }, () => normal(source));
    const columns = [0, 0.5, 3, 1e6].map((weight, index) => ({
      name: `c${index}`,
      values: Float64Array.from(shared, (value) => (source.below(10) === 0 ? NaN : 1e5 + value + weight * normal(source))),
    }));
    columns.push({ name: 'constant', values: new Float64Array(300).fill(0.1) });
    const program = `
import json, sys, pandas
frame = pandas.DataFrame(json.load(sys.stdin), dtype=float)
print(frame.corr().to_json(orient='values'))`;
    const expected = await askPython('science', program, Object.fromEntries(columns.map(({ name, values: column }) => [name, Array.from(column, (value) => (Number.isNaN(value) ? null : value))]))) as (number | null)[][];
    const { matrix, strongest } = correlate(columns);
    matrix?.forEach((row, i) => row.forEach((found, j) => {
      if (found === null) expect([i, j]).to.include(4);
      else expect(found).to.be.closeTo(expected[i]?.[j] ?? NaN, 1e-9);
    }));
    expect(strongest[0]).to.include({ a: 'c0', b: 'c1' });
  });
});

describe('a sample of rows', () => {
  it('has different rows of those given, in their order, and each as often as any other', () => {
    const rows = Int32Array.from({ length: 20 }, (_, row) => row * 3);
    const drawn = new Map<number, number>();
    for (let seed = 0; seed < 2000; seed++) {
      const chosen = sampleOf(rows, 5, seed);
      expect(chosen.length).to.equal(5);
      expect([...chosen]).to.deep.equal([...new Set(chosen)].sort((a, b) => a - b));
      for (const row of chosen) drawn.set(row, (drawn.get(row) ?? 0) + 1);
    }
    // Binomial: mean 500, deviation 19.4.
    for (const row of rows) expect(drawn.get(row)).to.be.within(400, 600);
  });
});
