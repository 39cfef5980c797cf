/** An HTML page of text, tables and plots that needs nothing else: no script, no file, no network. Reads on a screen, light or dark, and on paper. */
import { element } from './markup.ts';
import type { Child, Markup } from './markup.ts';
import { fontFamily } from './style.ts';

export type Block =
  | { readonly kind: 'Text'; readonly text: string }
  /** Pictures beside each other where there is room; each is an `<svg>` element that was made here. */
  | { readonly kind: 'Plots'; readonly plots: readonly string[] }
  /** Numbers stand to the right. */
  | { readonly kind: 'Table'; readonly head: readonly string[]; readonly rows: readonly (readonly (string | number)[])[] };

export interface Section {
  readonly title: string;
  readonly blocks: readonly Block[];
}

const style = `
:root { color-scheme: light dark; --line: #7a7a7a55; }
body { font: 15px/1.5 ${fontFamily}; max-width: 76rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.5rem; margin: 0 0 1rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; padding-top: .5rem; border-top: 1px solid var(--line); }
p { max-width: 46rem; margin: .5rem 0; }
.plots { display: flex; flex-wrap: wrap; gap: 1rem 1.5rem; align-items: flex-start; }
svg { max-width: min(100%, 35.5rem); height: auto; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: .5rem 0; font-size: .9em; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .8rem .2rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); max-width: 24rem; overflow-wrap: break-word; }
.number { text-align: right; white-space: nowrap; }
@media print {
  :root { color-scheme: light; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  h2 { break-after: avoid; }
  svg, tr { break-inside: avoid; }
  thead { display: table-header-group; }
}
`;

/** @returns a whole document; what is text in titles, texts and tables is escaped */
export function page(title: string, sections: readonly Section[]): string {
  return documentOf(title, style, element('h1', {}, title), ...sections.map((section) => element('section', {}, element('h2', {}, section.title), ...section.blocks.map(blockOf))));
}

/** A document that a browser loads nothing for and runs nothing of, even if something slipped in. */
export function documentOf(title: string, style: string, ...content: readonly Markup[]): string {
  const head = element('head', {},
    element('meta', { charset: 'utf-8' }),
    element('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
    element('meta', { 'http-equiv': 'Content-Security-Policy', content: 'default-src \'none\'; style-src \'unsafe-inline\'' }),
    element('title', {}, title),
    { markup: `<style>${style}</style>` });
  return `<!doctype html>\n${element('html', { lang: 'en' }, head, element('body', {}, ...content)).markup}\n`;
}

function blockOf(block: Block): Markup {
  switch (block.kind) {
    case 'Text': return element('p', {}, block.text);
    case 'Plots': return element('div', { class: 'plots' }, ...block.plots.map((markup) => ({ markup })));
    case 'Table': return tableOf(block.head, block.rows);
  }
}

function tableOf(head: readonly string[], rows: readonly (readonly (string | number)[])[]): Markup {
  const numeric = head.map((_, column) => rows.every((row) => typeof row[column] === 'number' || row[column] === ''));
  const cell = (name: string, content: Child, column: number): Markup => element(name, { class: numeric[column] === true ? 'number' : undefined }, content);
  return element('div', { class: 'wide' }, element('table', {},
    element('thead', {}, element('tr', {}, ...head.map((name, column) => cell('th', name, column)))),
    element('tbody', {}, ...rows.map((row) => element('tr', {}, ...row.map((value, column) => cell('td', typeof value === 'number' ? readable(value) : value, column)))))));
}

/** With as many digits as a table can be read with, and equally many for numbers of one size. */
export function readable(value: number): string {
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  if (size < 0.001 || size >= 1e6) return value.toPrecision(4);
  return value.toFixed(size < 1 ? 4 : size < 100 ? 3 : 1);
}
