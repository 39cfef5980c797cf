/** Parquet that Apache Arrow wrote, and what Arrow reads of it. */
import { expect } from 'chai';
import { askPython } from '../../../../hack/python/venv.ts';
import type { FileOptions } from '../../../../trainer-image/src/data/ingest/index.ts';
import { codeOf, folder } from '../../support.ts';
import type { Folder } from '../../support.ts';
import { cells } from '../tables.ts';
import { columnsOf, csv, open } from './support.ts';

const parquet: FileOptions = { ...csv, format: 'Parquet' };

/** Writes all files of this suite at once: loading Arrow takes longer than what it then does. */
const program = `
import datetime, decimal, json, os, sys, uuid
import numpy as np, pyarrow as pa, pyarrow.parquet as pq
folder = json.load(sys.stdin)
def write(name, columns, **how):
  pq.write_table(pa.table(columns), os.path.join(folder, name), **how)

utc = datetime.timezone.utc
write('types.parquet', {
  'i8': pa.array([-128, None, 127], pa.int8()), 'u32': pa.array([4294967295, None, 0], pa.uint32()), 'i64': pa.array([9007199254740991, None, -9007199254740991], pa.int64()),
  'f32': pa.array([0.5, None, float('nan')], pa.float32()), 'f64': pa.array([0.1, None, float('inf')], pa.float64()),
  'dec': pa.array([decimal.Decimal('1.25'), None, decimal.Decimal('-0.01')], pa.decimal128(10, 2)), 'flag': pa.array([True, None, False]),
  'text': pa.array(['a', None, 'größer als zwölf Byte']), 'cat': pa.array(['x', None, 'y']).dictionary_encode(),
  'uuid': pa.array([uuid.UUID(int=1).bytes, None, uuid.UUID(int=2).bytes], pa.uuid()),
  'day': pa.array([datetime.date(1969, 12, 31), None, datetime.date(2024, 2, 29)]),
  'ms': pa.array([datetime.datetime(2024, 1, 1, 0, 0, 0, 500000), None, datetime.datetime(1960, 1, 1)], pa.timestamp('ms')),
  'us': pa.array([datetime.datetime(2024, 1, 1, 0, 0, 0, 123456), None, datetime.datetime(1960, 1, 1)], pa.timestamp('us')),
  'ns': pa.array([np.datetime64('2024-01-01T00:00:00.123456789', 'ns'), None, np.datetime64('1960-01-01', 'ns')], pa.timestamp('ns')),
  'zone': pa.array([datetime.datetime(2024, 1, 1, 2, tzinfo=datetime.timezone(datetime.timedelta(hours=2))), None, datetime.datetime(1960, 1, 1, tzinfo=utc)], pa.timestamp('us', 'Europe/Berlin')),
  'nothing': pa.array([None, None, None], pa.string()), 'void': pa.array([None, None, None], pa.float64()),
})

write('large.parquet', {
  'id': pa.array([0] * 100_000 + [9007199254740993, None, -9223372036854775808], pa.int64()),
  'un': pa.array([18446744073709551615] + [1] * 100_002, pa.uint64()),
  'd': pa.array([decimal.Decimal(12345678901234567890)] * 100_003, pa.decimal128(20, 0)),
}, row_group_size=30_000)

write('lists.parquet', {'v': pa.array([[1, 2], None, [3, None]], pa.list_(pa.float32(), 2)), 'w': pa.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]])})
write('1.parquet', {'a': [1, 2], 'b': ['x', None]})
write('2.parquet', {'b': ['y'], 'a': pa.array([2.5])})
write('odd.parquet', {'a': [1, 2], 'blob': pa.array([b'x', b'y']), 'nested': [{'p': 1}, {'p': 2}], 'lists': [[1], [1, 2]]})

def named(name, *names):
  pq.write_table(pa.Table.from_arrays([pa.array([[{'p': 1}], [{'p': 2}]])] + [pa.array([1, 2])] * len(names), names=['deep', *names]), os.path.join(folder, name))
named('twice.parquet', 'a', 'a'); named('case.parquet', 'a', 'A'); named('nameless.parquet', ''); named('own.parquet', 'p', ' a ', 'a_1', 'schema', '列')

rng = np.random.default_rng(7)
n = 150_000
hole = lambda values, share: [None if r < share else v for v, r in zip(values, rng.random(n))]
columns = {
  'x': hole(rng.standard_normal(n).tolist(), 0.05), 'n': hole(rng.integers(-1000, 1000, n).tolist(), 0.05),
  'few': hole([['red', 'green', 'a longer name of a category', 'ö'][i] for i in rng.integers(0, 4, n)], 0.1),
  'many': hole([f'customer {i}' for i in rng.integers(0, 10**9, n)], 0.01),
}
for compression in ['none', 'snappy', 'gzip', 'brotli', 'lz4', 'zstd']:
  write(compression + '.parquet', columns, compression=compression, row_group_size=40_000 if compression == 'none' else 1_000_000)
at = [0, 1, 2047, 2048, 39_999, 40_000, 65_535, 65_536, n - 1] + rng.integers(0, n, 500).tolist()
print(json.dumps({'at': at, 'columns': {name: [values[i] for i in at] for name, values in columns.items()}}))`;

interface Sampled {
  readonly at: readonly number[];
  readonly columns: Readonly<Record<string, readonly (number | string | null)[]>>;
}

async function read(place: Folder, names: readonly string[], options: FileOptions = parquet): Promise<Record<string, unknown>> {
  await using rows = await open(place, names, options);
  return Object.fromEntries((await columnsOf(rows)).map((column) => [column.name, { kind: column.kind, cells: cells(column) }]));
}

describe('reading Parquet', function () {
  this.timeout(240_000);

  let place: Folder;
  let sampled: Sampled;

  before(async () => {
    place = await folder();
    sampled = await askPython('science', program, place.path) as Sampled;
  });
  after(() => place[Symbol.asyncDispose]());

  it('gives each type its kind, and keeps what is missing', async () => {
    const number = (...held: number[]): object => ({ kind: 'Number', cells: held });
    const text = (...held: (string | null)[]): object => ({ kind: 'Text', cells: held });
    const time = (...held: (string | number)[]): object => ({ kind: 'Time', cells: held.map((moment) => (typeof moment === 'number' ? moment : Date.parse(moment) * 1000)) });
    const newYear = Date.parse('2024-01-01T00:00Z') * 1000;
    expect(await read(place, ['types.parquet'])).to.deep.equal({
      i8: number(-128, NaN, 127), u32: number(4294967295, NaN, 0), i64: number(9007199254740991, NaN, -9007199254740991),
      f32: number(0.5, NaN, NaN), f64: number(0.1, NaN, Infinity), dec: number(1.25, NaN, -0.01), flag: number(1, NaN, 0),
      text: text('a', null, 'größer als zwölf Byte'), cat: text('x', null, 'y'),
      uuid: text('00000000-0000-0000-0000-000000000001', null, '00000000-0000-0000-0000-000000000002'),
      day: time('1969-12-31', NaN, '2024-02-29'), ms: time('2024-01-01T00:00:00.500Z', NaN, '1960-01-01'),
      us: time(newYear + 123456, NaN, '1960-01-01'), ns: time(newYear + 123456, NaN, '1960-01-01'), zone: time('2024-01-01T00:00Z', NaN, '1960-01-01'),
      nothing: text(null, null, null), void: number(NaN, NaN, NaN),
    });
  });

  it('reads identifiers beyond 2^53 as texts, rather than round them', async () => {
    const { id, un, d } = await read(place, ['large.parquet']) as Record<string, { kind: string; cells: unknown[] }>;
    expect([id?.kind, id?.cells[0], id?.cells.slice(-3)]).to.deep.equal(['Text', '0', ['9007199254740993', null, '-9223372036854775808']]);
    expect([un?.kind, un?.cells.slice(0, 2)]).to.deep.equal(['Text', ['18446744073709551615', '1']]);
    expect([d?.kind, d?.cells[0]]).to.deep.equal(['Text', '12345678901234567890']);
  });

  it('spreads lists of equally many numbers over columns', async () => {
    expect(await read(place, ['lists.parquet'])).to.deep.equal({
      v_0: { kind: 'Number', cells: [1, NaN, 3] }, v_1: { kind: 'Number', cells: [2, NaN, NaN] },
      w_0: { kind: 'Number', cells: [1, 4, 7] }, w_1: { kind: 'Number', cells: [2, 5, 8] }, w_2: { kind: 'Number', cells: [3, 6, 9] },
    });
  });

  for (const compression of ['none', 'snappy', 'gzip', 'brotli', 'lz4', 'zstd']) {
    it(`reads what Arrow wrote, compressed by ${compression}`, async () => {
      const found = await read(place, [`${compression}.parquet`]) as Record<string, { cells: unknown[] }>;
      for (const [name, held] of Object.entries(sampled.columns)) {
        const missing = name === 'x' || name === 'n' ? NaN : null;
        expect(sampled.at.map((row) => found[name]?.cells[row]), name).to.deep.equal(held.map((value) => value ?? missing));
      }
    });
  }

  it('joins files of one schema, whatever the order of their columns', async () => {
    expect(await read(place, ['1.parquet', '2.parquet'])).to.deep.equal({ a: { kind: 'Number', cells: [1, 2, 2.5] }, b: { kind: 'Text', cells: ['x', null, 'y'] } });
  });

  it('calls no column by another name than its own', async () => {
    const of = async (name: string): Promise<object> => codeOf(() => read(place, [name], { ...parquet, selection: { except: ['deep'] } }));
    expect(await of('twice.parquet')).to.deep.include({ code: 'DATA_HEADER', message: 'twice.parquet has two columns named "a". Rename one of them and write the file anew.' });
    expect(await of('case.parquet')).to.deep.include({ code: 'DATA_HEADER', message: 'case.parquet has columns named "a" and "A", which are read as one name. Rename one of them and write the file anew.' });
    expect(await of('nameless.parquet')).to.deep.include({ code: 'DATA_HEADER', message: 'Column 2 of nameless.parquet has no name. Name it and write the file anew.' });
    await using rows = await open(place, ['own.parquet'], { ...parquet, selection: { except: ['deep'] } });
    expect(rows.columns.map(({ name }) => name)).to.include.members(['p', ' a ', 'a_1', 'schema', '列']);
  });

  it('passes over what is not selected, whatever its type', async () => {
    await using rows = await open(place, ['odd.parquet'], { ...parquet, selection: { except: ['blob', 'nested', 'lists'] } });
    expect(rows.columns.map(({ name }) => name)).to.deep.equal(['a', 'blob', 'nested', 'lists']);
    expect(cells(await rows.column('a'))).to.deep.equal([1, 2]);
    const error = await codeOf(() => rows.column('blob'));
    expect(error.message).to.match(/passed over/);
  });
});
