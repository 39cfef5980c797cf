/** Checks of one column. Those that judge each row by itself share one pass over it. */
import { AnnealError, list } from '../../errors.ts';
import type { Evidence } from '../profile/evidence.ts';
import { blockRows, collect, repeatedRows } from '../rowhash/repeats.ts';
import type { FoundRows } from '../rowhash/repeats.ts';
import type { Rows } from '../rows.ts';
import { shownAt } from '../table.ts';
import type { Column, ColumnInfo } from '../table.ts';
import { count, percent } from '../words.ts';
import { judgeRows } from './finding.ts';
import type { Judged, RowsCheck } from './finding.ts';
import { Pattern } from './pattern.ts';
import type { Check, ExpectationSpec } from './spec.ts';

/** A row violates it or not, whatever the others hold. */
interface RowTest extends Pick<RowsCheck, 'expected' | 'does'> {
  readonly check: Check;
  readonly most?: number;
  /** Whether each row of a block violates it. */
  violated(block: Column): ((row: number) => boolean) | Promise<(row: number) => boolean>;
}

const isMissing = (column: Column): ((row: number) => boolean) => (column.kind === 'Text' ? (row) => (column.codes[row] ?? -1) < 0 : (row) => Number.isNaN(column.values[row]));

/** NaN, which no comparison holds for, where a row has no number. */
const numberAt = (column: Column, row: number): number => (column.kind === 'Text' ? NaN : column.values[row] ?? NaN);

/** Tukey (1977): farther than this many quartile ranges from the quartiles is an outlier. */
const fence = 1.5;

/** @param at  the item's field of the manifest. @throws AnnealError `SPEC_COLUMN_MISSING`, `SPEC_COLUMN_KIND`, `SPEC_CONFLICT`, `SPEC_INVALID` */
export async function checkColumn(spec: ExpectationSpec & { readonly column: string }, evidence: Evidence, at: string): Promise<Judged[]> {
  const { rows } = evidence.subject;
  const info = evidence.info(spec.column, `${at}.column`);
  requireSuited(spec, info, at);
  using pattern = spec.matches === undefined ? undefined : await Pattern.open(spec.matches, `${at}.matches`);
  const tests = [...missingTests(spec, info.name), ...valueTests(spec, info.name), ...(pattern === undefined ? [] : [matchTest(pattern, spec.matches ?? '', info.name)]), ...await outlierTest(spec, evidence)];
  const judged = await judgeTests(tests, rows, info);
  if (spec.unique === true) judged.push(await judgeUnique(rows, info));
  if (spec.type !== undefined) judged.push(judgeType(spec.type, info));
  if (spec.meanBetween !== undefined) judged.push(await judgeMean(spec.meanBetween, info, evidence));
  return judged;
}

const ofNumbers = ['min', 'max', 'meanBetween', 'maxOutliers'] as const satisfies readonly Check[];
const ofTexts = ['matches'] as const satisfies readonly Check[];
const kindNames = { Number: 'numbers', Text: 'text', Time: 'times' } as const satisfies Record<Column['kind'], string>;

/** A check that could never hold, or never be violated, is the manifest's fault and not that of the data. */
function requireSuited(spec: ExpectationSpec, { name, kind, private: hidden }: ColumnInfo, at: string): void {
  for (const check of [...ofNumbers, ...ofTexts, 'oneOf' as const]) {
    if (spec[check] === undefined) continue;
    if (hidden === 'Pseudonyms') throw new AnnealError('SPEC_CONFLICT', { at: `${at}.${check}`, message: `Column "${name}" holds pseudonyms when expectations are checked, so ${check} has nothing to judge. Remove ${check}, or the column from privacy.pseudonymise.` });
    const suited = check === 'oneOf' ? kind !== 'Time' : kind === (check === 'matches' ? 'Text' : 'Number');
    if (!suited) throw new AnnealError('SPEC_COLUMN_KIND', { at: `${at}.${check}`, message: `${check} needs ${check === 'oneOf' ? 'numbers or text' : kindNames[check === 'matches' ? 'Text' : 'Number']}, and column "${name}" holds ${kindNames[kind]}. Remove ${check}.` });
  }
}

function missingTests({ notNull, maxMissing }: ExpectationSpec, name: string): RowTest[] {
  const does = ['has none', 'have none'] as const;
  return [
    ...(notNull === true ? [{ check: 'notNull' as const, expected: `Column "${name}" is expected to have a value in every row`, does, violated: isMissing }] : []),
    ...(maxMissing === undefined ? [] : [{ check: 'maxMissing' as const, expected: `Column "${name}" is expected to lack a value in at most ${percent(maxMissing)} of the rows`, does, most: maxMissing, violated: isMissing }]),
  ];
}

function valueTests({ min, max, oneOf }: ExpectationSpec, name: string): RowTest[] {
  const tests: RowTest[] = [];
  if (min !== undefined) tests.push({ check: 'min', expected: `Column "${name}" is expected to have no value below ${min}`, does: ['has one', 'have one'], violated: (block) => (row) => numberAt(block, row) < min });
  if (max !== undefined) tests.push({ check: 'max', expected: `Column "${name}" is expected to have no value above ${max}`, does: ['has one', 'have one'], violated: (block) => (row) => numberAt(block, row) > max });
  if (oneOf !== undefined) tests.push({ check: 'oneOf', expected: `Column "${name}" is expected to have only the values ${list(oneOf.map(String))}`, does: ['has another', 'have another'], violated: (block) => strangers(block, oneOf) });
  return tests;
}

function strangers(block: Column, known: readonly (string | number)[]): (row: number) => boolean {
  if (block.kind === 'Text') {
    const texts = new Set(known.map(String));
    const strange = Uint8Array.from(block.dictionary, (text) => (texts.has(text) ? 0 : 1));
    return (row) => strange[block.codes[row] ?? -1] === 1;
  }
  const numbers = new Set(known.map(Number));
  return (row) => {
    const value = block.values[row] ?? NaN;
    return !Number.isNaN(value) && !numbers.has(value);
  };
}

function matchTest(pattern: Pattern, written: string, name: string): RowTest {
  return {
    check: 'matches', expected: `Column "${name}" is expected to match ${written}`, does: ['does not', 'do not'],
    violated: async (block) => {
      if (block.kind !== 'Text') return () => false;
      const matches = await pattern.matches(block.dictionary);
      return (row) => matches[block.codes[row] ?? -1] === 0;
    },
  };
}

async function outlierTest({ maxOutliers, column }: ExpectationSpec, evidence: Evidence): Promise<RowTest[]> {
  if (maxOutliers === undefined || column === undefined) return [];
  const profile = await evidence.profile(column);
  const { q25 = NaN, q75 = NaN } = profile.kind === 'Text' ? {} : profile.statistics ?? {};
  const [low, high] = [q25 - fence * (q75 - q25), q75 + fence * (q75 - q25)];
  return [{
    check: 'maxOutliers', most: maxOutliers,
    expected: `Column "${column}" is expected to have at most ${percent(maxOutliers)} of its values farther than ${fence} quartile ranges from the quartiles`,
    does: ['has such a value', 'have such values'],
    violated: (block) => (row) => {
      const value = numberAt(block, row);
      return value < low || value > high;
    },
  }];
}

async function judgeTests(tests: readonly RowTest[], rows: Rows, { name, private: hidden }: ColumnInfo): Promise<Judged[]> {
  if (tests.length === 0) return [];
  const states = tests.map((test) => ({ test, collector: collect(rows), example: undefined as string | undefined }));
  let from = 0;
  for await (const { columns: [block], rows: length } of rows.blocks([name], blockRows(1))) {
    for (const state of states) {
      if (block === undefined) continue;
      const violated = await state.test.violated(block);
      for (let row = 0; row < length; row++) {
        if (!violated(row)) continue;
        state.collector.add(from + row);
        if (hidden === undefined && state.test.violated !== isMissing) state.example ??= `"${shownAt(block, row)}"`;
      }
    }
    from += length;
  }
  return states.map(({ test: { check, expected, does, most }, collector, example }) => judgeRows({
    check, column: name, expected, does, found: collector.found(), of: rows.rows,
    ...(most === undefined ? {} : { most }), ...(example === undefined ? {} : { example }),
  }));
}

async function judgeUnique(rows: Rows, { name }: ColumnInfo): Promise<Judged> {
  const found: FoundRows = await repeatedRows(rows, [name], true);
  return judgeRows({ check: 'unique', column: name, expected: `Column "${name}" is expected to have a different value in every row`, does: ['has that of an earlier row', 'have that of an earlier row'], found, of: rows.rows });
}

function judgeType(type: Column['kind'], { name, kind }: ColumnInfo): Judged {
  const passed = kind === type;
  return { check: 'type', column: name, expected: `Column "${name}" is expected to hold ${kindNames[type]}`, found: passed ? 'it does' : `it holds ${kindNames[kind]}`, passed, severity: passed ? 0 : 1 };
}

async function judgeMean({ min, max }: { readonly min: number; readonly max: number }, { name, private: hidden }: ColumnInfo, evidence: Evidence): Promise<Judged> {
  const profile = await evidence.profile(name);
  const mean = profile.kind === 'Text' ? undefined : profile.statistics?.mean;
  const passed = mean !== undefined && mean >= min && mean <= max;
  const off = mean === undefined ? 1 : Math.min(1, Math.max(min - mean, mean - max) / Math.max(Math.abs(min), Math.abs(max), max - min));
  const found = mean === undefined ? 'it has no value' : hidden === undefined ? `its mean is ${Number(mean.toPrecision(6))}` : passed ? 'it is' : 'it is not';
  return { check: 'meanBetween', column: name, expected: `The mean of column "${name}" is expected to be between ${min} and ${max}`, found: `${found}, of ${count(profile.rows - profile.missing)} values`, passed, severity: passed ? 0 : off };
}
