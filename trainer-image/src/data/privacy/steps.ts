/**
 * What was done to each column, as data that is stored with the model and done again to every row that it is asked about. The key is not
 * part of it; the id of the key is, so that another one is refused.
 */
import { AnnealError } from '../../errors.ts';
import { mapTexts } from '../table.ts';
import type { Column, Table, TextColumn } from '../table.ts';
import { generaliser } from './generalise.ts';
import type { PseudonymKey } from './key.ts';
import { Pseudonymiser } from './pseudonym.ts';
import type { Generalisation } from './spec.ts';

export type PrivacyStep =
  | { readonly kind: 'Pseudonymise'; readonly keyId: string; readonly columns: readonly { readonly name: string }[] }
  | { readonly kind: 'Generalise'; readonly columns: readonly { readonly name: string; readonly how: Generalisation }[] }
  /** Other values become missing. */
  | { readonly kind: 'Suppress'; readonly columns: readonly { readonly name: string; readonly kept: readonly (string | number)[] }[] };

/** What is done to a column, by its name. A change may keep what it did to a dictionary, so it is made once and used for all rows. */
export type Changes = ReadonlyMap<string, (column: Column) => Column>;

/** Only what concerns these columns. */
export function stepsOf(steps: readonly PrivacyStep[], names: readonly string[]): PrivacyStep[] {
  return steps.map((step): PrivacyStep => {
    const of = <T extends { readonly name: string }>(columns: readonly T[]): T[] => columns.filter(({ name }) => names.includes(name));
    switch (step.kind) {
      case 'Pseudonymise': return { ...step, columns: of(step.columns) };
      case 'Generalise': return { ...step, columns: of(step.columns) };
      case 'Suppress': return { ...step, columns: of(step.columns) };
    }
  }).filter(({ columns }) => columns.length > 0);
}

/** @throws AnnealError `PRIVACY_KEY` where pseudonyms are needed and the key is missing or another one */
export function openSteps(steps: readonly PrivacyStep[], key: PseudonymKey | undefined): Changes {
  const changes = new Map<string, (column: Column) => Column>();
  const then = (name: string, change: (column: Column) => Column): void => {
    const before = changes.get(name);
    changes.set(name, before === undefined ? change : (column) => change(before(column)));
  };
  for (const step of steps) {
    switch (step.kind) {
      case 'Pseudonymise': {
        const right = requireKey(step.keyId, key);
        for (const { name } of step.columns) {
          const pseudonymiser = new Pseudonymiser(right, name);
          then(name, (column) => pseudonymiser.apply(column));
        }
        break;
      }
      case 'Generalise':
        for (const { name, how } of step.columns) then(name, generaliser(how));
        break;
      case 'Suppress':
        for (const { name, kept } of step.columns) then(name, suppressor(kept));
    }
  }
  return changes;
}

export function changeTable(changes: Changes, table: Table): Table {
  return { ...table, columns: table.columns.map((column) => changes.get(column.name)?.(column) ?? column) };
}

function requireKey(keyId: string, key: PseudonymKey | undefined): PseudonymKey {
  const at = 'spec.trainer.data.privacy.pseudonymise.key';
  if (key === undefined) throw new AnnealError('PRIVACY_KEY', { at, message: 'Columns are to be pseudonymised and no key was given. Mount the Secret that privacy.pseudonymise.key names.' });
  if (key.id === keyId) return key;
  throw new AnnealError('PRIVACY_KEY', { at, message: `The model was trained with pseudonyms of the key ${keyId}, and was given the key ${key.id}, which makes others. Mount the key of the training, or train again with the new one.` });
}

function suppressor(kept: readonly (string | number)[]): (column: Column) => Column {
  const values = new Set(kept);
  const known = new WeakMap<readonly string[], TextColumn>();
  return (column) => {
    if (column.kind !== 'Text') return { ...column, private: 'Suppressed', values: column.values.map((value) => (values.has(value) ? value : NaN)) };
    const before = known.get(column.dictionary);
    const places = before ?? mapTexts({ ...column, codes: Int32Array.from(column.dictionary.keys()) }, (text) => (values.has(text) ? text : null));
    if (before === undefined) known.set(column.dictionary, places);
    return { ...column, private: 'Suppressed', dictionary: places.dictionary, codes: column.codes.map((code) => places.codes[code] ?? -1) };
  };
}
