import { execFile } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type { TrainingResult } from '@anneal/operator/api';
import { random } from '../../../trainer-image/src/data/random.ts';
import { folder, trainerSpec } from '../support.ts';
import type { Folder } from '../support.ts';

const mebibyte = 1024 * 1024;
const numbers = 10;
/** Of the words of a text. */
const weights = 256;
/** Numbers of a row for the network. */
const width = numbers + weights;

interface Ran extends Pick<TrainingResult, 'model' | 'metrics'> {
  readonly peakBytes: number;
}

describe('a table that is larger than the memory of its run', function suite() {
  this.timeout(600_000);

  it('trains the same model in that memory as with plenty of it', async () => {
    await using few = await folder();
    await using many = await folder();
    const rows = 300_000;
    const memoryBytes = 128 * mebibyte;
    expect(rows * width * Float32Array.BYTES_PER_ELEMENT).to.be.above(2 * memoryBytes);
    write(few, 1000);
    write(many, rows);

    // What the program takes for itself, whatever the data.
    const { peakBytes: program } = await run(few, 'little', memoryBytes);
    const little = await run(many, 'little', memoryBytes);
    const plenty = await run(many, 'plenty', 8192 * mebibyte);

    // From one run to the next, the program alone takes up to 30 MiB more or less.
    expect(little.peakBytes - program).to.be.below(1.25 * memoryBytes);
    expect(plenty.peakBytes - program).to.be.above(2 * memoryBytes);
    expect(little.model).to.deep.equal(plenty.model);
    expect(little.metrics).to.deep.equal(plenty.metrics);
    expect(little.metrics.val_accuracy).to.be.above(0.7);
  });
});

/** Trains on the rows of a folder in a process of its own. */
async function run(place: Folder, name: string, memoryBytes: number): Promise<Ran> {
  const spec = trainerSpec({
    data: {
      source: { uri: `file://${place.path}/rows.csv` },
      target: 'y',
      pipeline: [{ impute: {} }, { scale: {} }, { text: { column: 'words', method: 'Hashing', features: weights } }],
      split: { validation: 0.1, test: 0.1 },
    },
    model: { preset: 'MLP', units: [8] },
    fit: { epochs: 1, batchSize: 1024 },
  });
  const { stdout } = await promisify(execFile)(process.execPath, [path.join(import.meta.dirname, 'stub/run.ts'), JSON.stringify({ spec, volume: path.join(place.path, name), memoryBytes })]);
  return JSON.parse(stdout) as Ran;
}

/** The target is the sign of two of the numbers and a word together. */
function write(place: Folder, rows: number): void {
  const source = random(11, 'rows');
  const share = (): number => source.uint32() / 2 ** 32 - 0.5;
  const texts = Array.from({ length: 500 }, (_, text) => `${text % 2 === 0 ? 'up' : 'down'} ${Array.from({ length: 3 }, () => `w${source.below(1000)}`).join(' ')}`);
  const file = openSync(path.join(place.path, 'rows.csv'), 'wx');
  writeSync(file, `${Array.from({ length: numbers }, (_, column) => `n${column}`).join(',')},words,y\n`);
  for (let row = 0; row < rows;) {
    const lines: string[] = [];
    for (; row < rows && lines.length < 10_000; row++) {
      const values = Array.from({ length: numbers }, share);
      const text = source.below(texts.length);
      const sum = (values[0] ?? 0) + (values[1] ?? 0) + (text % 2 === 0 ? 0.5 : -0.5);
      lines.push(`${values.map((value, column) => (column > 1 && value > 0.45 ? '' : String(value))).join(',')},${texts[text] ?? ''},${sum > 0 ? 'yes' : 'no'}`);
    }
    writeSync(file, `${lines.join('\n')}\n`);
  }
  closeSync(file);
}
