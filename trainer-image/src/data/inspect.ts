/** What stands around the preparation of data: measures for personal data before it, and a look at the data before it is learnt from. */
import { checkExpectations, requireExpectations } from './expectations/index.ts';
import type { Finding } from './expectations/finding.ts';
import type { ExpectationSpec } from './expectations/spec.ts';
import type { PrivacyReport, PrivacySpec, PseudonymKey } from './privacy/index.ts';
import { Evidence } from './profile/evidence.ts';
import type { Subject } from './profile/evidence.ts';
import { reportFiles } from './report/index.ts';

/** The fields of `spec.trainer.data` that this is about. */
export interface GuardedData {
  readonly privacy?: PrivacySpec;
  readonly expectations?: readonly ExpectationSpec[];
}

export interface Guards {
  readonly key?: PseudonymKey;
  /** Told of all that was found, before a run ends because of it. */
  readonly onInspected?: (evidence: Evidence, findings: readonly Finding[], privacy?: PrivacyReport) => Promise<void>;
}

/** Where nobody expects anything and nobody listens, nothing is looked at. @throws AnnealError `DATA_EXPECTATION`, and `SPEC_…` for an item that does not go with the data */
export async function inspect({ expectations = [] }: GuardedData, subject: Subject, { onInspected }: Guards, privacy?: PrivacyReport): Promise<void> {
  if (expectations.length === 0 && onInspected === undefined) return;
  const evidence = new Evidence(subject);
  const findings = await checkExpectations(expectations, evidence);
  await onInspected?.(evidence, findings, privacy);
  requireExpectations(findings, reportFiles.page);
}
