/**
 * Names of children: pure functions of the owner and the child's place in it, so that a repeated create is a 409 and
 * never a duplicate. The owner's UID is part of the name, so that an owner of the same name made later never meets the
 * remains of the first.
 */
import { createHash } from 'node:crypto';

export interface Owner {
  readonly name: string;
  readonly uid: string;
}

/** Most characters of a DNS label (RFC 1123), which pod host names and label values must be. */
const longestLabel = 63;

/** `digits-trainer-0-1-x7k2p`: the owner's name is cut where the whole would be longer than 63 characters. */
export function podName(owner: Owner, role: string, index: number, attempt: number): string {
  return childName(owner, `${role}-${index}-${attempt}`);
}

/** `digits-volume-x7k2p`. */
export function childName(owner: Owner, part: string): string {
  return fit(owner.name, `${part}-${digestOf(owner)}`);
}

/** Once for an owner: each of a thousand pods may be told the host names of all. */
const digests = new WeakMap<Owner, string>();

function digestOf(owner: Owner): string {
  const digest = digests.get(owner) ?? shortHash(`${owner.uid}/${owner.name}`, 5);
  digests.set(owner, digest);
  return digest;
}

/** TrainingJob of one trial, `digits-3`. It needs no UID: a user reads it, and the create fails where it is taken. */
export function trialName(sweep: string, trial: number): string {
  return `${sweep}-${trial}`;
}

function fit(prefix: string, suffix: string): string {
  return `${prefix.slice(0, longestLabel - suffix.length - 1).replace(/[-.]+$/, '')}-${suffix}`;
}

/** Lower-case base 36 of a SHA-256, which a DNS label may hold. */
export function shortHash(text: string, length: number): string {
  const digest = createHash('sha256').update(text).digest('hex');
  return BigInt(`0x${digest}`).toString(36).padStart(50, '0').slice(0, length);
}
