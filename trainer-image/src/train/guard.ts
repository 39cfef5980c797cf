/** What stands between the rows and all that is made of them: measures for personal data, and a look at the data before they are learnt from. */
import path from 'node:path';
import type { TrainerSpec } from '@anneal/operator/api';
import { volumeLayout } from '@anneal/operator/api';
import { checkExpectations, requireExpectations } from '../data/expectations/index.ts';
import { told } from '../data/expectations/finding.ts';
import type { Finding } from '../data/expectations/finding.ts';
import { keyColumns } from '../data/key-columns.ts';
import { subjectOf } from '../data/prepare.ts';
import type { Preprocessing } from '../data/prepare.ts';
import { privacySpec, protect } from '../data/privacy/index.ts';
import type { PrivacyReport, Protected, PseudonymKey } from '../data/privacy/index.ts';
import { Evidence } from '../data/profile/evidence.ts';
import type { Subject } from '../data/profile/evidence.ts';
import { reportFiles, writeReport } from '../data/report/index.ts';
import type { Rows } from '../data/rows.ts';
import { requireVectorSpec } from '../data/vector.ts';
import { AnnealError } from '../errors.ts';
import type { TrainingHooks, TrainingOrder } from './order.ts';

export interface Guarded extends Protected {
  /** The protected rows, and what becomes of them. */
  readonly subject: Subject;
}

/** @param given  that a saved model brings. @throws AnnealError `PRIVACY_KEY`, `DATA_PRIVACY`, `DATA_EXPECTATION`; `SPEC_…` for what does not go with the data */
export async function guard(order: TrainingOrder, hooks: TrainingHooks, raw: Rows, key: PseudonymKey | undefined, given?: Preprocessing): Promise<Guarded> {
  const { data } = order.spec;
  if (raw.vector !== undefined) requireVectorSpec(data, raw.vector);
  const guarded = await protect(privacySpec(data.privacy), raw, key);
  const subject = await subjectOf(data, guarded.rows, { beside: columnsBeside(order.spec), keys: keyColumns(data, order.spec), ...(given === undefined ? {} : { given }) });
  const evidence = new Evidence(subject);
  const findings = await checkExpectations(data.expectations ?? [], evidence);
  const privacy = data.privacy === undefined ? undefined : guarded.report;
  for (const finding of findings) if (finding.outcome !== 'Pass') hooks.log('warn', 'Data is not as expected', { check: finding.check, column: finding.column, outcome: finding.outcome, found: told(finding) });
  if (privacy !== undefined) hooks.log('info', 'Personal data protected', { rowsRemoved: privacy.rowsRemoved, keyId: privacy.keyId });
  await report(order, hooks, evidence, findings, privacy);
  requireExpectations(findings, reportFiles.page);
  return { ...guarded, subject };
}

/** Replicas find the same; one writes it. A run that can go on does not end because of its report. */
async function report({ volume, replicas }: TrainingOrder, { log }: TrainingHooks, evidence: Evidence, findings: readonly Finding[], privacy: PrivacyReport | undefined): Promise<void> {
  if (replicas !== undefined && replicas.index !== 0) return;
  try {
    await writeReport(path.join(volume, volumeLayout.reports), evidence, findings, privacy);
  } catch (error) {
    if (error instanceof AnnealError) throw error;
    log('error', 'Report of the data could not be written', { error: String(error) });
  }
}

/** Columns that are needed though the model may not see them. */
export function columnsBeside({ data: { split, privacy, expectations = [] }, validation, evaluation }: TrainerSpec): string[] {
  return [
    split.groupBy, split.orderBy, validation?.groupBy, ...evaluation?.slices ?? [], evaluation?.anomaly?.label?.column,
    ...expectations.map(({ column }) => column),
    ...privacy?.suppress?.map(({ column }) => column) ?? [], ...privacy?.kAnonymity?.quasiIdentifiers ?? [], ...privacy?.lDiversity?.quasiIdentifiers ?? [], privacy?.lDiversity?.sensitive,
  ].filter((name) => name !== undefined);
}
