/** What a spec asks to be made of the rows of its run; alike for the run and for the plan of one. */
import { labelIn } from '../data/anomalies.ts';
import { keyColumns } from '../data/key-columns.ts';
import { prepare } from '../data/prepare.ts';
import type { Prepared } from '../data/prepare.ts';
import type { Rows } from '../data/rows.ts';
import type { Guarded } from './guard.ts';
import type { TrainingOrder } from './order.ts';
import type { SavedModel } from './saved-model.ts';
import { roomOf } from './training-data.ts';

/** @param raw  as they were before they were guarded. @throws AnnealError as `prepare` */
export function prepareRun(order: TrainingOrder, raw: Rows, { rows, steps }: Guarded, saved: SavedModel | undefined): Promise<Prepared> {
  const { spec } = order;
  return prepare(spec.data, rows, {
    sliceBy: spec.evaluation?.slices ?? [],
    ...labelIn(spec),
    keys: keyColumns(spec.data, spec),
    privacy: { raw: raw.columns, steps },
    ...(saved === undefined ? {} : { given: saved.preprocessing }),
    room: roomOf(order),
  });
}
