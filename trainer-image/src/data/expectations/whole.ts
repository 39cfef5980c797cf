/** Checks of the data as a whole: how many rows, which repeat, what the parts share, what gives the target away. */
import { AnnealError } from '../../errors.ts';
import { partNames } from '../profile/evidence.ts';
import type { Evidence } from '../profile/evidence.ts';
import { count, percent } from '../words.ts';
import { judgeRows } from './finding.ts';
import type { Judged } from './finding.ts';

export function judgeRowCount({ min, max }: { readonly min?: number; readonly max?: number }, { subject: { rows: { rows } } }: Evidence): Judged {
  const passed = rows >= (min ?? 0) && rows <= (max ?? Infinity);
  const wanted = [...(min === undefined ? [] : [`at least ${count(min)}`]), ...(max === undefined ? [] : [`at most ${count(max)}`])].join(' and ');
  const off = rows < (min ?? 0) ? 1 - rows / (min ?? 1) : 1 - (max ?? 0) / rows;
  return { check: 'rows', expected: `The data is expected to have ${wanted} rows`, found: `it has ${count(rows)}`, passed, severity: passed ? 0 : off };
}

export async function judgeDuplicates(most: number, evidence: Evidence): Promise<Judged> {
  return judgeRows({
    check: 'duplicates', most, of: evidence.subject.rows.rows, found: await evidence.duplicates(),
    expected: most === 0 ? 'No row is expected to repeat an earlier one' : `At most ${percent(most)} of the rows are expected to repeat an earlier one`,
    does: ['does', 'do'],
  });
}

export async function judgeSplitLeakage(most: number, evidence: Evidence): Promise<Judged> {
  const { validation, test } = evidence.subject.parts;
  return judgeRows({
    check: 'splitLeakage', most, of: validation.length + test.length, found: await evidence.leaked(),
    expected: `${most === 0 ? 'No row' : `At most ${percent(most)} of the rows`} of validation and test ${most === 0 ? 'is' : 'are'} expected to have the same features as a training row`,
    does: ['does', 'do'],
  });
}

/** @throws AnnealError `SPEC_CONFLICT` where numbers are predicted */
export async function judgeClassShare(least: number, evidence: Evidence, at: string): Promise<Judged> {
  const { target, task } = evidence.subject;
  if (target === undefined) throw withoutTarget('classShare', at);
  if (task !== 'Classification') throw new AnnealError('SPEC_CONFLICT', { at, message: `classShare needs classes, and the target "${target}" is predicted as a number. Remove classShare.` });
  const { name, share, rows } = await rarestClass(evidence);
  const passed = share >= least;
  return {
    check: 'classShare', column: target, passed, severity: passed ? 0 : (least - share) / least,
    expected: `Every class of the target "${target}" is expected to have at least ${percent(least)} of the rows`,
    found: `the rarest, ${name}, has ${percent(share)} (${count(rows)} ${rows === 1 ? 'row' : 'rows'})`,
  };
}

export interface RareClass {
  /** Name of the target. */
  readonly target: string;
  /** As it may be shown. */
  readonly name: string;
  readonly share: number;
  readonly rows: number;
  readonly classes: number;
}

export async function rarestClass(evidence: Evidence): Promise<RareClass> {
  const { target, classes, rows } = await evidence.classes();
  const counts = classes.map((_, place) => partNames.reduce((sum, part) => sum + (rows[part][place] ?? 0), 0));
  const fewest = Math.min(...counts);
  const hidden = evidence.info(target, 'spec.trainer.data.target').private !== undefined;
  return {
    target,
    name: hidden ? `class ${counts.indexOf(fewest) + 1}` : `"${classes[counts.indexOf(fewest)] ?? ''}"`,
    share: fewest / counts.reduce((sum, each) => sum + each, 0), rows: fewest, classes: classes.length,
  };
}

function withoutTarget(check: string, at: string): AnnealError {
  return new AnnealError('SPEC_CONFLICT', { at, message: `${check} needs a target, and an Autoencoder has none. Remove ${check}.` });
}

/** Of all features the one that says most. */
export async function judgeTargetLeakage(most: number, evidence: Evidence, at = 'spec.trainer.data.expectations'): Promise<Judged> {
  const { target, features, task } = evidence.subject;
  if (target === undefined) throw withoutTarget('targetLeakage', at);
  let [strongest, strength] = ['', 0];
  let others = 0;
  for (const name of features) {
    const found = await evidence.relation(name);
    if (found > most) others++;
    if (found > strength) [strongest, strength] = [name, found];
  }
  const passed = strength <= most;
  const rows = (await evidence.sample()).rows.length;
  const what = task === 'Classification' ? 'the uncertainty about it' : 'its variance';
  const more = others > 1 ? `, and ${others - 1} more ${others === 2 ? 'column does' : 'columns do'} too` : '';
  return {
    check: 'targetLeakage', passed, severity: passed ? 0 : strength,
    ...(strongest === '' ? {} : { column: strongest }),
    expected: `No column is expected to give away more than ${percent(most)} of the target "${target}"`,
    found: strongest === '' ? 'none does'
      : passed ? `column "${strongest}", which says most, removes ${percent(strength)} of ${what}`
        : `column "${strongest}" alone removes ${percent(strength)} of ${what} (in ${count(rows)} training rows)${more}, so it may have been made from the target or be known only after it`,
  };
}
