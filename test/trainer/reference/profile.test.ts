import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { askPython } from '../../../hack/python/venv.ts';
import { binsOf } from '../../../trainer-image/src/data/profile/bins.ts';
import type { Bins } from '../../../trainer-image/src/data/profile/bins.ts';
import { QuantileSketch, sortedOrder } from '../../../trainer-image/src/data/profile/order.ts';
import { matrixOf } from '../../../trainer-image/src/data/matrix.ts';
import type { Part } from '../../../trainer-image/src/data/part.ts';
import { random } from '../../../trainer-image/src/data/random.ts';
import { rowsOf } from '../../../trainer-image/src/data/rows.ts';
import type { Table } from '../../../trainer-image/src/data/table.ts';
import type { Manifest } from '../../../trainer-image/src/model/directory.ts';
import { inputsReference } from '../../../trainer-image/src/reference/inputs.ts';
import { errorsReference, predictionsReference } from '../../../trainer-image/src/reference/predictions.ts';
import type { ColumnReference, InputsReference, ReferenceProfile, TextsReference } from '../../../trainer-image/src/reference/profile.ts';
import { predictionBlocks, predictionsOf } from '../../../trainer-image/src/train/judging.ts';
import { errorBlocks } from '../../../trainer-image/src/train/reconstruction.ts';
import { normal } from '../data/normal.ts';
import { number, tableOf, text, time } from '../data/tables.ts';
import { blobs, folder, succeeded, train, trainerSpec } from '../support.ts';

const everyRow = (rows: number): Int32Array => Int32Array.from({ length: rows }, (_, row) => row);

/** Of all columns, trained on all rows unless told otherwise. */
function referenceOf(table: Table, trained = everyRow(table.rows), k?: number): Promise<InputsReference> {
  const names = table.columns.map(({ name }) => name);
  const none = new Int32Array(0);
  return inputsReference({ rows: rowsOf(table), columns: names, target: 'y', task: 'Classification', features: names, parts: { train: trained, validation: none, test: none }, seed: 0 }, k);
}

async function columnOf(table: Table, k?: number): Promise<ColumnReference> {
  const [column] = (await referenceOf(table, undefined, k)).columns;
  if (column === undefined) throw new Error('There is no column.');
  return column;
}

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

/** How many values fall into bins that others were cut for. */
function countsIn({ edges, counts }: Bins, values: readonly number[]): number[] {
  const found = counts.map(() => 0);
  for (const value of values) {
    const bin = edges.filter((edge) => edge <= value).length;
    found[bin] = (found[bin] ?? 0) + 1;
  }
  return found;
}

/** Population stability index: the sum of (a - e) ln(a / e) over the shares of the bins. */
function stability(expected: readonly number[], actual: readonly number[]): number {
  const [all, others] = [sum(expected), sum(actual)];
  return expected.reduce((total, count, bin) => {
    const [e, a] = [count / all, (actual[bin] ?? 0) / others];
    return total + (a - e) * Math.log(a / e);
  }, 0);
}

/** Largest distance between the two distributions at an edge. */
function distance(expected: readonly number[], actual: readonly number[]): number {
  const [all, others] = [sum(expected), sum(actual)];
  let [e, a, most] = [0, 0, 0];
  expected.forEach((count, bin) => {
    [e, a] = [e + count / all, a + (actual[bin] ?? 0) / others];
    most = Math.max(most, Math.abs(e - a));
  });
  return most;
}

const inPairs = (counts: readonly number[]): number[] => counts.flatMap((count, bin) => (bin % 2 === 0 ? [count + (counts[bin + 1] ?? 0)] : []));

describe('bins of a column', () => {
  const values = fc.array(fc.oneof(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.integer({ min: -3, max: 3 })), { minLength: 1, maxLength: 300 });

  it('hold every value once, none of them too few, whatever the values are', () => {
    fc.assert(fc.property(values, fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 12 }), (column, most, fewest) => {
      const bins = binsOf(sortedOrder(Float64Array.from(column).sort()), most, fewest);
      expect(bins.counts).to.deep.equal(countsIn(bins, column));
      expect(bins.counts.length).to.be.within(1, most);
      if (bins.counts.length > 1) for (const count of bins.counts) expect(count).to.be.at.least(fewest);
      expect([...bins.edges]).to.deep.equal([...new Set(bins.edges)].sort((a, b) => a - b));
    }));
  });

  it('hold about as many of a stream too long to hold', () => {
    const source = random(4, 'test');
    const sketch = new QuantileSketch(source);
    for (let row = 0; row < 100_000; row++) sketch.add(normal(source));
    const { edges, counts } = binsOf(sketch.order(), 20, 5);
    expect(edges).to.have.length(19);
    expect(sum(counts)).to.equal(100_000);
    for (const count of counts) expect(count / 5000).to.be.closeTo(1, 0.1);
  });
});

describe('a reference profile', () => {
  const source = random(11, 'reference');
  const before = Array.from({ length: 3000 }, () => 50 + 12 * normal(source));
  const after = Array.from({ length: 800 }, () => 55 + 15 * normal(source));

  it('is enough for the stability index of tenths by NumPy, and for the distance of Kolmogorov and Smirnov by SciPy to within a twentieth', async () => {
    const program = `
import json, sys, numpy, scipy.stats
before, after = map(numpy.array, json.load(sys.stdin))
edges = numpy.quantile(before, numpy.arange(1, 10) / 10)
e, a = [numpy.bincount(numpy.searchsorted(edges, v, side='right'), minlength=10) / len(v) for v in (before, after)]
print(json.dumps([float(numpy.sum((a - e) * numpy.log(a / e))), float(scipy.stats.ks_2samp(before, after).statistic), float(before.mean()), float(before.std())]))`;
    const [psi = NaN, ks = NaN, mean = NaN, deviation = NaN] = await askPython('science', program, [before, after]) as number[];
    const { values } = await columnOf(tableOf(number('x', ...before)));
    if (values === undefined) throw new Error('There are no values.');
    const now = countsIn(values, after);
    expect(stability(inPairs(values.counts), inPairs(now))).to.be.closeTo(psi, 1e-9).and.to.be.above(0.1);
    expect(distance(values.counts, now)).to.be.within(ks - 0.05, ks);
    expect(values.mean).to.be.closeTo(mean, 1e-9);
    expect(values.deviation).to.be.closeTo(deviation, 1e-9);
  });

  it('is enough for the stability index of categories, the rare ones together', async () => {
    const countries = Array.from({ length: 2000 }, (_, row) => ['DE', 'DE', 'DE', 'FR', 'FR', 'IT', null][source.below(7)] ?? (row % 400 === 0 ? `rare ${row}` : null));
    const { texts, missing } = await columnOf(tableOf(text('country', ...countries)));
    const counted = (value: string): number => countries.filter((country) => country === value).length;
    expect(texts?.top).to.deep.equal(['DE', 'FR', 'IT'].map((value) => ({ value, rows: counted(value) })));
    expect(missing + sum(texts?.top.map(({ rows }) => rows) ?? []) + (texts?.others.rows ?? NaN)).to.equal(2000);
    const sharesOf = ({ top, others }: TextsReference): number[] => [...top.map(({ rows }) => rows), others.rows + missing];
    const later = [400, 300, 200, 100];
    const named = ['DE', 'FR', 'IT'].map(counted);
    expect(texts === undefined ? NaN : stability(sharesOf(texts), later)).to.be.closeTo(stability([...named, 2000 - sum(named)], later), 1e-12);
  });

  it('is of the training rows alone', async () => {
    const table = tableOf(number('x', ...everyRow(100)), text('t', ...Array.from({ length: 100 }, (_, row) => (row < 40 ? 'early' : 'late'))));
    const { rows, columns } = await referenceOf(table, everyRow(40));
    expect(rows).to.equal(40);
    expect(columns[0]?.values?.mean).to.equal(19.5);
    expect(columns[1]?.texts).to.deep.equal({ top: [{ value: 'early', rows: 40 }], others: { rows: 0, distinct: 0 }, exact: true });
  });

  it('counts what is missing or infinite, and takes times as numbers', async () => {
    const { columns } = await referenceOf(tableOf(
      number('x', ...everyRow(50).map((row) => row), NaN, NaN, Infinity),
      time('d', ...Array.from({ length: 53 }, (_, row) => (row === 0 ? null : new Date(Date.UTC(2024, 0, row)).toISOString()))),
    ));
    expect(columns.map(({ name, kind, missing, infinite }) => [name, kind, missing, infinite])).to.deep.equal([['x', 'Number', 2, 1], ['d', 'Time', 1, undefined]]);
    expect(columns.map(({ values }) => sum(values?.counts ?? []))).to.deep.equal([50, 52]);
    expect(columns[1]?.values?.edges.every((edge) => edge > Date.UTC(2024, 0, 1) * 1000 && edge < Date.UTC(2024, 1, 22) * 1000)).to.equal(true);
  });

  it('tells of no fewer than five rows, or as many as the spec wants to be alike', async () => {
    const jobs = [...Array.from({ length: 30 }, () => 'cook'), ...Array.from({ length: 8 }, () => 'nurse'), ...Array.from({ length: 4 }, () => 'astronaut')];
    const topOf = async (k?: number) => (await columnOf(tableOf(text('job', ...jobs)), k)).texts;
    expect((await topOf())?.top.map(({ value }) => value)).to.deep.equal(['cook', 'nurse']);
    expect(await topOf(10)).to.deep.equal({ top: [{ value: 'cook', rows: 30 }], others: { rows: 12, distinct: 2 }, exact: true });
    const counts = async (rows: number, k?: number) => (await columnOf(tableOf(number('x', ...everyRow(rows))), k)).values?.counts;
    expect(await counts(4)).to.equal(undefined);
    expect(await counts(7)).to.deep.equal([7]);
    for (const k of [undefined, 12]) for (const count of await counts(42, k) ?? []) expect(count).to.be.at.least(k ?? 5);
  });

  it('tells of private columns how many values are missing, and nothing else', async () => {
    const table = tableOf(...[number('age', ...everyRow(50), NaN), text('card', ...Array.from({ length: 50 }, () => 'canary'), null)].map((column) => ({ ...column, private: 'Suppressed' as const })));
    expect((await referenceOf(table)).columns).to.deep.equal([
      { name: 'age', kind: 'Number', private: 'Suppressed', missing: 1 },
      { name: 'card', kind: 'Text', private: 'Suppressed', missing: 1 },
    ]);
  });

  it('has of rows that are arrays how their means are spread', async () => {
    const images = Float32Array.from({ length: 60 * 2 }, (_, at) => (at % 2 === 0 ? 0 : Math.floor(at / 2)));
    const { columns: [image] } = await referenceOf({ rows: 60, columns: [], vector: { kind: 'Vector', name: 'image', shape: [2, 1], width: 2, values: images } });
    expect(image).to.include({ name: 'image', kind: 'Vector', missing: 0 });
    expect(image?.values?.mean).to.equal(29.5 / 2);
  });
});

describe('the predictions in a reference profile', () => {
  const probabilities = (width: number, rows: number): Float32Array => Float32Array.from({ length: rows * width }, (_, at) => {
    const share = (Math.floor(at / width) + 1) / (rows + 1);
    return at % width === width - 1 ? share : (1 - share) / (width - 1);
  });
  const of = (width: number, threshold?: number) => {
    const classes = ['a', 'b', 'c'].slice(0, width);
    const all = probabilities(width, 99);
    const blocks = [[0, 40], [40, 99]].map(([from = 0, to = 0]) => ({ task: 'Classification', classes, probabilities: all.subarray(from * width, to * width), truth: new Int32Array(to - from) } as const));
    return predictionsReference({ part: 'test', rows: 99, seed: 0 }, { task: 'Classification', classes }, blocks, threshold === undefined ? [] : [{ class: 'b', threshold }]);
  };

  it('are the labels that are answered, and the probability of the second of two classes', () => {
    expect(of(2)).to.deep.include({ part: 'test', rows: 99, task: 'Classification', labels: [50, 49] });
    expect(of(2, 0.895)).to.deep.include({ labels: [89, 10] });
    const found = of(2);
    expect(found.task === 'Classification' && found.scores?.mean).to.be.closeTo(0.5, 1e-6);
  });

  it('are of more classes the probability of the most probable', () => {
    const found = of(3);
    const expected = Array.from({ length: 99 }, (_, row) => Math.max((row + 1) / 100, (1 - (row + 1) / 100) / 2));
    expect(found.task === 'Classification' && found.scores?.mean).to.be.closeTo(sum(expected) / 99, 1e-6);
  });

  it('are asked for a block of rows at a time, and are what they are all at once', () => {
    const rows = 20_000;
    const part = { rows, features: matrixOf(Float32Array.from({ length: rows }, (_, row) => row % 977), 1), targets: new Float32Array(rows) };
    const asked: number[] = [];
    const learner = { predict: ({ rows: some, features }: Part) => (asked.push(some), features.range(0, some)) };
    const target = { task: 'Regression', name: 'y', mean: 3, scale: 2 } as const;
    const answered = { part: 'test', rows, seed: 0 } as const;
    const streamed = predictionsReference(answered, target, predictionBlocks(learner, part, target), []);
    expect(asked.reduce((sum, some) => sum + some)).to.equal(rows);
    expect(Math.max(...asked)).to.be.at.most(8192);
    const whole = predictionsReference(answered, target, [predictionsOf(learner, part, target)], []);
    expect(streamed).to.have.deep.nested.property('values.counts', whole.task === 'Regression' ? whole.values?.counts : []);
    const errors = [...errorBlocks(learner, { ...part, features: matrixOf(part.features.range(0, rows), 2), rows: rows / 2 }, 'MSE')];
    expect(errors.reduce((sum, { length }) => sum + length, 0)).to.equal(rows / 2);
    expect(errorsReference({ ...answered, rows: rows / 2 }, errors, -1)).to.include({ flagged: rows / 2 });
  });

  it('are of a regression values in the unit of the target', () => {
    const found = predictionsReference({ part: 'validation', rows: 100, seed: 0 }, { task: 'Regression' }, [{ task: 'Regression', predicted: Float64Array.from({ length: 100 }, (_, row) => 1000 + row), truth: new Float64Array(100) }], []);
    expect(found.task === 'Regression' && found.values).to.include({ mean: 1049.5, exact: true });
    expect(found.task === 'Regression' && found.values?.counts).to.deep.equal(Array.from({ length: 20 }, () => 5));
  });
});

describe('a model', function suite() {
  this.timeout(60_000);

  it('names its reference profile, of the rows that it was trained on and validated with', async () => {
    await using place = await folder();
    const spec = trainerSpec({
      data: { source: { uri: place.write('rows.csv', blobs(203)) }, target: 'colour', balance: { method: 'Oversample' }, pipeline: [{ scale: {} }] },
      model: { preset: 'Linear' }, fit: { epochs: 2 },
    });
    succeeded(await train(spec, place.path));
    const read = (file: string): unknown => JSON.parse(readFileSync(`${place.path}/model/${file}`, 'utf8'));
    const manifest = read('manifest.json') as Manifest;
    const { formatVersion, inputs, predictions } = read(manifest.referenceProfile ?? '') as ReferenceProfile;
    expect(formatVersion).to.equal(1);
    expect(manifest.files.map(({ path }) => path)).to.include(manifest.referenceProfile);
    const { inputs: columns } = read('preprocessing.json') as { inputs: { name: string }[] };
    expect(inputs.columns.map(({ name }) => name)).to.deep.equal(columns.map(({ name }) => name));
    for (const { values } of inputs.columns) expect(sum(values?.counts ?? [])).to.equal(inputs.rows);
    expect(predictions).to.include({ part: 'validation', rows: manifest.data.rows.validation });
    expect(predictions.task === 'Classification' ? sum(predictions.labels) : NaN).to.equal(predictions.rows);
  });
});
