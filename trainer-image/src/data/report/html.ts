/** The report as a page to read: `data-report.html`. */
import { html } from '../../report/markup.ts';
import type { Markup } from '../../report/markup.ts';
import { documentOf } from '../../report/page.ts';
import { told } from '../expectations/finding.ts';
import type { Finding } from '../expectations/finding.ts';
import { partNames } from '../profile/evidence.ts';
import { count, percent } from '../words.ts';
import { correlationChart, meter } from './charts.ts';
import { columnCard, columnRow, mostCards, shownShare } from './columns.ts';
import { rowsOfClass } from './report.ts';
import type { ColumnReport, DataReport } from './report.ts';
import { style } from './style.ts';

export function reportPage(report: DataReport): string {
  return documentOf('Data report', style, html`<h1>Data report</h1>
<p class="quiet">${report.task}${report.target === undefined ? undefined : html` of <b>${report.target}</b>`}. What the data is like that a run is about to train on, after the privacy measures and before the pipeline.</p>
${overview(report)}
${findings(report.findings)}
${parts(report)}
${privacy(report)}
${columns(report)}
${correlations(report)}
${notes(report)}`);
}

function overview({ rows, columns: all, duplicates, leaked, findings: found }: DataReport): Markup {
  const missing = all.reduce((sum, column) => sum + column.missing, 0);
  const having = (outcome: Finding['outcome']): number => found.filter((finding) => finding.outcome === outcome).length;
  const tile = (name: string, value: string, how = ''): Markup => html`<div class="tile"><span class="quiet">${name}</span><b class="${how}">${value}</b></div>`;
  return html`<div class="tiles">${[
    tile('Rows', count(rows)),
    tile('Columns', count(all.length)),
    tile('Missing values', percent(rows * all.length === 0 ? 0 : missing / (rows * all.length))),
    tile('Repeated rows', count(duplicates.rows)),
    tile('Shared by the parts', count(leaked.rows)),
    tile('Failed', count(having('Fail')), having('Fail') > 0 ? 'fail' : ''),
    tile('Warnings', count(having('Warn')), having('Warn') > 0 ? 'warn' : ''),
    tile('Passed', count(having('Pass'))),
  ]}</div>`;
}

const outcomes = { Fail: ['fail', '✗ fail', 0], Warn: ['warn', '! warning', 1], Pass: ['pass', '✓ pass', 2] } as const;

function findings(found: readonly Finding[]): Markup {
  const sorted = [...found].sort((a, b) => outcomes[a.outcome][2] - outcomes[b.outcome][2] || b.severity - a.severity);
  const row = (finding: Finding): Markup => {
    const [how, name] = outcomes[finding.outcome];
    return html`<tr><td class="outcome ${how}">${name}</td><td>${told(finding)}</td><td class="quiet bare">${finding.at?.replace('spec.trainer.data.', '') ?? 'default'}</td></tr>`;
  };
  return html`<h2>Expectations</h2><table><thead><tr><th>Outcome</th><th>What was expected, and what was found</th><th>Asked for by</th></tr></thead><tbody>${sorted.map(row)}</tbody></table>`;
}

/** More classes fill a page with bars that all look alike. */
const mostClasses = 50;

function parts({ parts: sizes, classes, rows }: DataReport): Markup {
  const share = (part: number, whole: number): string => (whole === 0 ? '' : percent(part / whole));
  const head = html`<tr><th>${classes === undefined ? '' : 'Class'}</th><th class="number">All</th><th></th><th class="number">Training</th><th class="number">Validation</th><th class="number">Test</th></tr>`;
  const whole = html`<tr><td>Rows</td><td class="number">${count(rows)}</td><td></td>${partNames.map((part) => html`<td class="number">${count(sizes[part])} <span class="quiet">${share(sizes[part], rows)}</span></td>`)}</tr>`;
  const shown = (classes?.names ?? []).map((name, place) => ({ name, place, all: classes === undefined ? 0 : rowsOfClass(classes, place) })).sort((a, b) => b.all - a.all);
  const inParts = shown.slice(0, mostClasses).map(({ name, place, all }) => html`<tr><td>${name}</td><td class="number">${count(all)}</td><td class="bare">${meter(all / Math.max(rows, 1))}<span class="quiet">${share(all, rows)}</span></td>${partNames.map((part) => {
    const inPart = classes?.rows[part][place] ?? 0;
    return html`<td class="number">${count(inPart)} <span class="quiet">${share(inPart, sizes[part])}</span></td>`;
  })}</tr>`);
  const rest = shown.length > mostClasses ? html`<p class="quiet">${count(shown.length - mostClasses)} classes with fewer rows are in data-report.json.</p>` : undefined;
  return html`<h2>Parts</h2><table><thead>${head}</thead><tbody>${whole}${inParts}</tbody></table>${rest}`;
}

function privacy({ privacy: done }: DataReport): Markup | undefined {
  if (done === undefined) return undefined;
  const { pseudonymised, keyId, dropped, generalised, suppressed, groups, rowsRemoved } = done;
  const line = (name: string, what: string): Markup => html`<tr><th>${name}</th><td>${what}</td></tr>`;
  return html`<h2>Privacy</h2><table><tbody>${[
    ...(pseudonymised.length === 0 ? [] : [line('Pseudonyms', `${pseudonymised.join(', ')} (key ${keyId ?? ''})`)]),
    ...(dropped.length === 0 ? [] : [line('Dropped', dropped.join(', '))]),
    ...generalised.map(({ column, method, ...how }) => line('Made coarser', `${column}: ${method} ${Object.entries(how).map(([name, value]) => `${name} ${String(value)}`).join(', ')}`)),
    ...suppressed.map(({ column, fewerThan, kept }) => line('Rare values', `${column}: those that fewer than ${fewerThan} rows have are missing; ${count(kept)} values stayed`)),
    ...groups.map(({ measure, quasiIdentifiers, sensitive, asked, reached }) => line(measure === 'kAnonymity' ? 'k-anonymity' : 'l-diversity', `by ${quasiIdentifiers.join(', ')}${sensitive === undefined ? '' : `, of ${sensitive}`}: ${Number(reached.toPrecision(3))} reached, ${asked} asked for`)),
    line('Rows left out', count(rowsRemoved)),
  ]}</tbody></table>`;
}

/** The target, then what says most about it. */
function columns({ columns: all, rows, target }: DataReport): Markup {
  const rank = ({ role, relation = 0 }: ColumnReport): number => (role === 'Target' ? 2 : role === 'Feature' ? shownShare(relation) : -1);
  const sorted = all.map((column, place) => ({ column, place })).sort((a, b) => rank(b.column) - rank(a.column) || a.place - b.place);
  const shown = sorted.slice(0, mostCards);
  const rest = sorted.length > mostCards ? html`<p class="quiet">${count(sorted.length - mostCards)} more columns are in data-report.json.</p>` : undefined;
  return html`<h2>Columns</h2>
<table><thead><tr><th>Column</th><th>Kind</th><th class="number">Missing</th><th class="number">Different</th><th>${target === undefined ? 'Role' : 'Says about the target'}</th></tr></thead><tbody>${shown.map(({ column, place }) => columnRow(column, place, rows))}</tbody></table>${rest}
<h2>Each column</h2><div class="cards">${shown.map(({ column, place }) => columnCard(column, place, rows))}</div>`;
}

function correlations({ correlations: found }: DataReport): Markup | undefined {
  if (found.columns.length < 2) return undefined;
  const strongest = found.strongest.slice(0, 20).map(({ a, b, correlation }) => html`<tr><td>${a}</td><td>${b}</td><td class="number">${correlation.toFixed(3)}</td></tr>`);
  return html`<h2>Correlations</h2><p class="quiet">Pearson's, of pairs of the ${count(found.columns.length)} number columns, in ${count(found.rows)} training rows.</p>
${found.matrix === undefined ? undefined : correlationChart(found)}
${strongest.length === 0 ? html`<p>No pair is correlated by 0.3 or more.</p>` : html`<table><thead><tr><th colspan="2">Strongest pairs</th><th class="number">Correlation</th></tr></thead><tbody>${strongest}</tbody></table>`}`;
}

function notes({ sampledRows, columns: all, target }: DataReport): Markup {
  const near = all.some(({ exact }) => !exact);
  return html`<h2>How to read it</h2>
${target === undefined ? undefined : html`<p class="quiet">“Says about the target” is the share of the target's uncertainty (entropy of classes, variance of numbers) that the column alone removes on rows that were not looked at; found in ${count(sampledRows)} training rows. 100 % gives it away, 0 % says nothing by itself and may still help beside others.</p>`}
<p class="quiet">Deviation is that of the population. A bar counts values from its lower edge up to its upper one; where few values lie far out, bars cover the middle 99 % and the rest is counted beneath. ${near ? 'Columns marked “about” were too long to sort: different values are off by about 1 %, quantiles by up to 0.2 % of the rows.' : ''}</p>
<p class="quiet">Of private columns there are counts alone. Row numbers are counted from 1 in the data.</p>`;
}
