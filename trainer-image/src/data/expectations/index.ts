/**
 * Whether the data is what the manifest expects of it, before any time is spent on training. Every check is made, whatever the others say;
 * a check without an item in the manifest only warns.
 */
import { AnnealError } from '../../errors.ts';
import type { Evidence } from '../profile/evidence.ts';
import { checkColumn } from './columns.ts';
import { defaultChecks } from './defaults.ts';
import { outcomeOf, told } from './finding.ts';
import type { Finding, Judged } from './finding.ts';
import type { Check, ExpectationSpec } from './spec.ts';
import { judgeClassShare, judgeDuplicates, judgeRowCount, judgeSplitLeakage, judgeTargetLeakage } from './whole.ts';

/** @throws AnnealError `SPEC_…` for an item that does not go with the data; a violation is a finding */
export async function checkExpectations(spec: readonly ExpectationSpec[], evidence: Evidence): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [index, item] of spec.entries()) {
    const at = `spec.trainer.data.expectations[${index}]`;
    for (const judged of await judge(item, evidence, at)) findings.push(outcomeOf(judged, item.onViolation, `${at}.${judged.check}`));
  }
  const covered = new Set<Check>(findings.map(({ check }) => check));
  for (const judged of await defaultChecks(evidence, covered)) findings.push(outcomeOf(judged, 'Warn'));
  return findings;
}

async function judge(item: ExpectationSpec, evidence: Evidence, at: string): Promise<Judged[]> {
  if (item.column !== undefined) return checkColumn({ ...item, column: item.column }, evidence, at);
  if (item.rows !== undefined) return [judgeRowCount(item.rows, evidence)];
  if (item.duplicates !== undefined) return [await judgeDuplicates(item.duplicates.max, evidence)];
  if (item.classShare !== undefined) return [await judgeClassShare(item.classShare.min, evidence, `${at}.classShare`)];
  if (item.splitLeakage !== undefined) return [await judgeSplitLeakage(item.splitLeakage.max, evidence)];
  if (item.targetLeakage !== undefined) return [await judgeTargetLeakage(item.targetLeakage.max, evidence, `${at}.targetLeakage`)];
  throw new AnnealError('SPEC_INVALID', { at, message: 'The expectation is empty. Write a column with what is expected of it, or one of rows, duplicates, classShare, splitLeakage and targetLeakage.' });
}

/** @param report  where a person finds all findings. @throws AnnealError `DATA_EXPECTATION` that tells the worst of those that fail, and how many there are */
export function requireExpectations(findings: readonly Finding[], report: string): void {
  const failed = findings.filter(({ outcome }) => outcome === 'Fail').sort((a, b) => b.severity - a.severity);
  const [worst] = failed;
  if (worst === undefined) return;
  const others = failed.length === 1 ? '' : ` ${failed.length === 2 ? 'One other expectation fails' : `${failed.length - 1} other expectations fail`} too.`;
  throw new AnnealError('DATA_EXPECTATION', { ...(worst.at === undefined ? {} : { at: worst.at }), message: `${told(worst)}${others} ${report} lists all. Correct the data or the expectation, or write onViolation: Warn.` });
}
