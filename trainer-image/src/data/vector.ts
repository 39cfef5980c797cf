/** Rows that are arrays, on their way to the network: bytes stay bytes until they are eaten. */
import type { TrainerSpec } from '@anneal/operator/api';
import { AnnealError } from '../errors.ts';
import { byteMatrix, matrixOf } from './matrix.ts';
import type { Matrix } from './matrix.ts';
import type { Apply } from './pipeline/step.ts';
import type { Rows } from './rows.ts';
import { rowNumber } from './table.ts';
import type { Table, VectorColumn } from './table.ts';

/** @throws AnnealError `SPEC_CONFLICT` for what only goes with columns */
export function requireVectorSpec({ features, privacy }: TrainerSpec['data'], { name }: VectorColumn): void {
  const field = features?.columns !== undefined ? 'features.columns' : features?.exclude !== undefined ? 'features.exclude' : undefined;
  if (field !== undefined) throw new AnnealError('SPEC_CONFLICT', { at: `spec.trainer.data.${field}`, message: `A row of these data is one array, "${name}", and the model sees all of it. Remove ${field}.` });
  if (privacy !== undefined) throw new AnnealError('SPEC_CONFLICT', { at: 'spec.trainer.data.privacy', message: `Measures of privacy are taken on columns, and a row of these data is one array, "${name}". Remove privacy, or give a table.` });
}

/** @param apply  the fitted steps, each of which does the same to equal values */
export async function vectorMatrix(vector: VectorColumn, data: Rows, apply: Apply): Promise<Matrix> {
  const { values, width } = vector;
  if (values instanceof Uint8Array) {
    const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const { vector: meaning } = await apply({ rows: 256, columns: [], vector: { ...vector, shape: [1], width: 1, values: bytes } });
    return byteMatrix(values, width, Float32Array.from(meaning?.values ?? bytes));
  }
  return matrixOf(vectorRows(await apply({ rows: data.rows, columns: [], vector, ...(data.origin === undefined ? {} : { origin: data.origin }) })), width);
}

/** The numbers of a table's vector, row after row. @throws AnnealError `DATA_NOT_NUMERIC` for a missing value, `DATA_OUT_OF_RANGE` for an infinite one */
export function vectorRows(table: Table): Float32Array {
  const { vector } = table;
  if (vector === undefined) return new Float32Array(0);
  const { name, values, width } = vector;
  if (values instanceof Uint8Array) return Float32Array.from(values);
  for (let at = 0; at < values.length; at++) {
    const value = values[at] ?? NaN;
    if (Number.isFinite(value)) continue;
    const row = rowNumber(table, Math.floor(at / width));
    if (!Number.isNaN(value)) throw new AnnealError('DATA_OUT_OF_RANGE', { at: 'spec.trainer.data.source', message: `"${name}" has ${value} in row ${row}, and a network computes with numbers up to 3.4e38. Correct it, or leave such rows out, before the data are read.` });
    throw new AnnealError('DATA_NOT_NUMERIC', { at: 'spec.trainer.data.source', message: `"${name}" has a missing value (NaN) in row ${row}, and no step can fill in arrays. Fill it in, or leave such rows out, before the data are read.` });
  }
  return values;
}
