import { createHash } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { askPython } from '../../../../hack/python/venv.ts';
import { readArrays } from '../../../../trainer-image/src/data/arrays/index.ts';
import type { ArraysSpec } from '../../../../trainer-image/src/data/arrays/index.ts';
import { parseHeader } from '../../../../trainer-image/src/data/arrays/npy.ts';
import type { LocalFile } from '../../../../trainer-image/src/data/source.ts';
import type { Table } from '../../../../trainer-image/src/data/table.ts';
import { loadPredictor } from '../../../../trainer-image/src/serve/predictor.ts';
import { parseInfer } from '../../../../trainer-image/src/serve/request.ts';
import { codeOf, folder, succeeded, train, trainerSpec } from '../../support.ts';
import type { Folder } from '../../support.ts';

const limits = { maxBytes: 1e9, maxFiles: 1000 };
const local = (place: Folder, name: string): LocalFile => ({ path: path.join(place.path, name), name, bytes: statSync(path.join(place.path, name)).size, sha256: createHash('sha256').update(name).digest('hex') });
const read = (place: Folder, names: readonly string[], spec: Partial<ArraysSpec> = {}): Promise<Table> => readArrays(names.map((name) => local(place, name)), { features: 'x', ...spec }, 'y', limits);

/** A file of version 1.0, with any header before any bytes. */
function npy(header: string, body: Buffer = Buffer.alloc(0), version = 1): Buffer {
  const text = Buffer.from(header, 'latin1');
  const head = Buffer.from(`\x93NUMPY${String.fromCharCode(version)}\0`, 'latin1');
  const length = Buffer.alloc(version === 1 ? 2 : 4);
  if (version === 1) length.writeUInt16LE(text.length); else length.writeUInt32LE(text.length);
  return Buffer.concat([head, length, text, body]);
}
const header = (descr: string, shape: readonly number[], fortran = false): string => `{'descr': '${descr}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': (${shape.join(', ')}${shape.length === 1 ? ',' : ''}), }\n`;

describe('arrays of NumPy', function suite() {
  this.timeout(300_000);

  it('are what NumPy says they are: all types, byte orders and layouts, stored and deflated', async () => {
    await using place = await folder();
    const program = `
import json, sys, numpy as np
folder, seed = json.load(sys.stdin)
rng = np.random.default_rng(seed)
cases = []
for name in ['u1', 'i1', 'i2', 'i4', 'i8', 'u2', 'u4', 'u8', 'f2', 'f4', 'f8', 'b1']:
    for order in '<>':
        for shape in [(5,), (4, 3), (3, 4, 2), (2, 3, 4, 2)]:
            for layout in 'CF':
                dtype = np.dtype(order + name if name[1] != '1' else name)
                values = rng.normal(0, 50, shape)
                x = np.asarray(np.clip(values, 0, 200) if name[0] == 'u' else values > 0 if name == 'b1' else values, dtype=dtype, order=layout)
                if name[0] == 'f' and x.ndim > 1: x[0, 0] = np.nan
                file = f'{len(cases)}.npz'
                (np.savez_compressed if len(cases) % 2 else np.savez)(f'{folder}/{file}', x=x, y=np.arange(len(x)))
                cases.append({'file': file, 'shape': list(shape[1:]), 'values': [None if v != v else float(v) for v in x.astype('f8').ravel(order='C')]})
print(json.dumps(cases))`;
    const cases = await askPython('science', program, [place.path, 7]) as { file: string; shape: number[]; values: (number | null)[] }[];
    expect(cases).to.have.length(12 * 2 * 4 * 2);
    for (const { file, shape, values } of cases) {
      const { vector, columns, rows } = await read(place, [file]);
      const found = shape.length === 0 ? columns[0] : vector;
      expect(found?.name).to.equal('x');
      if (shape.length > 0) expect(vector).to.deep.include({ shape, width: values.length / rows });
      const single = shape.length === 0 || !(vector?.values instanceof Float32Array) ? (value: number) => value : Math.fround;
      expect(found !== undefined && found.kind !== 'Text' ? Array.from(found.values, (value) => (Number.isNaN(value) ? null : value)) : [], file).to.deep.equal(values.map((value) => (value === null ? null : single(value))));
      expect(columns.at(-1)).to.deep.equal({ kind: 'Number', name: 'y', values: Float64Array.from({ length: rows }, (_, row) => row) });
    }
  });

  it('may lie in files of their own, and in several that follow each other', async () => {
    await using place = await folder();
    const program = `
import json, sys, numpy as np
folder = json.load(sys.stdin)
x = np.arange(24, dtype='u1').reshape(6, 2, 2)
np.save(f'{folder}/x.npy', x)
np.save(f'{folder}/labels.npy', np.arange(6).reshape(6, 1))
np.savez(f'{folder}/part-1.npz', x=x[:2], y=np.array([0., 1.]))
np.savez(f'{folder}/part-2.npz', y=np.array([2., 3., 4., 5.]), x=x[2:])
print('null')`;
    await askPython('science', program, place.path);
    const apart = await read(place, ['labels.npy', 'x.npy'], { target: 'labels' });
    const parts = await read(place, ['part-1.npz', 'part-2.npz']);
    expect(apart).to.deep.equal(parts);
    expect(parts.vector).to.deep.include({ name: 'x', shape: [2, 2], width: 4, values: Uint8Array.from({ length: 24 }, (_, at) => at) });
    expect(parts.columns).to.deep.equal([{ kind: 'Number', name: 'y', values: Float64Array.of(0, 1, 2, 3, 4, 5) }]);
  });

  it('are read whatever the size of the pieces that they come in', async () => {
    const { readValues } = await import('../../../../trainer-image/src/data/arrays/npy.ts');
    await fc.assert(fc.asyncProperty(fc.constantFrom('<f8', '>i4', '<u2', '<i8'), fc.array(fc.integer({ min: 0, max: 60_000 }), { minLength: 1, maxLength: 40 }), fc.array(fc.integer({ min: 1, max: 37 }), { minLength: 1, maxLength: 5 }), async (descr, numbers, sizes) => {
      const size = Number(descr[2]);
      const body = Buffer.alloc(numbers.length * size);
      numbers.forEach((number, at) => {
        if (descr === '<f8') body.writeDoubleLE(number, at * 8);
        if (descr === '>i4') body.writeInt32BE(number, at * 4);
        if (descr === '<u2') body.writeUInt16LE(number, at * 2);
        if (descr === '<i8') body.writeBigInt64LE(BigInt(number), at * 8);
      });
      const file = npy(header(descr, [numbers.length]), body);
      const pieces = async function* () {
        for (let at = 0, turn = 0; at < file.length; turn++) {
          const end = at + (sizes[turn % sizes.length] ?? 1);
          yield await Promise.resolve(file.subarray(at, end));
          at = end;
        }
      };
      const values = new Float64Array(numbers.length);
      await readValues(pieces(), parseHeader(file.subarray(0, file.length - body.length), 'x.npy'), { values, firstRow: 0 }, 'x.npy');
      expect([...values]).to.deep.equal(numbers);
    }));
  });

  it('have headers of versions 1 to 3, in any order and as old programs wrote them', () => {
    const table: readonly (readonly [string, number])[] = [
      [header('<f4', [3, 2]), 1], [header('<f4', [3, 2]), 2], [header('<f4', [3, 2]), 3],
      ["{'shape': (3L, 2L), 'descr': '<f4', 'fortran_order': False}          \n", 1],
      ['{"descr": "<f4", "fortran_order": False, "shape": (3, 2,)}', 1],
    ];
    for (const [text, version] of table) expect(parseHeader(npy(text, Buffer.alloc(0), version), 'x.npy')).to.deep.include({ dtype: 'f4', isLittleEndian: true, isFortran: false, shape: [3, 2] });
  });

  const wrongHeaders: readonly (readonly [string, string, RegExp])[] = [
    ['objects of Python', header('|O', [2]), /it holds objects of Python \(dtype \|O\), and numbers are needed: b1, u1/],
    ['text', header('<U5', [2]), /it holds text/],
    ['times', header('<M8[ns]', [2]), /it holds times/],
    ['complex numbers', header('<c16', [2]), /complex numbers/],
    ['records', "{'descr': [('a', '<f4'), ('b', '<i4')], 'fortran_order': False, 'shape': (2,)}", /records of several fields/],
    ['a call', "__import__('os').system('x')", /no dictionary as NumPy writes it/],
    ['an expression', "{'descr': '<f' + '4', 'fortran_order': False, 'shape': (2,)}", /no dictionary/],
    ['a negative size', "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", /no dictionary/],
    ['no shape', "{'descr': '<f4', 'fortran_order': False}", /lacks descr, fortran_order or shape/],
    ['something behind it', `${header('<f4', [2])}x`, /no dictionary/],
    ['an escape', "{'descr': '\\\\x3cf4', 'fortran_order': False, 'shape': (2,)}", /no dictionary/],
    ['no type', header('<', [2]), /values of a type that is not read|lacks/],
  ];
  for (const [what, text, message] of wrongHeaders) {
    it(`are refused with ${what} in the header`, async () => {
      await using place = await folder();
      writeFileSync(`${place.path}/x.npy`, npy(text, Buffer.alloc(8)));
      writeFileSync(`${place.path}/y.npy`, npy(header('<f4', [2]), Buffer.alloc(8)));
      const error = await codeOf(() => read(place, ['x.npy', 'y.npy']));
      expect(error).to.include({ code: 'DATA_ARRAY', at: 'x.npy' });
      expect(error.message).to.match(message);
    });
  }

  it('never make the parser throw anything else, whatever the header', () => {
    fc.assert(fc.property(fc.oneof(fc.string({ maxLength: 60 }), fc.array(fc.constantFrom("{'descr':", "'<f4'", ',', "'fortran_order':", 'True', "'shape':", '(', ')', '3', '}', '[', ']', ' '), { maxLength: 14 }).map((parts) => parts.join(''))), (text) => {
      try {
        parseHeader(npy(text), 'x.npy');
      } catch (error) {
        expect((error as { code?: string }).code).to.equal('DATA_ARRAY');
      }
    }), { numRuns: 500 });
  });

  const wrongFiles: readonly (readonly [string, Buffer, RegExp])[] = [
    ['a file that is none', Buffer.from('not an array at all'), /it is no .npy file/],
    ['an empty file', Buffer.alloc(0), /ends within its header/],
    ['a header that was cut off', npy(header('<f4', [2])).subarray(0, 40), /ends within its header/],
    ['a header that never ends', npy('x'.repeat(10), Buffer.alloc(0), 2).fill(0xff, 8, 12), /header is longer/],
    ['a version that is not known', npy(header('<f4', [2]), Buffer.alloc(8), 9), /version 9/],
    ['fewer values than it says', npy(header('<f4', [3]), Buffer.alloc(8)), /says 3 values of f4, which are \d+ bytes with it, and there are \d+/],
    ['more values than it says', npy(header('<f4', [1]), Buffer.alloc(8)), /says 1 values of f4/],
    ['a size beyond all memory', npy(header('<f8', [4_000_000_000, 4_000_000]), Buffer.alloc(8)), /says 16000000000000000 values/],
    ['too many dimensions', npy(header('<f4', [1, 1, 1, 1, 2]), Buffer.alloc(8)), /has the shape \(1, 1, 1, 1, 2\)/],
  ];
  for (const [what, content, message] of wrongFiles) {
    it(`are refused for ${what}`, async () => {
      await using place = await folder();
      writeFileSync(`${place.path}/x.npy`, content);
      writeFileSync(`${place.path}/y.npy`, npy(header('<f4', [2]), Buffer.alloc(8)));
      const error = await codeOf(() => read(place, ['x.npy', 'y.npy']));
      expect(error).to.include({ code: 'DATA_ARRAY', at: 'x.npy' });
      expect(error.message).to.match(message);
    });
  }

  const unlike: readonly (readonly [string, readonly number[], readonly number[], object, string, RegExp])[] = [
    ['a target for each row', [3, 2], [2], {}, 'DATA_ARRAY', /"x" has 3 rows and "y" has 2/],
    ['one number as target', [2, 2], [2, 3], {}, 'DATA_ARRAY', /Rows of the target "y" have the shape \(3\)/],
    ['rows at all', [0, 2], [0], {}, 'DATA_EMPTY', /has no rows/],
    ['values in a row', [2, 0], [2], {}, 'DATA_EMPTY', /holds nothing/],
    ['the array that is named', [2, 2], [2], { features: 'z' }, 'SPEC_COLUMN_MISSING', /There is no array "z"; there are "x", "y"/],
    ['the target that is named', [2, 2], [2], { target: 'labels' }, 'SPEC_COLUMN_MISSING', /no array "labels"/],
  ];
  for (const [what, x, y, spec, code, message] of unlike) {
    it(`must have ${what}`, async () => {
      await using place = await folder();
      for (const [name, shape] of [['x', x], ['y', y]] as const) writeFileSync(`${place.path}/${name}.npy`, npy(header('<f4', shape), Buffer.alloc(4 * shape.reduce((product, length) => product * length, 1))));
      const error = await codeOf(() => read(place, ['x.npy', 'y.npy'], spec));
      expect(error).to.include({ code });
      expect(error.message).to.match(message);
    });
  }

  it('are learnt from, and a row of them is answered', async () => {
    await using place = await folder();
    const rows = 60;
    const x = Buffer.alloc(rows * 4 * 4);
    const y = Buffer.alloc(rows);
    for (let row = 0; row < rows; row++) {
      y[row] = row % 2;
      for (let at = 0; at < 4; at++) x.writeFloatLE((row % 2 === 0 ? 1 : -1) * (1 + ((row * 7 + at) % 5)), (row * 4 + at) * 4);
    }
    place.write('x.npy', npy(header('<f4', [rows, 2, 2]), x));
    place.write('side.npy', npy(header('|u1', [rows]), y));
    const spec = trainerSpec({
      data: { source: { uri: `file://${place.path}/*.npy`, format: 'Arrays', arrays: { target: 'side' } }, target: 'y', pipeline: [{ scale: { method: 'Standard' } }], features: { shape: [2, 2, 1] } },
      model: { preset: 'MLP', units: [8] }, fit: { epochs: 40, batchSize: 16, learningRate: 0.05 },
    });
    const { metrics } = succeeded(await train(spec, `${place.path}/volume`));
    expect(metrics.test_accuracy).to.equal(1);
    const predictor = await loadPredictor(`${place.path}/volume/model`, 1);
    const { table } = parseInfer({ inputs: [{ name: 'x', datatype: 'FP32', shape: [2, 2, 2], data: [3, 2, 1, 4, -3, -2, -1, -4] }] }, predictor.preprocessing, []);
    expect((await predictor.predict(table))[0]?.data).to.deep.equal(['0', '1']);
  });

  it('of several files must be alike', async () => {
    await using place = await folder();
    const program = `
import json, sys, numpy as np
folder = json.load(sys.stdin)
np.savez(f'{folder}/1.npz', x=np.zeros((2, 3)), y=np.zeros(2))
np.savez(f'{folder}/2.npz', x=np.zeros((2, 4)), y=np.zeros(2))
print('null')`;
    await askPython('science', program, place.path);
    expect((await codeOf(() => read(place, ['1.npz', '2.npz']))).message).to.match(/Rows of 1.npz\/x.npy have the shape \(3\) and those of 2.npz\/x.npy \(4\)/);
    expect(readFileSync(`${place.path}/1.npz`).length).to.be.above(0);
  });
});
