/** A matrix in a file, for rows that do not fit into memory. The file has no name, and so goes with the process, whatever ends it. */
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { AnnealError } from '../errors.ts';
import { makeFolder } from '../files.ts';
import type { HeldMatrix, MatrixSink } from './matrix.ts';

/** Chosen rows that lie so near are read at once, with what lies between. */
const gapBytes = 16 * 1024;
const mostBytesAtOnce = 4 * 1024 * 1024;
const numberBytes = Float32Array.BYTES_PER_ELEMENT;

/** Rows are written when those behind them are asked for. @throws AnnealError `VOLUME_WRITE` */
export function fileMatrix(folder: string, width: number): MatrixSink {
  const file = created(folder);
  let scratch = new Float32Array(0);
  let waiting = scratch;
  let rows = 0;
  const flush = (): void => {
    writeAll(file, new Uint8Array(waiting.buffer, 0, waiting.byteLength), rows * width * numberBytes);
    rows += width === 0 ? 0 : waiting.length / width;
    waiting = scratch.subarray(0, 0);
  };
  return {
    next: (count) => {
      flush();
      if (scratch.length < count * width) scratch = new Float32Array(count * width);
      return waiting = scratch.subarray(0, count * width);
    },
    finish: () => {
      flush();
      scratch = new Float32Array(0);
      return readable(file, rows, width);
    },
    abandon: () => closeSync(file),
  };
}

function created(folder: string): number {
  try {
    makeFolder(folder);
    const name = path.join(folder, `.tmp-${randomUUID()}`);
    const file = openSync(name, 'wx+');
    rmSync(name);
    return file;
  } catch (error) {
    throw unwritable(error);
  }
}

function writeAll(file: number, bytes: Uint8Array, at: number): void {
  try {
    for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done, bytes.length - done, at + done);
  } catch (error) {
    throw unwritable(error);
  }
}

function readAll(file: number, bytes: Uint8Array, at: number): void {
  for (let done = 0; done < bytes.length;) {
    const count = readSync(file, bytes, done, bytes.length - done, at + done);
    if (count === 0) throw new Error(`The file of a matrix ends at ${at + done} bytes.`);
    done += count;
  }
}

function unwritable(error: unknown): AnnealError {
  return new AnnealError('VOLUME_WRITE', { message: `The prepared rows could not be written to the volume: ${String(error)}. Ask for a larger volume, or for more memory.`, cause: error });
}

function readable(file: number, rows: number, width: number): HeldMatrix {
  const rowBytes = width * numberBytes;
  return {
    rows,
    width,
    gather: (chosen) => {
      const out = new Float32Array(chosen.length * width);
      const bytes = new Uint8Array(out.buffer);
      for (const { first, last, places } of runs(chosen, rowBytes)) {
        const [place = 0] = places;
        if (first === last && places.length === 1) {
          readAll(file, bytes.subarray(place * rowBytes, (place + 1) * rowBytes), first * rowBytes);
          continue;
        }
        const run = new Uint8Array((last - first + 1) * rowBytes);
        readAll(file, run, first * rowBytes);
        for (const each of places) {
          const from = ((chosen[each] ?? 0) - first) * rowBytes;
          bytes.set(run.subarray(from, from + rowBytes), each * rowBytes);
        }
      }
      return out;
    },
    range: (from, to) => {
      const out = new Float32Array((to - from) * width);
      readAll(file, new Uint8Array(out.buffer), from * rowBytes);
      return out;
    },
    [Symbol.dispose]: () => closeSync(file),
  };
}

interface Run {
  readonly first: number;
  last: number;
  /** Where its rows stand among the chosen. */
  readonly places: number[];
}

/** The chosen rows in the order of the file, those together that are read at once. */
function runs(chosen: Int32Array, rowBytes: number): Run[] {
  const order = Int32Array.from(chosen.keys()).sort((a, b) => (chosen[a] ?? 0) - (chosen[b] ?? 0));
  const found: Run[] = [];
  let run: Run | undefined;
  for (const place of order) {
    const row = chosen[place] ?? 0;
    if (run === undefined || (row - run.last) * rowBytes > gapBytes || (row - run.first + 1) * rowBytes > mostBytesAtOnce) {
      run = { first: row, last: row, places: [] };
      found.push(run);
    }
    run.last = row;
    run.places.push(place);
  }
  return found;
}
