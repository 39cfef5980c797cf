/** Legends stand beside a plot, never on it. */
import { element } from './markup.ts';
import type { Markup } from './markup.ts';
import { fitted, fontSize, ink, widthOf } from './style.ts';

export interface LegendEntry {
  readonly label: string;
  readonly colour: string;
  readonly mark: 'Line' | 'Box';
  readonly dash?: string | undefined;
  readonly opacity?: number;
}

const lineHeight = 18;
const markWidth = 18;
const gap = 6;
const mostLabel = 200;

/** Pixels that the legend needs. */
export const legendWidth = (entries: readonly LegendEntry[]): number => (entries.length === 0 ? 0 : markWidth + gap + Math.ceil(Math.max(...entries.map(({ label }) => Math.min(mostLabel, widthOf(label))))));
export const legendHeight = (entries: readonly LegendEntry[]): number => entries.length * lineHeight;

export function legend(entries: readonly LegendEntry[], left: number, top: number): Markup {
  return element('g', {}, ...entries.map(({ label, colour, mark, dash, opacity }, index) => {
    const middle = top + (index + 0.5) * lineHeight;
    const shown = fitted(label, mostLabel);
    return element('g', {},
      mark === 'Line'
        ? element('line', { x1: left, x2: left + markWidth, y1: middle, y2: middle, stroke: colour, 'stroke-width': 2, 'stroke-dasharray': dash })
        : element('rect', { x: left + 3, y: middle - 6, width: 12, height: 12, fill: colour, 'fill-opacity': opacity, stroke: ink, 'stroke-opacity': 0.4 }),
      text(shown, left + markWidth + gap, middle, {}, label));
  }));
}

export interface TextOptions {
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly size?: number;
  readonly fill?: string;
  readonly turn?: number;
  readonly weight?: number;
}

/** A line of text by its middle height. What was shortened tells its whole name to a pointer that rests on it. */
export function text(shown: string, x: number, y: number, { anchor, size = fontSize, fill = ink, turn, weight }: TextOptions = {}, whole = shown): Markup {
  return element('text', {
    x, y, fill,
    'font-size': size,
    'text-anchor': anchor,
    'font-weight': weight,
    // Not dominant-baseline, which not every renderer knows.
    dy: '0.35em',
    transform: turn === undefined ? undefined : `rotate(${turn} ${Math.round(x * 100) / 100} ${Math.round(y * 100) / 100})`,
  }, shown, ...(whole === shown ? [] : [element('title', {}, whole)]));
}
