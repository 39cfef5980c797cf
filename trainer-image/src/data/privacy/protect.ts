/** Applies what the manifest says of personal data, before anything else sees the rows: what comes out is all that the rest of the run ever gets. */
import { AnnealError, list } from '../../errors.ts';
import type { Rows } from '../rows.ts';
import { pick } from '../table.ts';
import { count, percent } from '../words.ts';
import { requireGeneralisable } from './generalise.ts';
import { smallGroups, uniformGroups } from './groups.ts';
import type { Exposed } from './groups.ts';
import type { PseudonymKey } from './key.ts';
import type { GeneraliseSpec, PrivacySpec } from './spec.ts';
import { openSteps } from './steps.ts';
import type { PrivacyStep } from './steps.ts';
import { keptValues } from './suppress.ts';
import { changedRows, selectedRows } from './view.ts';

/** What was done, in names and counts. */
export interface PrivacyReport {
  readonly pseudonymised: readonly string[];
  readonly keyId?: string;
  readonly dropped: readonly string[];
  readonly generalised: readonly GeneraliseSpec[];
  readonly suppressed: readonly { readonly column: string; readonly fewerThan: number; /** Different values that stayed. */ readonly kept: number }[];
  readonly groups: readonly GroupReport[];
  /** Rows that were left out because they could be told apart. */
  readonly rowsRemoved: number;
}

export interface GroupReport {
  readonly measure: 'kAnonymity' | 'lDiversity';
  readonly quasiIdentifiers: readonly string[];
  readonly sensitive?: string;
  readonly asked: number;
  /** Of the smallest group that is left. */
  readonly reached: number;
}

export interface Protected {
  readonly rows: Rows;
  /** To be stored with the model, and done to each row that it is asked about. */
  readonly steps: readonly PrivacyStep[];
  readonly report: PrivacyReport;
}

const field = 'spec.trainer.data.privacy';

/**
 * In this order: pseudonymise, drop, generalise, suppress rare values, leave out rows that could be told apart.
 * @throws AnnealError `SPEC_COLUMN_MISSING`, `SPEC_COLUMN_KIND`, `SPEC_CONFLICT`, `PRIVACY_KEY`, `DATA_PRIVACY`; none holds a value
 */
export async function protect(spec: PrivacySpec, rows: Rows, key: PseudonymKey | undefined): Promise<Protected> {
  requireConsistent(spec, rows);
  const steps: PrivacyStep[] = [];
  const { pseudonymise, drop = [], generalise = [], suppress = [] } = spec;
  if (pseudonymise !== undefined) steps.push({ kind: 'Pseudonymise', keyId: key?.id ?? '', columns: pseudonymise.columns.map((name) => ({ name })) });
  if (generalise.length > 0) steps.push({ kind: 'Generalise', columns: generalise.map(({ column, ...how }) => ({ name: column, how })) });
  const dropped = new Set(drop);
  const coarse = changedRows(rows, openSteps(steps, key), dropped);
  if (suppress.length > 0) {
    const columns = [];
    for (const { column, fewerThan } of suppress) columns.push({ name: column, kept: await keptValues(coarse, column, fewerThan) });
    steps.push({ kind: 'Suppress', columns });
  }
  const changed = suppress.length === 0 ? coarse : changedRows(rows, openSteps(steps, key), dropped);
  const { rows: hidden, groups } = await hide(spec, changed);
  return {
    rows: hidden, steps,
    report: {
      pseudonymised: pseudonymise?.columns ?? [],
      ...(key === undefined || pseudonymise === undefined ? {} : { keyId: key.id }),
      dropped: drop, generalised: generalise,
      suppressed: suppress.map(({ column, fewerThan }) => ({ column, fewerThan, kept: keptOf(steps, column) })),
      groups, rowsRemoved: rows.rows - hidden.rows,
    },
  };
}

const keptOf = (steps: readonly PrivacyStep[], column: string): number => steps.flatMap((step) => (step.kind === 'Suppress' ? step.columns : [])).find(({ name }) => name === column)?.kept.length ?? 0;

function requireConsistent(spec: PrivacySpec, rows: Rows): void {
  const named = {
    'pseudonymise.columns': spec.pseudonymise?.columns ?? [],
    drop: spec.drop ?? [],
    generalise: (spec.generalise ?? []).map(({ column }) => column),
    suppress: (spec.suppress ?? []).map(({ column }) => column),
  };
  for (const [place, names] of Object.entries(named)) {
    pick(rows.columns, names, `${field}.${place}`);
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) throw new AnnealError('SPEC_CONFLICT', { at: `${field}.${place}`, message: `Column "${twice}" stands in ${place} twice. Write it once.` });
  }
  for (const [one, other] of [['drop', 'pseudonymise.columns'], ['drop', 'generalise'], ['drop', 'suppress'], ['pseudonymise.columns', 'generalise'], ['pseudonymise.columns', 'suppress']] as const) {
    const both = named[one].find((name) => named[other].includes(name));
    if (both !== undefined) throw new AnnealError('SPEC_CONFLICT', { at: `${field}.${one}`, message: `Column "${both}" stands in ${one} and in ${other}. Write it in one of them.` });
  }
  (spec.generalise ?? []).forEach(({ column, ...how }, index) => {
    const [info] = pick(rows.columns, [column], `${field}.generalise`);
    if (info !== undefined) requireGeneralisable(how, info, `${field}.generalise[${index}].method`);
  });
}

/** A measure of how well rows hide, ready to be taken of any rows. */
interface Rule {
  readonly report: Omit<GroupReport, 'reached'>;
  readonly onViolation: 'Fail' | 'Suppress';
  readonly at: string;
  readonly measure: (rows: Rows, quasiIdentifiers: readonly string[]) => Promise<Exposed>;
}

function rulesOf({ kAnonymity, lDiversity }: PrivacySpec): Rule[] {
  const rules: Rule[] = [];
  if (kAnonymity !== undefined) {
    const { quasiIdentifiers, k, onViolation } = kAnonymity;
    rules.push({ report: { measure: 'kAnonymity', quasiIdentifiers, asked: k }, onViolation, at: `${field}.kAnonymity`, measure: (rows, names) => smallGroups(rows, names, k) });
  }
  if (lDiversity !== undefined) {
    const { sensitive, l, method, onViolation, quasiIdentifiers = kAnonymity?.quasiIdentifiers } = lDiversity;
    if (quasiIdentifiers === undefined) throw new AnnealError('SPEC_CONFLICT', { at: `${field}.lDiversity`, message: 'lDiversity needs to know which rows are alike. Write lDiversity.quasiIdentifiers, or kAnonymity.' });
    if (quasiIdentifiers.includes(sensitive)) throw new AnnealError('SPEC_CONFLICT', { at: `${field}.lDiversity.sensitive`, message: `Column "${sensitive}" is sensitive and a quasi-identifier, so rows that are alike always share it. Remove it from quasiIdentifiers.` });
    rules.push({ report: { measure: 'lDiversity', quasiIdentifiers, sensitive, asked: l }, onViolation, at: `${field}.lDiversity`, measure: (rows, names) => uniformGroups(rows, names, sensitive, l, method) });
  }
  return rules;
}

/** Leaving out rows for one rule may break another, so that all are looked at until none is. */
async function hide(spec: PrivacySpec, all: Rows): Promise<{ rows: Rows; groups: GroupReport[] }> {
  const rules = rulesOf(spec);
  for (const { report, at } of rules) pick(all.columns, [...report.quasiIdentifiers, ...(report.sensitive === undefined ? [] : [report.sensitive])], at);
  let kept = Int32Array.from({ length: all.rows }, (_, row) => row);
  for (;;) {
    const rows = kept.length === all.rows ? all : selectedRows(all, kept);
    const groups: GroupReport[] = [];
    let removed = false;
    for (const rule of rules) {
      const found = await rule.measure(rows, rule.report.quasiIdentifiers);
      groups.push({ ...rule.report, reached: found.smallest });
      if (found.rows === 0) continue;
      if (rule.onViolation === 'Fail') throw await exposure(rule, rows, found);
      kept = kept.filter((_, row) => found.mask[row] !== 1);
      removed = true;
      break;
    }
    if (!removed) return { rows, groups };
    if (kept.length === 0) throw new AnnealError('DATA_PRIVACY', { at: rules[0]?.at ?? field, message: `No row would be left: none is like enough others in ${list(rules.flatMap(({ report }) => report.quasiIdentifiers))}. Make these columns coarser in privacy.generalise.` });
  }
}

async function exposure({ report, at, measure }: Rule, rows: Rows, { rows: exposed, groups, smallest }: Exposed): Promise<AnnealError> {
  const { quasiIdentifiers, asked, sensitive } = report;
  const alike = `rows alike in ${list(quasiIdentifiers)}`;
  const lacks = sensitive === undefined ? `fewer than ${asked} ${alike}` : `fewer than ${asked} different values of "${sensitive}" among the ${alike}`;
  const most = sensitive === undefined ? 'the smallest has' : 'the most uniform has';
  let [best, left] = [quasiIdentifiers[0] ?? '', Infinity];
  for (const name of quasiIdentifiers.length > 1 ? quasiIdentifiers : []) {
    const without = await measure(rows, quasiIdentifiers.filter((other) => other !== name));
    if (without.rows < left) [best, left] = [name, without.rows];
  }
  const gain = left === Infinity ? '' : ` Without "${best}" ${left === 0 ? 'there would be none' : left === 1 ? 'it would be 1' : `it would be ${count(left)}`}.`;
  return new AnnealError('DATA_PRIVACY', {
    at,
    message: `${count(exposed)} of ${count(rows.rows)} rows (${percent(exposed / rows.rows)}), in ${count(groups)} ${groups === 1 ? 'group' : 'groups'}, ${exposed === 1 ? 'has' : 'have'} ${lacks}; ${most} ${Number(smallest.toPrecision(3))}.${gain} Make "${best}" coarser in privacy.generalise, or write onViolation: Suppress to leave these rows out.`,
  });
}
