import { expect } from 'chai';
import * as fc from 'fast-check';
import { heldInMemory, matrixOf } from '../../../trainer-image/src/data/matrix.ts';
import { layoutOf, pack, unpacked } from '../../../trainer-image/src/data/packed.ts';
import { flagColumn } from '../../../trainer-image/src/data/table.ts';
import type { Column, NumberColumn } from '../../../trainer-image/src/data/table.ts';

/** What one column of the data became: numbers, or flags of which a later step dropped some. */
const origins = fc.array(fc.oneof(
  fc.record({ kind: fc.constant('Number' as const) }),
  fc.record({ kind: fc.constant('Flags' as const), kept: fc.array(fc.boolean(), { minLength: 1, maxLength: 6 }) }),
), { maxLength: 6 });

describe('packed rows', () => {
  it('are eaten as the columns say, whichever flags are left', () => {
    fc.assert(fc.property(origins, fc.integer({ min: 0, max: 40 }), fc.infiniteStream(fc.integer({ min: -1, max: 6 })), (from, rows, drawn) => {
      const next = (): number => (drawn.next() as IteratorYieldResult<number>).value;
      const columnsOf = (count: number): NumberColumn[] => from.flatMap((origin, place): NumberColumn[] => {
        if (origin.kind === 'Number') return [{ kind: 'Number', name: `n${place}`, values: Float64Array.from({ length: count }, () => next() / 3) }];
        const codes = Int32Array.from({ length: count }, next);
        return origin.kept.flatMap((isKept, code) => (isKept ? [flagColumn(`g${place}=${code}`, codes, code)] : []));
      });
      const layout = layoutOf(columnsOf(0));
      const columns: readonly Column[] = columnsOf(rows);
      const into = new Float32Array(rows * layout.places.length).fill(7);
      pack({ rows, columns }, layout, into);
      using matrix = unpacked(heldInMemory(matrixOf(into, layout.places.length)), layout);
      const row = (at: number): number[] => columns.map((column) => Math.fround(column.kind === 'Text' ? NaN : column.values[at] ?? NaN));
      if (columns.length === 0) return;
      expect([...matrix.range(0, rows)]).to.deep.equal(Array.from({ length: rows }, (_, at) => row(at)).flat());
      const some = Int32Array.from({ length: Math.min(rows, 5) }, (_, at) => (at * 7) % rows);
      expect([...matrix.gather(some)]).to.deep.equal([...some].flatMap(row));
      expect([matrix.rows, matrix.width]).to.deep.equal([rows, columns.length]);
    }));
  });

  it('hold one number for all flags of a column', () => {
    const codes = Int32Array.of(2, -1, 0);
    const layout = layoutOf(Array.from({ length: 50 }, (_, code) => flagColumn(`g=${code}`, codes, code)));
    const into = new Float32Array(3);
    pack({ rows: 3, columns: Array.from({ length: 50 }, (_, code) => flagColumn(`g=${code}`, codes, code)) }, layout, into);
    expect([...into]).to.deep.equal([2, -1, 0]);
  });
});
