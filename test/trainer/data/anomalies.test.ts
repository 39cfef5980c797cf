import { expect } from 'chai';
import { anomaliesIn } from '../../../trainer-image/src/data/anomalies.ts';
import { rowsOf } from '../../../trainer-image/src/data/rows.ts';
import type { Column } from '../../../trainer-image/src/data/table.ts';
import { codeOf } from '../support.ts';
import { number, tableOf, text, time } from './tables.ts';

describe('the label of anomalies', () => {
  const rows = (...places: number[]): Int32Array => Int32Array.from(places);
  const flagged = async (column: Column, value: string): Promise<number[]> => {
    const { anomalies } = await anomaliesIn({ column: column.name, value }, [], rowsOf(tableOf(column)), { train: rows(0), validation: rows(1, 2), test: rows(3) });
    return [...anomalies?.validation ?? [], ...anomalies?.test ?? []];
  };

  it('is what stands in the data: a text, a number, a truth value that was read as one, or a time', async () => {
    expect(await flagged(text('c', 'bad', 'good', 'bad', null), 'bad')).to.deep.equal([0, 1, 0]);
    expect(await flagged(text('c', 'true', 'false', 'true', 'True'), 'true')).to.deep.equal([0, 1, 0]);
    expect(await flagged(number('c', 1, 0, 1, NaN), '1.0')).to.deep.equal([0, 1, 0]);
    expect(await flagged(number('c', 1, 0, 1, NaN), 'true')).to.deep.equal([0, 1, 0]);
    expect(await flagged(number('c', 1, 0, 1, NaN), 'false')).to.deep.equal([1, 0, 0]);
    expect(await flagged(time('c', null, '2024-02-28', '2024-02-29', null), '2024-02-29')).to.deep.equal([0, 1, 0]);
  });

  it('is refused where no row that is held back has it', async () => {
    for (const column of [number('c', 1, 0, 0, NaN), text('c', 'true', 'x', 'y', null), time('c', '2024-02-29', null, null, null)]) {
      for (const value of ['true', '2024-02-29', 'NaN']) expect(await codeOf(() => flagged(column, value)), `${column.kind} ${value}`).to.include({ code: 'SPEC_CONFLICT', at: 'spec.trainer.evaluation.anomaly.label.value' });
    }
  });
});
