/** The rows that a run trains on, opened once for all that is made of them. */
import path from 'node:path';
import { openRows } from '../data/ingest/index.ts';
import { rowsOptions } from '../data/prepare.ts';
import type { Room } from '../data/prepare.ts';
import { rowsOf } from '../data/rows.ts';
import type { Rows } from '../data/rows.ts';
import { openSource } from '../data/source.ts';
import type { SourcePlaces } from '../data/source.ts';
import { contentOf, sourceSpec } from '../data/sources/spec.ts';
import { readVectors } from '../data/vector-files.ts';
import { list } from '../errors.ts';
import { columnsBeside } from './guard.ts';
import type { TrainingHooks, TrainingOrder } from './order.ts';

export interface TrainingData extends AsyncDisposable {
  readonly rows: Rows;
  /** Of the files. */
  readonly sha256: string;
}

/** @throws AnnealError `DATA_…`, `SPEC_…`, `BUCKET_…` of what cannot be read */
export async function openTrainingData(order: TrainingOrder, hooks: TrainingHooks): Promise<TrainingData> {
  const { spec } = order;
  let toldAt = hooks.now();
  const tell = (what: string, fields: object): void => {
    if (hooks.now() - toldAt < 5000) return;
    toldAt = hooks.now();
    hooks.log('info', what, { ...fields });
  };
  await using held = new AsyncDisposableStack();
  const where = sourceSpec(spec.data.source);
  const content = contentOf(spec.data.source);
  const source = held.use(await openSource(where, placesOf(order, hooks), hooks.signal, (progress) => tell('Downloading data', progress)));
  const rows = content.format === 'Images' || content.format === 'Arrays' ? rowsOf(await readVectors(source.files, content, {
    source: where, target: spec.data.target, signal: hooks.signal, onProgress: (done, of) => tell('Decoding images', { done, of }),
  })) : held.use(await openRows(source.files, rowsOptions(spec.data, content.format, columnsBeside(spec)), {
    threads: order.threads, memoryBytes: order.memoryBytes ?? modestMemory, cache: { ...tablesOf(order), now: hooks.now }, signal: hooks.signal,
  }));
  hooks.log('info', 'Data read', { files: list(source.files.map(({ name }) => name), 3), sha256: source.sha256, rows: rows.rows, columns: rows.columns.length });
  const kept = held.move();
  return { rows, sha256: source.sha256, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** Folder of the volume for what was downloaded, unless it is kept elsewhere. */
export const downloads = 'data';

/** Of the memory, for the numbers that the network eats. */
const matrixShare = 1 / 2;
/** Memory that is there where nobody says how much. */
const modestMemory = 4 * 1024 ** 3;
/** Room for tables that were read before, where none is given. */
const tableBytes = 64 * 1024 ** 3;

/** For what the rows become for the network. */
export function roomOf({ volume, memoryBytes = modestMemory }: TrainingOrder): Room {
  return { bytes: memoryBytes * matrixShare, folder: path.join(volume, downloads) };
}

function tablesOf({ volume, dataCache }: TrainingOrder): { readonly folder: string; readonly maxBytes: number } {
  return { folder: path.join(dataCache?.folder ?? path.join(volume, downloads), 'tables'), maxBytes: dataCache?.maxBytes ?? tableBytes };
}

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
