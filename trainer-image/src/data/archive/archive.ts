/** What archives of any kind have in common: files by name, and what is refused of one that is damaged or meant to do harm. Nothing is written to disk. */
import { AnnealError } from '../../errors.ts';

export interface ArchivedFile {
  readonly name: string;
  /** Bytes that it unpacks to. */
  readonly bytes: number;
}

export interface ArchiveLimits {
  /** Most bytes that all files unpack to, and most files. */
  readonly maxBytes: number;
  readonly maxFiles: number;
}

export function damaged(archive: string, what: string, cause?: unknown): AnnealError {
  return new AnnealError('DATA_ARCHIVE', { at: archive, message: `${archive} cannot be read: ${what}. Pack it again.`, cause });
}

/** Of names: a file that would lie outside of the folder that an archive is unpacked to is no data. */
export function requireInside(archive: string, name: string): void {
  if (name.startsWith('/') || name.includes('\\') || name.includes('\0') || name.split('/').includes('..')) throw damaged(archive, `it holds "${name}", which is no path below its own folder`);
}

/** @param files  how many there are. @param bytes  what they unpack to. @throws AnnealError `DATA_TOO_LARGE` */
export function requireLimits(archive: string, files: number, bytes: number, { maxBytes, maxFiles }: ArchiveLimits): void {
  if (files > maxFiles) throw new AnnealError('DATA_TOO_LARGE', { at: 'spec.trainer.data.source.maxFiles', message: `${archive} holds ${files} files, more than the ${maxFiles} that source.maxFiles allows. Raise maxFiles, or pack fewer files.` });
  if (bytes > maxBytes) throw new AnnealError('DATA_TOO_LARGE', { at: 'spec.trainer.data.source.maxBytes', message: `${archive} unpacks to ${bytes} bytes, more than the ${maxBytes} that source.maxBytes allows. Raise maxBytes, or pack smaller files.` });
}
