/** A program that reads a packed file whose rows are too many for memory, and prints the code of the error. To be run with a limit on what it may write. */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { codeOf, folder } from '../../support.ts';
import { csv, open } from './support.ts';

export const cachedFrom = 130_000;

if (import.meta.main) {
  await using place = await folder();
  place.write('rows.csv.gz', gzipSync(`a,b\n${Array.from({ length: 20_000 }, (_, row) => `${(row * 7919) % 10_007},${row * 0.37}`).join('\n')}\n`));
  const packed = readFileSync(`${place.path}/rows.csv.gz`).length;
  if (packed >= cachedFrom) throw new Error(`${packed} bytes are too many to be tried in memory.`);
  const { code, message } = await codeOf(() => open(place, ['rows.csv.gz'], csv, { sizes: { blockBytes: 65_536, cachedFrom } }));
  process.stdout.write(JSON.stringify({ code, message }));
}
