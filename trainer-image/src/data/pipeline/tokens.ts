/** Cuts texts into terms as scikit-learn's vectorizers do. */

export interface Analyzer {
  readonly analyzer: 'Word' | 'Character';
  /** Fewest and most words or characters of a term. */
  readonly ngrams: readonly number[];
  readonly lowercase: boolean;
}

/** Two or more letters, digits or underscores: Python's `\b\w\w+\b`. */
const words = /[\p{L}\p{N}_]{2,}/gu;
/** What Python takes for blank: unlike JavaScript, the separators U+001C to U+001F and U+0085 and no byte-order mark. */
const blanks = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]{2,}/g;

/** All terms of a text, repeated as often as they stand in it. */
export function termsOf(text: string, { analyzer, ngrams: [fewest = 1, most = fewest], lowercase }: Analyzer): string[] {
  const cased = lowercase ? text.toLowerCase() : text;
  const [pieces, joint] = analyzer === 'Word' ? [cased.match(words) ?? [], ' '] : [Array.from(cased.replace(blanks, ' ')), ''];
  const terms: string[] = [];
  for (let length = fewest; length <= most; length++) {
    for (let from = 0; from + length <= pieces.length; from++) terms.push(length === 1 ? pieces[from] ?? '' : pieces.slice(from, from + length).join(joint));
  }
  return terms;
}

/** How often each term stands in a text. */
export function countTerms(text: string, analyzer: Analyzer): Map<string, number> {
  const counts = new Map<string, number>();
  for (const term of termsOf(text, analyzer)) counts.set(term, (counts.get(term) ?? 0) + 1);
  return counts;
}
