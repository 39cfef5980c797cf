/**
 * Pseudonyms by a keyed hash: HMAC-SHA-256 cut to 128 bits. ENISA (2019), "Pseudonymisation techniques and best practices", section 5.1.3: a hash
 * without a key is no protection, since all postcodes, cards or names can be tried out; with one it is as strong as the key is secret.
 */
import { createHmac, createSecretKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { AnnealError } from '../../errors.ts';
import { textColumn } from '../table.ts';
import type { Column, NumberColumn, TextColumn, TimeColumn } from '../table.ts';
import type { PseudonymKey } from './key.ts';

const pseudonymBytes = 16;

/** Makes the pseudonyms of one column. The same text has another one in a column of another name, so that columns cannot be joined by them. */
export class Pseudonymiser {
  readonly #key: KeyObject;
  readonly #name: string;
  /** Each different text is hashed once, and a dictionary is often shared by all blocks. */
  readonly #known = new WeakMap<readonly string[], readonly string[]>();

  constructor(key: PseudonymKey, name: string) {
    this.#name = name;
    this.#key = createSecretKey(createHmac('sha256', key.secret).update(`anneal pseudonym v1 of column ${name}`).digest());
  }

  /** The column with pseudonyms in place of values; missing ones stay missing. @throws AnnealError `SPEC_COLUMN_KIND` for times, `DATA_PRIVACY` for numbers that were rounded */
  apply(column: Column): TextColumn {
    const { codes, dictionary } = column.kind === 'Text' ? column : this.#texts(column);
    let pseudonyms = this.#known.get(dictionary);
    if (pseudonyms === undefined) this.#known.set(dictionary, pseudonyms = dictionary.map((text) => this.#of(text)));
    return { kind: 'Text', name: this.#name, private: 'Pseudonyms', codes, dictionary: pseudonyms };
  }

  #of(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest().subarray(0, pseudonymBytes).toString('hex');
  }

  #texts(column: NumberColumn | TimeColumn): TextColumn {
    if (column.kind === 'Time') throw new AnnealError('SPEC_COLUMN_KIND', { at: 'spec.trainer.data.privacy.pseudonymise.columns', message: `Column "${column.name}" holds times, which a pseudonym would make useless. Write it in privacy.generalise with method: TruncateTime, or in privacy.drop.` });
    const row = column.values.findIndex((value) => Math.abs(value) > Number.MAX_SAFE_INTEGER);
    if (row >= 0) throw new AnnealError('DATA_PRIVACY', { at: 'spec.trainer.data.privacy.pseudonymise.columns', message: `Column "${column.name}" has numbers beyond 2^53, which are read rounded, so that different ones would share a pseudonym. Give the column as text.` });
    return textColumn(column.name, Array.from(column.values, (value) => (Number.isNaN(value) ? null : String(value === 0 ? 0 : value))));
  }
}
