/** The rows that a run trains on, opened once for all that is made of them. */
import path from 'node:path';
import { readCsv } from '../data/csv.ts';
import { rowsOf } from '../data/rows.ts';
import type { Rows } from '../data/rows.ts';
import { openSource } from '../data/source.ts';
import type { SourcePlaces } from '../data/source.ts';
import { sourceSpec } from '../data/sources/spec.ts';
import { AnnealError } from '../errors.ts';
import type { TrainingHooks, TrainingOrder } from './order.ts';

export interface TrainingData {
  readonly rows: Rows;
  /** Of the files. */
  readonly sha256: string;
}

/** @throws AnnealError `DATA_…`, `SPEC_…`, `BUCKET_…` of what cannot be read */
export async function openTrainingData(order: TrainingOrder, hooks: TrainingHooks): Promise<TrainingData> {
  const { spec } = order;
  let toldAt = hooks.now();
  await using source = await openSource(sourceSpec(spec.data.source), placesOf(order, hooks), hooks.signal, (progress) => {
    if (hooks.now() - toldAt < 5000) return;
    toldAt = hooks.now();
    hooks.log('info', 'Downloading data', { ...progress });
  });
  const [file, ...more] = source.files;
  if (file === undefined || more.length > 0) throw new AnnealError('SPEC_CONFLICT', { at: 'spec.trainer.data.source.uri', message: `CSV is read from one file, and ${spec.data.source.uri} matches ${source.files.length}. Name one of them.` });
  const table = await readCsv(file.path, file.name, spec.data.source.csv, hooks.signal);
  hooks.log('info', 'Data read', { file: file.name, sha256: source.sha256, rows: table.rows, columns: table.columns.length });
  return { rows: rowsOf(table), sha256: source.sha256 };
}

/** Folder of the volume for what was downloaded, unless it is kept elsewhere. */
export const downloads = 'data';

function placesOf({ volume, sourceDirectory, dataCache, sourceCredentials, fence }: TrainingOrder, { now }: TrainingHooks): SourcePlaces {
  return {
    mounted: sourceDirectory,
    cache: dataCache?.folder ?? path.join(volume, downloads),
    ...(dataCache?.maxBytes === undefined ? {} : { cacheBytes: dataCache.maxBytes }),
    note: { folder: path.join(volume, downloads), jobUid: fence.jobUid },
    environment: sourceCredentials ?? {},
    now,
  };
}
