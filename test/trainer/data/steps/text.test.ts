import { expect } from 'chai';
import { applyPipeline } from '../../../../trainer-image/src/data/pipeline/index.ts';
import type { FittedStep } from '../../../../trainer-image/src/data/pipeline/index.ts';
import { termsOf } from '../../../../trainer-image/src/data/pipeline/tokens.ts';
import { random } from '../../../../trainer-image/src/data/random.ts';
import { codeOf } from '../../support.ts';
import { expectClose, science, valuesOf } from '../parity.ts';
import { number, tableOf, text } from '../tables.ts';
import { asLists, fitted } from './support.ts';

const words = ['The', 'network', 'learns', 'größer', 'naïve', 'x', 'a_b', '42', '3.14', 'don’t', '日本', 'İstanbul', 'ΣΑΣ', 'e\u0301tude', '--', 'über', 'LEARNS', 'net\u00a0work', '½', '²nd'];
const source = random(5, 'texts');
const documents = Array.from({ length: 400 }, () => Array.from({ length: source.below(12) }, () => words[Math.min(source.below(words.length), source.below(words.length))]).join([' ', '  ', '\t', '\u001c '][source.below(4)]));
const table = tableOf(text('review', ...documents), number('stars', ...documents.map((_, row) => row % 5)));

const analyzers = [
  { analyzer: 'Word', ngrams: [1, 1], lowercase: true },
  { analyzer: 'Word', ngrams: [1, 3], lowercase: false },
  { analyzer: 'Character', ngrams: [2, 4], lowercase: true },
] as const;

describe('texts', function () {
  this.timeout(300_000);

  it('are cut and weighed as scikit-learn does', async () => {
    const expected = await science<{ terms: string[][]; hashing: number[][]; tfIdf: number[][]; names: string[] }[]>(`
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
out = []
for a in given["analyzers"]:
    common = dict(analyzer={"Word": "word", "Character": "char"}[a["analyzer"]], ngram_range=tuple(a["ngrams"]), lowercase=a["lowercase"])
    h = HashingVectorizer(n_features=64, **common)
    t = TfidfVectorizer(min_df=3, max_df=0.6, **common).fit(given["documents"])
    out.append({"terms": [h.build_analyzer()(d) for d in given["documents"]], "hashing": h.transform(given["documents"]).toarray().T, "tfIdf": t.transform(given["documents"]).toarray().T, "names": list(t.get_feature_names_out())})
answer(out)`, { documents, analyzers });
    for (const [at, analyzer] of analyzers.entries()) {
      const wanted = expected[at];
      expect(documents.map((document) => termsOf(document, analyzer))).to.deep.equal(wanted?.terms);
      const apply = async (step: object) => applyPipeline((await fitted(table, { text: { column: 'review', ...analyzer, ...step } })).steps, table);
      const hashed = await apply({ method: 'Hashing', features: 64 });
      expect(hashed.columns.at(-1)?.name).to.equal('stars');
      wanted?.hashing.forEach((values, place) => expectClose(valuesOf(hashed, `review#${place}`), values, `place ${place} of ${analyzer.analyzer}`, 1e-9, 1e-12));
      const weighed = await apply({ method: 'TfIdf', features: 10_000, minDocumentFrequency: 3, maxDocumentFrequency: 0.6 });
      expect(new Set(weighed.columns.map(({ name }) => name))).to.deep.equal(new Set([...wanted?.names ?? [], ].map((term) => `review:${term}`).concat('stars')));
      wanted?.names.forEach((term, place) => expectClose(valuesOf(weighed, `review:${term}`), wanted.tfIdf[place] ?? [], `"${term}"`, 1e-9, 1e-12));
    }
  });

  it('leave out terms of fewer texts, as a number of them or as a share', async () => {
    const shares = [0, 0.01, 0.05, 0.0575, 0.25, 0.999, 1, 2, 20];
    const expected = await science<(string[] | null)[]>(`
from sklearn.feature_extraction.text import TfidfVectorizer
def names(least):
    try: return list(TfidfVectorizer(min_df=least).fit(given["documents"]).get_feature_names_out())
    except ValueError: return None
answer([names(float(s) if s < 1 else int(s)) for s in given["shares"]])`, { documents, shares });
    for (const [at, minDocumentFrequency] of shares.entries()) {
      const step = { text: { column: 'review', method: 'TfIdf', features: 10_000, analyzer: 'Word', ngrams: [1, 1], lowercase: true, minDocumentFrequency } };
      const wanted = expected[at];
      if (wanted === null) expect(await codeOf(() => fitted(table, step)), String(minDocumentFrequency)).to.include({ code: 'DATA_COLUMN_EMPTY' });
      else expect(new Set(((await fitted(table, step)).steps[0] as FittedStep & { terms: string[] }).terms), String(minDocumentFrequency)).to.deep.equal(new Set(wanted));
    }
  });

  it('keep their most frequent terms', async () => {
    const { steps } = await fitted(tableOf(text('t', 'aa bb', 'bb cc', 'bb cc dd')), { text: { column: 't', method: 'TfIdf', features: 2, analyzer: 'Word', ngrams: [1, 1], lowercase: true } });
    expect((steps[0] as FittedStep & { terms: string[] }).terms).to.deep.equal(['bb', 'cc']);
    expect(asLists(await applyPipeline(steps, tableOf(text('t', 'zz', 'cc'))))).to.deep.equal({ 't:bb': [0, 0], 't:cc': [0, 1] });
  });

  it('weighs no vocabulary that grows without end, and says what does', async () => {
    const long = Array.from({ length: 21 }, (_, part) => Array.from({ length: 100_000 }, (_term, at) => `t${part * 100_000 + at}`).join(' '));
    const error = await codeOf(() => fitted(tableOf(text('t', ...long)), { text: { column: 't', method: 'TfIdf', features: 9, analyzer: 'Word', ngrams: [1, 1], lowercase: true } }));
    expect(error).to.include({ code: 'DATA_CATEGORIES', message: 'Column "t" has more than 2,000,000 different terms, too many to count each. Write method: Hashing, which keeps none, or fewer ngrams.' });
  });

  it('must be texts, and be there', async () => {
    const step = (column: string) => ({ text: { column, method: 'TfIdf', features: 9, analyzer: 'Word', ngrams: [1, 1], lowercase: true } });
    expect(await codeOf(() => fitted(table, step('stars')))).to.include({ code: 'SPEC_COLUMN_KIND', message: 'text needs texts, and column "stars" holds numbers. Name another column.' });
    expect((await codeOf(() => fitted(tableOf(text('t', 'aa', null)), step('t')))).message).to.contain('Column "t" has no value in row 2, and text cannot work with a missing value');
    expect(await codeOf(() => fitted(tableOf(text('t', 'a', '')), step('t')))).to.include({ code: 'DATA_COLUMN_EMPTY' });
  });
});
