/**
 * Turns a text into weights of its words or characters, of Euclidean length 1: by hashing, as scikit-learn's HashingVectorizer, or by
 * how rare a term is, as its TfidfVectorizer.
 */
import { AnnealError } from '../../errors.ts';
import { bucketOf, murmur3 } from '../maths/murmur3.ts';
import { countCodes } from '../statistics.ts';
import { pick } from '../table.ts';
import type { Column, NumberColumn, Table, TextColumn } from '../table.ts';
import { count } from '../words.ts';
import { isText, replaceEach, requireComplete } from './columns.ts';
import type { Fit, StepKind, Training } from './step.ts';
import { countTerms } from './tokens.ts';
import type { Analyzer } from './tokens.ts';

export interface TextSpec extends Analyzer {
  readonly column: string;
  readonly method: 'Hashing' | 'TfIdf';
  /** Hashing: how many columns. TfIdf: keeps the most frequent terms. */
  readonly features: number;
  /** TfIdf: leaves out terms that more than this share of the texts has. */
  readonly maxDocumentFrequency?: number;
  /** TfIdf: leaves out terms that fewer texts have; below 1 a share of them. */
  readonly minDocumentFrequency?: number;
}

export type FittedText = { readonly kind: 'Text'; readonly column: string; readonly analyzer: Analyzer } & (
  | { readonly method: 'Hashing'; readonly features: number }
  | { readonly method: 'TfIdf'; readonly terms: readonly string[]; readonly weights: readonly number[] }
);

/** Places and weights of one text; all others are 0. */
interface Sparse {
  readonly places: readonly number[];
  readonly weights: readonly number[];
}

export const text: StepKind<TextSpec, FittedText> = {
  fit,
  apply: (step) => {
    const { names, vector } = step.method === 'Hashing' ? hashing(step) : tfIdf(step);
    return replaceEach(new Map([[step.column, (column, table) => vectors(column, table, names, vector)]]));
  },
  reads: ({ column }) => [column],
  joint: false,
};

async function fit(spec: TextSpec, { frame, at }: Training): Promise<Fit<FittedText>> {
  const { column: name, method, features, analyzer, ngrams, lowercase } = spec;
  const [{ kind } = { kind: 'Text' }] = pick(frame.columns, [name], `${at}.column`);
  if (kind !== 'Text') throw new AnnealError('SPEC_COLUMN_KIND', { at, message: `text needs texts, and column "${name}" holds ${kind === 'Time' ? 'times' : 'numbers'}. Name another column.` });
  const how: Analyzer = { analyzer, ngrams, lowercase };
  if (method === 'Hashing') return { step: { kind: 'Text', column: name, analyzer: how, method, features } };
  const column = await frame.column(name);
  requireComplete(frame, column, 'text', at);
  if (!isText(column)) throw new Error(`Column "${name}" is not text.`);
  return { step: { kind: 'Text', column: name, analyzer: how, method, ...fitTerms(spec, how, column, frame.rows, at) } };
}

/** A vocabulary of so many takes some hundreds of megabytes while the rarest are not yet left out. */
const mostTerms = 2_000_000;

function fitTerms(spec: TextSpec, analyzer: Analyzer, column: TextColumn, rows: number, at: string): { terms: string[]; weights: number[] } {
  /** By term: how many texts have it, and how often it stands in all. */
  const found = new Map<string, { texts: number; times: number }>();
  countCodes(column.codes, column.dictionary.length).forEach((texts, code) => {
    if (texts === 0) return;
    for (const [term, times] of countTerms(column.dictionary[code] ?? '', analyzer)) {
      const known = found.get(term);
      if (known === undefined) {
        if (found.size === mostTerms) throw new AnnealError('DATA_CATEGORIES', { at, message: `Column "${spec.column}" has more than ${count(mostTerms)} different terms, too many to count each. Write method: Hashing, which keeps none, or fewer ngrams.` });
        found.set(term, { texts, times: texts * times });
      } else [known.texts, known.times] = [known.texts + texts, known.times + texts * times];
    }
  });
  const { minDocumentFrequency: least = 1, maxDocumentFrequency = 1 } = spec;
  const [fewest, most] = [least < 1 ? least * rows : least, maxDocumentFrequency * rows];
  const kept = [...found].filter(([, { texts }]) => texts >= fewest && texts <= most);
  if (kept.length === 0) throw new AnnealError('DATA_COLUMN_EMPTY', { at, message: `No term of column "${spec.column}" is left to weigh. Write a lower minDocumentFrequency or a higher maxDocumentFrequency.` });
  const chosen = kept.sort(([a, { times: timesA }], [b, { times: timesB }]) => timesB - timesA || (a < b ? -1 : 1)).slice(0, spec.features).sort(([a], [b]) => (a < b ? -1 : 1));
  return { terms: chosen.map(([term]) => term), weights: chosen.map(([, { texts }]) => Math.log((1 + rows) / (1 + texts)) + 1) };
}

interface Vectorizer {
  readonly names: readonly string[];
  readonly vector: (text: string) => Sparse;
}

function hashing({ column, features, analyzer }: Extract<FittedText, { method: 'Hashing' }>): Vectorizer {
  return {
    names: Array.from({ length: features }, (_, place) => `${column}#${place}`),
    vector: (document) => {
      const sums = new Map<number, number>();
      for (const [term, times] of countTerms(document, analyzer)) {
        const hash = murmur3(term);
        const place = bucketOf(hash, features);
        // Two terms of one bucket rather cancel than add up: their products stay right on average.
        sums.set(place, (sums.get(place) ?? 0) + (hash >= 0 ? times : -times));
      }
      return unitLength([...sums.keys()], [...sums.values()]);
    },
  };
}

function tfIdf({ column, terms, weights, analyzer }: Extract<FittedText, { method: 'TfIdf' }>): Vectorizer {
  const places = new Map(terms.map((term, place) => [term, place]));
  return {
    names: terms.map((term) => `${column}:${term}`),
    vector: (document) => {
      const found: [number, number][] = [];
      for (const [term, times] of countTerms(document, analyzer)) {
        const place = places.get(term);
        if (place !== undefined) found.push([place, times * (weights[place] ?? 0)]);
      }
      return unitLength(found.map(([place]) => place), found.map(([, weight]) => weight));
    },
  };
}

function unitLength(places: readonly number[], weights: readonly number[]): Sparse {
  const length = Math.sqrt(weights.reduce((sum, weight) => sum + weight * weight, 0));
  return { places, weights: length === 0 ? weights : weights.map((weight) => weight / length) };
}

function vectors(column: Column, table: Table, names: readonly string[], vector: (text: string) => Sparse): readonly Column[] {
  if (!isText(column)) return [column];
  requireComplete(table, column, 'text', 'text');
  const outputs = names.map((name): NumberColumn => ({ kind: 'Number', name, values: new Float64Array(table.rows) }));
  const known = new Map<number, Sparse>();
  for (let row = 0; row < table.rows; row++) {
    const code = column.codes[row] ?? 0;
    let sparse = known.get(code);
    if (sparse === undefined) known.set(code, (sparse = vector(column.dictionary[code] ?? '')));
    for (let at = 0; at < sparse.places.length; at++) {
      const values = outputs[sparse.places[at] ?? 0]?.values;
      if (values !== undefined) values[row] = sparse.weights[at] ?? 0;
    }
  }
  return outputs;
}
