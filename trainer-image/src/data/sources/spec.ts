/** `spec.trainer.data.source` as far as it says where the data are, and what all kinds of sources have in common. */
import type { BucketPlace, TrainerSpec } from '@anneal/operator/api';
import { AnnealError, list } from '../../errors.ts';

type Source = TrainerSpec['data']['source'];

export interface SourceSpec extends Pick<Source, 'uri' | 'sha256' | 'maxBytes'> {
  /** Most files that a pattern may match; `mostFiles` where it is left out. */
  readonly maxFiles?: number;
  /** How a bucket is reached; Amazon's, in us-east-1, where it is left out. */
  readonly s3?: S3Spec;
  /** Which part of a topic is read, and how its brokers are reached; all of it, in plain text, where it is left out. */
  readonly kafka?: KafkaSpec;
  readonly format: string;
  readonly csv: { readonly header: 'Present' | 'Absent' };
}

export interface S3Spec {
  readonly endpoint?: string;
  readonly region: string;
  readonly addressing: BucketPlace['addressing'];
}

export interface KafkaSpec {
  /** `Earliest`, an offset, or a time (RFC 3339): the first record of each partition. */
  readonly from: string;
  /** `Latest` (when the job begins), an offset, or a time: the record of each partition that is not read any more. */
  readonly to: string;
  readonly security: 'Plaintext' | 'TLS';
  readonly sasl: 'None' | 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
}

/** As the manifest has it, defaults filled in. */
export function sourceSpec(source: Source): SourceSpec {
  const { uri, sha256, maxBytes, maxFiles, endpoint, region = 'us-east-1', addressing = 'Auto', kafka, format, csv } = source;
  return {
    uri, maxBytes, format, csv: { header: csv.header },
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(maxFiles === undefined ? {} : { maxFiles }),
    ...(uri.startsWith('s3://') ? { s3: { region, addressing, ...(endpoint === undefined ? {} : { endpoint }) } } : {}),
    ...(kafka === undefined ? {} : { kafka }),
  };
}

export const mostFiles = 100_000;

/** Rows that are arrays. */
export type VectorContent =
  | { readonly format: 'Images'; readonly images: NonNullable<Source['images']> }
  | { readonly format: 'Arrays'; readonly arrays: NonNullable<Source['arrays']> };

/** Rows by columns. */
export interface TableContent {
  readonly format: Exclude<Source['format'], VectorContent['format']>;
}

/** What the files hold. @throws AnnealError `SPEC_INVALID` */
export function contentOf({ format, images, arrays }: Source): TableContent | VectorContent {
  if (format === 'Arrays') return { format, arrays: arrays ?? { features: 'x' } };
  if (format !== 'Images') return { format };
  if (images === undefined) throw new AnnealError('SPEC_INVALID', { at: `${sourceField}.images`, message: 'Images are brought to one size before they are learnt from. Write it, for example images: {height: 64, width: 64, channels: 3}.' });
  return { format, images };
}

export const sourceField = 'spec.trainer.data.source';

/** A file as a source knows it, before it is here. */
export interface Found {
  /** Path below the folder that the pattern names; the last part for one file. It is what errors call the file. */
  readonly name: string;
  readonly bytes: number;
}

/** @throws AnnealError `DATA_TOO_LARGE` when the files together, or their number, are beyond what the spec allows */
export function requireWithin(files: readonly Found[], source: SourceSpec): void {
  const { maxFiles = mostFiles, maxBytes, uri } = source;
  if (files.length > maxFiles) throw tooMany(uri, maxFiles);
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const [first] = files;
  if (bytes > maxBytes) throw tooLarge(files.length === 1 && first !== undefined ? first.name : `${files.length} files of ${uri}`, bytes, maxBytes);
}

export function tooLarge(what: string, bytes: number, maxBytes: number): AnnealError {
  return new AnnealError('DATA_TOO_LARGE', { at: `${sourceField}.maxBytes`, message: `${what} ${/^\d+ files/.test(what) ? 'have' : 'has'} ${bytes} bytes, more than the ${maxBytes} that source.maxBytes allows. Raise maxBytes, or give ${/^\d+ files/.test(what) ? 'fewer files' : 'a smaller file'}.` });
}

export function tooMany(uri: string, maxFiles: number): AnnealError {
  return new AnnealError('DATA_TOO_LARGE', { at: `${sourceField}.maxFiles`, message: `${uri} matches more than the ${maxFiles} files that source.maxFiles allows. Raise maxFiles, or write a narrower pattern.` });
}

/** @param there  what lies in `folder`, folders with a slash behind them; undefined when there is no such folder. */
export function nothingThere(uri: string, folder: string, there: readonly string[], isPattern: boolean): AnnealError {
  const what = there.length === 0 ? `${folder} is empty` : `in ${folder} there are ${list([...there].sort())}`;
  const advice = isPattern ? 'Correct the pattern' : 'Correct the uri';
  return new AnnealError('DATA_NOT_FOUND', { at: `${sourceField}.uri`, message: `There is no ${isPattern ? 'file that matches' : 'readable file at'} ${uri}; ${what}. ${advice}, or put the ${isPattern ? 'files' : 'file'} there.` });
}
