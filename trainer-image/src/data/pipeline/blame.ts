/** Which step made a number that no network computes with: infinite, too large, or missing. Looked for only when one was met, by doing the steps again one by one. */
import { AnnealError } from '../../errors.ts';
import { changed, tableOf } from '../frame.ts';
import type { Frame, FrameChange } from '../frame.ts';
import { rowNumber, shownAt } from '../table.ts';
import type { Column } from '../table.ts';

export interface StepDone {
  readonly change: FrameChange;
  /** Its field in the manifest. */
  readonly field: string;
}

export interface Searched {
  readonly steps: readonly StepDone[];
  /** What the first step was given. */
  readonly before: Frame;
  /** The row that was met at the end of the pipeline; what is missing in others may be taken care of. */
  readonly row?: number;
  /** Whether what a step makes may stay in memory. */
  readonly remember: boolean;
}

/** @returns the error of the step that is to blame; the error that was met, where it is of another kind, or the number stands in the data */
export async function blamed(error: unknown, { steps, before, row, remember }: Searched): Promise<unknown> {
  if (!(error instanceof AnnealError) || !['DATA_OUT_OF_RANGE', 'DATA_NOT_NUMERIC'].includes(error.code)) return error;
  // A step may bring back what is only too large for the network.
  const isOdd = row === undefined ? isInfinite : isTooLarge;
  let frame = before;
  let [first, last]: (AnnealError | undefined)[] = [];
  for (const [index, { change, field }] of steps.entries()) {
    const after = await changed(frame, change, remember);
    const [given, made] = [await tableOf(frame, namesRead(frame, change)), await tableOf(after, namesMade(frame, after, change))];
    const found = (test: IsOdd): AnnealError | undefined => {
      const one = madeIn(made.columns, test, (at) => given.columns.every((column) => !isMissing(column, at) && !isOdd(column, at)));
      return one && madeBy(index, field, one, rowNumber(made, one.row));
    };
    if (row !== undefined) last = found((column, at) => at === row && (isMissing(column, at) || isOdd(column, at))) ?? last;
    first ??= found(isOdd);
    frame = after;
  }
  return last ?? first ?? error;
}

const namesRead = ({ columns }: Frame, { reads }: FrameChange): string[] => columns.map(({ name }) => name).filter((name) => reads.includes(name));

function namesMade(before: Frame, after: Frame, { reads }: FrameChange): string[] {
  const known = new Set(before.columns.map(({ name }) => name));
  return after.columns.filter(({ name, kind }) => kind === 'Number' && (!known.has(name) || reads.includes(name))).map(({ name }) => name);
}

interface Made {
  readonly column: Column;
  readonly row: number;
}

type IsOdd = (column: Column, row: number) => boolean;

/** The first odd number where all that the step was given is as it should be. */
function madeIn(made: readonly Column[], isOdd: IsOdd, isWellGiven: (row: number) => boolean): Made | undefined {
  for (const column of made) {
    if (column.kind !== 'Number') continue;
    const row = column.values.findIndex((_, at) => isOdd(column, at) && isWellGiven(at));
    if (row >= 0) return { column, row };
  }
  return undefined;
}

const isMissing: IsOdd = (column, row) => (column.kind === 'Text' ? (column.codes[row] ?? -1) < 0 : Number.isNaN(column.values[row] ?? NaN));
const isInfinite: IsOdd = (column, row) => column.kind === 'Number' && Math.abs(column.values[row] ?? 0) === Infinity;
const isTooLarge: IsOdd = (column, row) => column.kind === 'Number' && Math.abs(Math.fround(column.values[row] ?? 0)) === Infinity;

function madeBy(index: number, field: string, { column, row }: Made, number: number): AnnealError {
  const step = `Step ${index + 1} (${field})`;
  const at = `spec.trainer.data.pipeline[${index}].${field}`;
  if (isMissing(column, row)) {
    const why = field === 'derive' ? ', as a division by zero does' : '';
    return new AnnealError('DATA_NOT_NUMERIC', { at, message: `${step} makes a missing value of row ${number} in column "${column.name}"${why}, and a network needs numbers. Add a step - impute: {columns: [${column.name}]} after it, or exclude the column.` });
  }
  return new AnnealError('DATA_OUT_OF_RANGE', { at, message: `${step} makes ${shownAt(column, row)} of row ${number} in column "${column.name}", and a network computes with numbers up to 3.4e38. Clip what it takes in a step - outliers before it, or exclude the column.` });
}
