/** Rows to measure with: a seeded table as a file that a data warehouse might have written, kept from run to run. */
import { once } from 'node:events';
import { createWriteStream, existsSync, mkdirSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { random } from '../../../trainer-image/src/data/random.ts';
import type { Random } from '../../../trainer-image/src/data/random.ts';
import { askPython } from '../../python/venv.ts';

export interface Files {
  readonly csv: string;
  readonly parquet: string;
}

/** Categories of the text columns. */
const categories = [5, 8, 12, 20, 35, 50];
export const numeric = [...columns('count', 4), ...columns('price', 4), ...columns('signal', 4)];
export const categorical = columns('group', categories.length);
/** A moment, which the model does not see. */
export const excluded = 'moment';
export const target = 'bought';

/** Changes with every change of what is written. */
const version = 1;
const missingShare = 0.05;

function columns(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, place) => `${name}_${place}`);
}

/** @param say  hears that it takes a while, the first time */
export async function rowFiles(rows: number, say: (line: string) => void): Promise<Files> {
  const base = process.env.XDG_CACHE_HOME;
  const folder = join(base === undefined || base === '' ? join(homedir(), '.cache') : base, 'anneal', 'bench', `pipeline-${version}-${rows}`);
  const files = { csv: join(folder, 'rows.csv'), parquet: join(folder, 'rows.parquet') };
  mkdirSync(folder, { recursive: true });
  if (!existsSync(files.csv)) {
    say(`Writing ${rows} rows as CSV (once) ...`);
    await writeCsv(rows, `${files.csv}.partial`);
    renameSync(`${files.csv}.partial`, files.csv);
  }
  if (!existsSync(files.parquet)) {
    say('Writing them as Parquet (once) ...');
    await askPython('science', toParquet, files);
    renameSync(`${files.parquet}.partial`, files.parquet);
  }
  return files;
}

/** As pandas writes it unless told otherwise, but in row groups of a usual size. */
const toParquet = `
import json, sys
import pyarrow.csv, pyarrow.parquet
files = json.load(sys.stdin)
with pyarrow.csv.open_csv(files['csv'], read_options=pyarrow.csv.ReadOptions(block_size=64 * 1024 * 1024)) as reader:
  with pyarrow.parquet.ParquetWriter(files['parquet'] + '.partial', reader.schema, compression='snappy') as writer:
    for batch in reader: writer.write_batch(batch, row_group_size=1_000_000)
print('null')`;

async function writeCsv(rows: number, file: string): Promise<void> {
  const source = random(7, 'bench', 'pipeline');
  const stream = createWriteStream(file);
  stream.write(`${[...numeric, ...categorical, excluded, target].join(',')}\n`);
  for (let row = 0; row < rows;) {
    const lines: string[] = [];
    for (; row < rows && lines.length < 5000; row++) lines.push(line(source));
    if (!stream.write(`${lines.join('\n')}\n`)) await once(stream, 'drain');
  }
  stream.end();
  await once(stream, 'close');
}

function line(source: Random): string {
  const share = (): number => source.uint32() / 2 ** 32;
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - share())) * Math.cos(2 * Math.PI * share());
  const orMissing = (value: () => string): string => (share() < missingShare ? '' : value());
  const counts = Array.from({ length: 4 }, (_, place) => orMissing(() => String(source.below(10 ** (place + 2)))));
  const prices = Array.from({ length: 4 }, (_, place) => orMissing(() => (normal() * 10 ** place).toFixed(4)));
  const first = normal();
  const signals = [first, normal(), normal(), normal()].map((value) => orMissing(() => String(value)));
  const groups = categories.map((count) => orMissing(() => `${count > 20 ? 'category number' : 'c'} ${Math.floor(share() * share() * count)}`));
  const moment = new Date(1.6e12 + source.below(1e8) * 1000).toISOString().slice(0, 19).replace('T', ' ');
  return [...counts, ...prices, ...signals, ...groups, moment, first + normal() > 0.7 ? 1 : 0].join(',');
}
