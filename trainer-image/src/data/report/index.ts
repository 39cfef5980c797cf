/** What a person should know of the data before the first epoch: as JSON, and as a page. */
import { writeFile } from '../../files.ts';
import type { Finding } from '../expectations/finding.ts';
import type { PrivacyReport } from '../privacy/index.ts';
import type { Evidence } from '../profile/evidence.ts';
import { reportPage } from './html.ts';
import { reportOf } from './report.ts';

export const reportFiles = { json: 'data-report.json', page: 'data-report.html' } as const;

/** Writes both files, each whole or not at all. @throws the system's error */
export async function writeReport(folder: string, evidence: Evidence, findings: readonly Finding[], privacy?: PrivacyReport): Promise<void> {
  const report = await reportOf(evidence, findings, privacy);
  writeFile(folder, reportFiles.json, `${JSON.stringify(report, undefined, 1)}\n`);
  writeFile(folder, reportFiles.page, reportPage(report));
}
