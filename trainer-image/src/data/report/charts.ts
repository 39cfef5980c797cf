/** Small charts as inline SVG, in the colours of the page. */
import { html } from '../../report/markup.ts';
import type { Markup } from '../../report/markup.ts';
import { fitted, widthOf } from '../../report/style.ts';
import type { Correlations } from '../profile/correlations.ts';
import type { Histogram } from '../profile/histogram.ts';
import { count, percent } from '../words.ts';

const round = (value: number): number => Math.round(value * 100) / 100;

const width = 320;
const height = 90;
const labels = 16;

/** So many labels fit beneath single numbers. */
const mostLabels = 10;

/** Bars as wide as their stretches. @param tell  an edge as a person reads it */
export function histogramChart({ edges, counts, below, above }: Histogram, tell: (value: number) => string): Markup {
  const [first = 0, last = 0] = [edges[0], edges.at(-1)];
  const largest = Math.max(1, ...counts);
  const place = (edge: number): number => (edge - first) / (last - first) * width;
  const isSingle = edges.every((edge, index) => edge === first + index);
  const bars = counts.map((rows, bar) => {
    const [low = first, high = last] = [edges[bar], edges[bar + 1]];
    const [from, to] = counts.length === 1 ? [width * 0.4, width * 0.6] : [place(low), place(high)];
    const size = rows / largest * height;
    return html`<rect class="bar" x="${round(from + 0.5)}" y="${round(height - size)}" width="${round(Math.max(0.5, to - from - 1))}" height="${round(size)}"><title>${isSingle || low === high ? tell(low) : `${tell(low)} to ${tell(high)}`}: ${count(rows)} rows</title></rect>`;
  });
  const label = (x: number, text: string, anchor = 'middle'): Markup => html`<text x="${round(x)}" y="${height + 12}" text-anchor="${anchor}">${text}</text>`;
  const middles = isSingle || first === last ? edges.slice(0, -1).filter((_, bar) => counts.length <= mostLabels || bar === 0 || bar === counts.length - 1) : [];
  const beyond = [...(below > 0 ? [`${count(below)} below`] : []), ...(above > 0 ? [`${count(above)} above`] : [])].join(', ');
  return html`<svg class="wide" viewBox="0 0 ${width} ${height + labels}" role="img" aria-label="Histogram">
${bars}<line class="axis" x1="0" y1="${height}" x2="${width}" y2="${height}"/>${middles.length > 0
    ? middles.map((edge) => label(first === last ? width / 2 : place(edge + 0.5), tell(edge)))
    : [label(0, tell(first), 'start'), label(width / 2, beyond), label(width, tell(last), 'end')]}</svg>`;
}

/** A share as a bar. */
export function meter(share: number, long = 120): Markup {
  const size = Math.max(0, Math.min(1, share)) * long;
  return html`<svg class="meter" viewBox="0 0 ${long} 10" width="${long}" height="10" role="img" aria-label="${percent(Math.max(0, Math.min(1, share)))}"><rect class="bar" width="${round(share > 0 ? Math.max(1, size) : 0)}" height="10" rx="2"/></svg>`;
}

const cell = 18;
/** Of a label, in pixels. */
const mostLabel = 130;

/** Of up to 40 columns: blue goes together, orange against each other, the stronger the darker. */
export function correlationChart({ columns, matrix = [] }: Correlations): Markup {
  const labelled = columns.map((name) => fitted(name, mostLabel));
  const margin = Math.ceil(Math.max(...labelled.map((label) => widthOf(label)))) + 8;
  const side = columns.length * cell;
  const cells = matrix.flatMap((row, i) => row.slice(0, i).flatMap((value, j) => (value === null ? [] : [html`<rect class="${value > 0 ? 'bar' : 'other'}" fill-opacity="${round(Math.abs(value))}" x="${margin + j * cell}" y="${i * cell}" width="${cell - 1}" height="${cell - 1}"><title>${columns[j]} and ${columns[i]}: ${value.toFixed(3)}</title></rect>`])));
  const rows = labelled.map((label, i) => html`<text x="${margin - 6}" y="${i * cell + 13}" text-anchor="end">${label}</text>`);
  const below = labelled.slice(0, -1).map((label, j) => html`<text transform="translate(${margin + j * cell + 13} ${side + 6}) rotate(-90)" text-anchor="end">${label}</text>`);
  return html`<svg viewBox="0 0 ${margin + side} ${side + margin}" width="${margin + side}" height="${side + margin}" role="img" aria-label="Correlations">${cells}${rows}${below}</svg>`;
}
