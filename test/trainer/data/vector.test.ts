import { expect } from 'chai';
import fc from 'fast-check';
import { frameOf } from '../../../trainer-image/src/data/frame.ts';
import { applyPipeline, fitPipeline } from '../../../trainer-image/src/data/pipeline/index.ts';
import type { Step } from '../../../trainer-image/src/data/pipeline/index.ts';
import { prepare, preprocess } from '../../../trainer-image/src/data/prepare.ts';
import { repeatedRows } from '../../../trainer-image/src/data/rowhash/repeats.ts';
import { rowsOf } from '../../../trainer-image/src/data/rows.ts';
import { slice, take } from '../../../trainer-image/src/data/table.ts';
import type { Table, VectorColumn } from '../../../trainer-image/src/data/table.ts';
import { requireVectorSpec } from '../../../trainer-image/src/data/vector.ts';
import { signatureOf } from '../../../trainer-image/src/model/save.ts';
import { parseInfer } from '../../../trainer-image/src/serve/request.ts';
import { codeOf, trainerSpec } from '../support.ts';
import { text } from './tables.ts';

const vector = (values: Uint8Array | Float32Array, ...shape: number[]): VectorColumn => ({ kind: 'Vector', name: 'image', shape, width: shape.reduce((product, length) => product * length, 1), values });
const tableOf = (held: VectorColumn): Table => {
  const rows = held.values.length / held.width;
  return { rows, columns: [text('label', ...Array.from({ length: rows }, (_, row) => (row % 2 === 0 ? 'cat' : 'dog')))], vector: held };
};
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const floats = (...values: number[]): Float32Array => Float32Array.from(values);

const spec = (pipeline: readonly Step[] = [], features?: object) => trainerSpec({
  data: { source: { uri: 'file:///x' }, target: 'label', split: { validation: 0, test: 0 }, pipeline, ...(features === undefined ? {} : { features }) }, model: { preset: 'MLP' },
}).data;
const fitted = async (step: Step, held: VectorColumn) => (await fitPipeline([step], frameOf(tableOf(held)), { task: 'Classification', classes: ['cat', 'dog'], codes: Int32Array.from({ length: held.values.length / held.width }, (_, row) => row % 2) }, true)).steps;

describe('rows that are arrays', () => {
  const images = vector(bytes(0, 51, 102, 153, 204, 255, 0, 255), 2, 1);

  it('are taken and cut like columns', () => {
    const table = tableOf(images);
    expect([...take(table, Int32Array.of(3, 0)).vector?.values ?? []]).to.deep.equal([0, 255, 0, 51]);
    expect([...slice(table, 1, 3).vector?.values ?? []]).to.deep.equal([102, 153, 204, 255]);
  });

  const scales: readonly (readonly [string, Uint8Array | Float32Array, number, number])[] = [
    ['MinMax', bytes(5, 10, 15, 25), 5, 20],
    ['MaxAbs', floats(-4, 1, 2, NaN), 0, 4],
    ['Standard', bytes(1, 1, 3, 3), 2, 1],
  ];
  for (const [method, values, shift, divisor] of scales) {
    it(`have one scale for all their values: ${method}`, async () => {
      for (const columns of [undefined, ['image']]) {
        const step = { scale: { method, ...(columns === undefined ? {} : { columns }) } } as Step;
        expect(await fitted(step, vector(values, 2))).to.deep.equal([{ kind: 'Scale', columns: [{ name: 'image', shift, divisor }] }]);
      }
    });
  }

  it('are refused by what takes single values, in a sentence', async () => {
    const refused: readonly (readonly [Step, RegExp])[] = [
      [{ scale: { method: 'Robust', columns: ['image'] } }, /no quartiles of its own. Write method: Standard, MinMax or MaxAbs/],
      [{ impute: { strategy: 'Mean', columns: ['image'], indicator: false } }, /only scale can change those/],
      [{ drop: { columns: ['image'] } }, /no column "image"|only scale/],
    ];
    for (const [step, message] of refused) {
      const error = await codeOf(() => fitted(step, images));
      expect(error.code).to.be.oneOf(['SPEC_COLUMN_KIND', 'SPEC_COLUMN_MISSING']);
      expect(error.message).to.match(message);
    }
    for (const [features, privacy] of [[{ columns: ['label'] }, undefined], [{ exclude: ['label'] }, undefined], [undefined, {}]] as const) {
      expect((await codeOf(() => requireVectorSpec({ ...spec([], features), ...(privacy === undefined ? {} : { privacy }) }, images))).code).to.equal('SPEC_CONFLICT');
    }
  });

  it('become what the network eats, in their own shape or one that is written', async () => {
    const { preprocessing, train } = await prepare(spec([{ scale: { method: 'MinMax' } }]), rowsOf(tableOf(images)));
    expect(preprocessing.inputs).to.deep.equal([{ name: 'image', kind: 'Vector', shape: [2, 1] }]);
    expect(preprocessing).to.deep.include({ features: ['image'], shape: [2, 1] });
    expect([...train.features.range(0, 4)]).to.deep.equal([...floats(0, 0.2, 0.4, 0.6, 0.8, 1, 0, 1)]);
    expect((await prepare(spec([], { shape: [1, 1, 2] }), rowsOf(tableOf(images)))).preprocessing.shape).to.deep.equal([1, 1, 2]);
    expect((await codeOf(() => prepare(spec([], { shape: [3] }), rowsOf(tableOf(images))))).message).to.contain('holds 3 values, but a row has 2');
    expect((await codeOf(() => prepare(spec(), rowsOf(tableOf(vector(floats(1, 2, NaN, 4), 2)))))).message).to.match(/"image" has a missing value \(NaN\) in row 2/);
  });

  it('give the same bits while training, when they are served, and as numbers of any kind', async () => {
    const values = fc.integer({ min: 1, max: 4 }).chain((width) => fc.tuple(fc.constant(width), fc.array(fc.array(fc.nat(255), { minLength: width, maxLength: width }), { minLength: 4, maxLength: 12 })));
    await fc.assert(fc.asyncProperty(values, fc.constantFrom('Standard', 'MinMax', 'MaxAbs'), async ([width, rows], method) => {
      const steps: Step[] = [{ scale: { method } }, { scale: { method: 'Standard' } }];
      const asBytes = vector(Uint8Array.from(rows.flat()), width);
      const asFloats = { ...asBytes, values: Float32Array.from(rows.flat()) };
      const one = await prepare(spec(steps), rowsOf(tableOf(asBytes)));
      const other = await prepare(spec(steps), rowsOf(tableOf(asFloats)));
      const whole = one.train.features.range(0, rows.length);
      expect(other.train.features.range(0, rows.length)).to.deep.equal(whole);
      expect(one.train.features.gather(Int32Array.of(2, 0))).to.deep.equal(Float32Array.of(...whole.subarray(2 * width, 3 * width), ...whole.subarray(0, width)));
      for (const [row, written] of rows.entries()) {
        for (const datatype of ['UINT8', 'FP32', 'INT64']) {
          const { table } = parseInfer({ inputs: [{ name: 'image', datatype, shape: [1, width], data: written }] }, one.preprocessing, []);
          expect(await preprocess(one.preprocessing, table)).to.deep.equal(whole.slice(row * width, (row + 1) * width));
        }
      }
    }), { numRuns: 30 });
  });

  it('are asked for by their name and shape', async () => {
    const { preprocessing } = await prepare(spec(), rowsOf(tableOf(images)));
    const parsed = (input: object) => parseInfer({ inputs: [{ name: 'image', datatype: 'UINT8', ...input }] }, preprocessing, []).table;
    expect(parsed({ shape: [2, 2, 1], data: [1, 2, 3, 4] })).to.deep.include({ rows: 2, vector: { ...images, values: bytes(1, 2, 3, 4) } });
    expect(parsed({ shape: [1, 2, 1], data: [[[1], [2]]] }).vector?.values).to.deep.equal(bytes(1, 2));
    expect(signatureOf(preprocessing).inputs).to.deep.equal([{ name: 'image', datatype: 'FP32', shape: [-1, 2, 1] }]);
    for (const [input, message] of [
      [{ shape: [1, 3], data: [1, 2, 3] }, /must have the shape \[n, 2, 1\], not \[1, 3\]/],
      [{ name: 'rows', shape: [1, 2], data: [1, 2] }, /no input "rows"; the model takes one input "image" of shape \[n, 2, 1\]/],
      [{ name: 'picture', shape: [1, 2], data: [1, 2] }, /no input "picture"/],
      [{ shape: [1, 2], data: [1, 256] }, /no UINT8/],
    ] as const) expect((await codeOf(() => parsed(input))).message).to.match(message);
  });

  it('are alike only when all their values are', async () => {
    const held = vector(bytes(1, 2, 1, 2, 1, 3, 1, 2), 2);
    const rows = rowsOf({ ...tableOf(held), columns: [text('label', 'cat', 'cat', 'cat', 'dog')] });
    expect(await repeatedRows(rows, ['label', 'image'])).to.deep.equal({ rows: 1, first: [2] });
    expect(await repeatedRows(rows, ['image'])).to.deep.equal({ rows: 2, first: [2, 4] });
    expect(await repeatedRows(rows, ['label'])).to.deep.equal({ rows: 2, first: [2, 3] });
  });

  it('pass through a pipeline that does not name them', async () => {
    expect((await applyPipeline([{ kind: 'Scale', columns: [{ name: 'other', shift: 1, divisor: 1 }] }], tableOf(images))).vector).to.equal(images);
  });
});
