/** The secret that pseudonyms are made with. It is read from a file, kept in memory, and never written anywhere; models hold a digest that tells keys apart. */
import { createHmac, createSecretKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { AnnealError } from '../../errors.ts';

export interface PseudonymKey {
  readonly secret: KeyObject;
  /** Tells whether two keys are the same, and nothing else about them. */
  readonly id: string;
}

const at = 'spec.trainer.data.privacy.pseudonymise.key';
const fewestBits = 128;
/** Random bytes have as few different ones with a chance below 10^-9; a password of repeated letters does not. */
const fewestDifferent = 6;

/** @throws AnnealError `PRIVACY_KEY` for a file that cannot be read, or a key that could be guessed */
export function readKey(file: string): PseudonymKey {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new AnnealError('PRIVACY_KEY', { at, message: `The key for pseudonyms cannot be read from ${file}. Give a Secret that has it, and its key.`, cause: error });
  }
  const bits = bitsOf(bytes);
  if (bits < fewestBits) throw guessable(`has at most ${bits} bits that could be random, and at least ${fewestBits} are needed`);
  if (new Set(bytes).size < fewestDifferent) throw guessable('consists of few characters again and again, and is not random');
  return keyOf(bytes);
}

const guessable = (why: string): AnnealError => new AnnealError('PRIVACY_KEY', { at, message: `The key for pseudonyms ${why}, so that every pseudonym could be tried out. Make one with: openssl rand -hex 32.` });

/** @param bytes  as they are: a line break at the end is part of the key */
export function keyOf(bytes: Uint8Array): PseudonymKey {
  return { secret: createSecretKey(bytes), id: createHmac('sha256', bytes).update('anneal pseudonym key id v1').digest('hex').slice(0, 16) };
}

/** Bits that could be random at most, by the letters that the key is written in. */
function bitsOf(bytes: Buffer): number {
  const text = bytes.toString('latin1').trimEnd();
  if (/^[0-9]*$/.test(text)) return Math.floor(text.length * Math.log2(10));
  if (/^[0-9a-fA-F]*$/.test(text)) return text.length * 4;
  return /^[\x20-\x7e]*$/.test(text) ? text.length * 6 : bytes.length * 8;
}
