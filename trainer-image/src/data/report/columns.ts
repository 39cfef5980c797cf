/** One column on the page: a line of the table, and a card with all that is known. */
import { html } from '../../report/markup.ts';
import type { Markup } from '../../report/markup.ts';
import { count, percent } from '../words.ts';
import { histogramChart, meter } from './charts.ts';
import { shownDuration, shownNumber, shownTime } from './numbers.ts';
import type { ColumnReport } from './report.ts';

/** Columns that a page has; more would be slow to open. */
export const mostCards = 300;

const kinds = { Number: 'numbers', Text: 'text', Time: 'times' } as const;
const hiddenAs = { Pseudonyms: 'pseudonyms', Suppressed: 'rare values suppressed' } as const;

const kindOf = ({ kind, private: hidden }: ColumnReport): string => `${kinds[kind]}${hidden === undefined ? '' : `, ${hiddenAs[hidden]}`}`;
const differentIn = ({ distinct, exact }: ColumnReport): string => `${exact ? '' : 'about '}${count(distinct)}`;
const missingIn = ({ missing }: ColumnReport, rows: number): string => (missing === 0 ? '0' : `${count(missing)} (${percent(missing / rows)})`);

const roles = { Target: 'is the target', Feature: 'feature', Unused: 'not a feature' } as const;

/** To a tenth of a percent; what is less is noise. */
export const shownShare = (share: number): number => Number(share.toFixed(3));

/** @param place  of the column in the data, which the table and the cards find each other by */
export function columnRow(column: ColumnReport, place: number, rows: number): Markup {
  const { name, role, relation } = column;
  return html`<tr><td><a href="#column-${place}">${name}</a></td><td>${kindOf(column)}</td><td class="number">${missingIn(column, rows)}</td><td class="number">${differentIn(column)}</td><td class="bare">${relation === undefined ? roles[role] : html`${meter(shownShare(relation))}${percent(shownShare(relation))}`}</td></tr>`;
}

export function columnCard(column: ColumnReport, place: number, rows: number): Markup {
  const { name, role } = column;
  return html`<section class="card" id="column-${place}"><header><h3>${name}</h3><span class="tag">${role === 'Feature' ? '' : `${role.toLowerCase()} · `}${kindOf(column)}</span></header>
${column.private === undefined ? shownOf(column, rows) : html`<p class="quiet">Its values are private and are not shown.</p>`}
<dl class="${column.kind === 'Time' ? 'long' : ''}">${factsOf(column, rows).map(([fact, value]) => html`<div><dt>${fact}</dt><dd>${value}</dd></div>`)}</dl></section>`;
}

function shownOf({ kind, statistics, top, missing, distinct }: ColumnReport, rows: number): Markup | undefined {
  if (statistics !== undefined) return histogramChart(statistics.histogram, kind === 'Time' ? shownTime : shownNumber);
  if (missing === rows) return html`<p class="quiet">Every value is missing.</p>`;
  if (top === undefined || top.length === 0) return html`<p class="quiet">No value is shared by two rows.</p>`;
  const rest = rows - missing - top.reduce((sum, each) => sum + each.rows, 0);
  const largest = Math.max(...top.map((each) => each.rows));
  const line = (value: Markup, inRows: number, bar?: Markup): Markup => html`<tr><td>${value}</td><td>${bar}</td><td class="number">${count(inRows)} <span class="quiet">${percent(inRows / rows)}</span></td></tr>`;
  const others = rest > 0 ? line(html`<span class="quiet">${count(Math.max(1, distinct - top.length))} others</span>`, rest) : undefined;
  return html`<table class="top"><tbody>${top.map((each) => line(shortened(each.value), each.rows, meter(each.rows / largest)))}${others}</tbody></table>`;
}

const longest = 60;
/** An empty text would look like none. */
function shortened(text: string): Markup {
  if (text === '') return html`<span class="quiet">(empty)</span>`;
  const letters = Array.from(text);
  return html`${letters.length > longest ? `${letters.slice(0, longest).join('')}…` : text}`;
}

function factsOf(column: ColumnReport, rows: number): [string, string][] {
  const { kind, infinite = 0, statistics, lengths, relation } = column;
  const tell = kind === 'Time' ? shownTime : shownNumber;
  return [
    ...(relation === undefined ? [] : [['target', percent(shownShare(relation))] satisfies [string, string]]),
    ['missing', missingIn(column, rows)],
    ['different', differentIn(column)],
    ...(infinite === 0 ? [] : [['infinite', count(infinite)] satisfies [string, string]]),
    ...(statistics === undefined ? [] : ([
      ['least', tell(statistics.least)], ['5 %', tell(statistics.q05)], ['25 %', tell(statistics.q25)], ['median', tell(statistics.median)],
      ['75 %', tell(statistics.q75)], ['95 %', tell(statistics.q95)], ['greatest', tell(statistics.greatest)], ['mean', tell(statistics.mean)],
      ['deviation', kind === 'Time' ? shownDuration(statistics.deviation) : shownNumber(statistics.deviation)],
    ] satisfies [string, string][])),
    ...(lengths === undefined ? [] : [['length', lengths.least === lengths.greatest ? String(lengths.least) : `${lengths.least}–${lengths.greatest}`] satisfies [string, string]]),
  ];
}
