/** Files whose rows are arrays, read into memory. */
import type { LocalFile } from './source.ts';
import { readArrays } from './arrays/index.ts';
import { mostFiles } from './sources/spec.ts';
import type { SourceSpec, VectorContent } from './sources/spec.ts';
import type { Table } from './table.ts';

export interface ReadVectors {
  readonly source: SourceSpec;
  /** Name of the target, where there is one. */
  readonly target: string | undefined;
  readonly signal: AbortSignal;
  /** Called with how many of how many images were decoded. */
  readonly onProgress?: (done: number, of: number) => void;
}

/** @throws AnnealError `DATA_…` of what is wrong with the files */
export async function readVectors(files: readonly LocalFile[], content: VectorContent, { source, target, signal, onProgress }: ReadVectors): Promise<Table> {
  const limits = { maxBytes: source.maxBytes, maxFiles: source.maxFiles ?? mostFiles };
  if (content.format === 'Arrays') return readArrays(files, content.arrays, target, limits);
  // Its decoders are TensorFlow's.
  const { readImages } = await import('./images/index.ts');
  return readImages(files, { size: content.images, limits, classes: target !== undefined, signal, ...(onProgress === undefined ? {} : { onProgress }) });
}
