/**
 * Keeps an attempt that is over from writing. A pod on a node that was cut off runs on after its object was removed; its successor
 * writes a higher number on the volume, and the old one must then leave everything as it is.
 */
import path from 'node:path';
import { volumeLayout } from '@anneal/operator/api';
import { AnnealError } from '../errors.ts';
import { readIfThere, writeFile } from '../files.ts';

export interface Fence {
  /** Empty when the image runs without an operator. */
  readonly jobUid: string;
  /** `trainer-0`: the place whose attempts follow each other. */
  readonly place: string;
  readonly attempt: number;
}

/** What the newest attempt of a place wrote. */
export type Claim = Pick<Fence, 'jobUid' | 'attempt'>;

/** @throws AnnealError `SUPERSEDED` when a later attempt was here */
export function claimVolume(volume: string, fence: Fence): void {
  const found = claimOn(volume, fence);
  // A job that was made anew under this name begins with attempt 1 again.
  if (found?.jobUid === fence.jobUid && found.attempt > fence.attempt) throw superseded(fence, found);
  const claim: Claim = { jobUid: fence.jobUid, attempt: fence.attempt };
  writeFile(path.join(volume, volumeLayout.attempts), `${fence.place}.json`, JSON.stringify(claim));
}

/** To be asked before each write. @throws AnnealError `SUPERSEDED` when another attempt or job has claimed the volume since */
export function requireOwnVolume(volume: string, fence: Fence): void {
  const found = claimOn(volume, fence);
  if (found !== undefined && !isOwn(found, fence)) throw superseded(fence, found);
}

export function isOwn(claim: Claim, fence: Fence): boolean {
  return claim.jobUid === fence.jobUid && claim.attempt <= fence.attempt;
}

export function superseded(fence: Fence, by: Claim): AnnealError {
  const who = by.jobUid === fence.jobUid ? `attempt ${by.attempt}` : 'another job of this name';
  return new AnnealError('SUPERSEDED', { message: `This is attempt ${fence.attempt} of ${fence.place}, and ${who} has taken its place. It writes nothing more.` });
}

/** A claim that cannot be read is none: the file is written whole, so it is not ours. */
export function parseClaim(json: string): Claim | undefined {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value !== 'object' || value === null || !('jobUid' in value) || !('attempt' in value)) return undefined;
    const { jobUid, attempt } = value;
    return typeof jobUid === 'string' && typeof attempt === 'number' ? { jobUid, attempt } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function claimOn(volume: string, { place }: Fence): Claim | undefined {
  const json = readIfThere(path.join(volume, volumeLayout.attempts, `${place}.json`));
  return json === undefined ? undefined : parseClaim(json.toString());
}
