/** What is looked at even when nobody asks; never more than a warning. */
import type { Evidence } from '../profile/evidence.ts';
import { count, percent } from '../words.ts';
import type { Judged } from './finding.ts';
import type { Check } from './spec.ts';
import { judgeDuplicates, judgeSplitLeakage, judgeTargetLeakage, rarestClass } from './whole.ts';

/** From here on a share is worth a warning. */
const limits = { empty: 0.95, identifier: 0.95, duplicates: 0.01, splitLeakage: 0.01, targetLeakage: 0.95, imbalance: 0.1 } as const;
/** In fewer rows many columns have a different value in each. */
const fewestForIdentifier = 100;

/** @param covered  what the manifest has an item for, and is not judged twice */
export async function defaultChecks(evidence: Evidence, covered: ReadonlySet<Check>): Promise<Judged[]> {
  const { subject } = evidence;
  return [
    ...await ofFeatures(evidence),
    ...(covered.has('duplicates') ? [] : [await judgeDuplicates(limits.duplicates, evidence)]),
    ...(covered.has('splitLeakage') || subject.parts.validation.length + subject.parts.test.length === 0 ? [] : [await judgeSplitLeakage(limits.splitLeakage, evidence)]),
    ...(covered.has('targetLeakage') || subject.target === undefined ? [] : [await judgeTargetLeakage(limits.targetLeakage, evidence)]),
    ...(covered.has('classShare') || subject.task !== 'Classification' ? [] : [await judgeImbalance(evidence)]),
  ];
}

/** What is wrong with a feature, of which one is told of: the first that holds. */
async function ofFeatures(evidence: Evidence): Promise<Judged[]> {
  const checks = ['empty', 'constant', 'identifier', 'infinite'] as const;
  const wrong: Judged[] = [];
  for (const name of evidence.subject.features) {
    const judged = await judgeFeature(name, evidence);
    if (judged !== undefined) wrong.push(judged);
  }
  const passes = checks.filter((check) => !wrong.some((judged) => judged.check === check));
  return [...wrong, ...passes.map((check): Judged => ({ check, expected: expectedOf[check], found: 'none is', passed: true, severity: 0 }))];
}

const expectedOf = {
  empty: 'No feature is expected to be almost empty',
  constant: 'No feature is expected to be the same in every row',
  identifier: 'No feature is expected to be an identifier, which says nothing about a new row',
  infinite: 'No feature is expected to be infinite in a row',
} as const;

async function judgeFeature(name: string, evidence: Evidence): Promise<Judged | undefined> {
  const profile = await evidence.profile(name);
  const { rows, missing, distinct } = profile;
  const present = rows - missing;
  const wrong = (check: keyof typeof expectedOf, found: string, severity: number): Judged => ({ check, column: name, expected: expectedOf[check], found: `column "${name}" ${found}`, passed: false, severity });
  if (missing / rows >= limits.empty) return wrong('empty', `lacks a value in ${percent(missing / rows)} of the rows`, missing / rows);
  if (distinct === 1 && missing === 0) return wrong('constant', 'has one value in all of them', 1);
  if (profile.kind === 'Text') {
    const share = distinct / present;
    return present >= fewestForIdentifier && share >= limits.identifier ? wrong('identifier', `has ${count(distinct)} different texts in ${count(present)} rows`, share) : undefined;
  }
  if (profile.infinite > 0) return wrong('infinite', `is in ${count(profile.infinite)}`, profile.infinite / rows);
  const isKey = profile.kind === 'Number' && profile.statistics?.whole === true && present >= fewestForIdentifier && profile.exact && distinct === present;
  return isKey ? wrong('identifier', 'has a different whole number in every row', 1) : undefined;
}

/** A class is rare that has a tenth of what it would have if all had the same. */
async function judgeImbalance(evidence: Evidence): Promise<Judged> {
  const { target, name, share, rows, classes } = await rarestClass(evidence);
  const least = limits.imbalance / classes;
  const passed = share >= least;
  return {
    check: 'classShare', column: target, passed, severity: passed ? 0 : 1 - share / least,
    expected: `Each of the ${classes} classes of the target "${target}" is expected to have at least ${percent(least)} of the rows`,
    found: `the rarest, ${name}, has ${percent(share)} (${count(rows)} ${rows === 1 ? 'row' : 'rows'})`,
  };
}
