/** The frame of a plot: title, axes, grid and legend, laid out so that nothing is cut off or covers the data. */
import type { Axis, Tick } from './axes.ts';
import { legend, legendHeight, legendWidth, text } from './legend.ts';
import type { LegendEntry } from './legend.ts';
import { element } from './markup.ts';
import type { Markup } from './markup.ts';
import { fitted, fontFamily, fontSize, ink, titleSize, widthOf } from './style.ts';

export interface FrameOptions {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly legend?: readonly LegendEntry[];
  /** Pixels between the axes; the picture is as much larger as titles, labels and legend need. */
  readonly width?: number;
  readonly height?: number;
  /** Sentences under the plot, for example how much is not shown. */
  readonly notes?: readonly string[];
}

export interface Frame {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  /** The picture with these marks on it. */
  draw(...marks: readonly Markup[]): string;
}

const edge = 12;
const mostLabel = 150;
const mostTurnedLabel = 110;
/** Of labels one below the other. */
const labelHeight = 13;
/** Of turned labels beside each other. */
const turnedWidth = 17;
const tickGap = 6;
const noteSize = fontSize - 1;
const legendGap = 16;

export function frame({ title, x, y, legend: entries = [], width = 360, height = 270, notes = [] }: FrameOptions): Frame {
  const yLabels = spaced(y.ticks, height, labelHeight);
  const labelWidth = Math.max(0, ...yLabels.map(({ label }) => Math.min(mostLabel, widthOf(label))));
  const xLabels = xLabelsFor(x, width);
  // A turned label reaches to the left of its band.
  const reach = xLabels.turned ? Math.max(0, ...xLabels.ticks.map(({ at, label }) => Math.min(mostTurnedLabel, widthOf(label)) * Math.SQRT1_2 - at * width)) : 20;
  const left = Math.ceil(Math.max(edge + labelHeight + 8 + labelWidth + tickGap, reach + edge));
  const top = edge + titleSize + 14;
  const right = left + width;
  const bottom = top + height;
  const wholeWidth = Math.ceil(Math.max(right + (entries.length > 0 ? legendGap + legendWidth(entries) : 0) + edge, left + widthOf(title, titleSize) + edge, ...notes.map((note) => left + widthOf(note, noteSize) + edge), right + 24));
  const titleTop = bottom + tickGap + xLabels.height + 6;
  const wholeHeight = Math.ceil(Math.max(titleTop + labelHeight + (notes.length > 0 ? 4 : 0) + notes.length * labelHeight + edge - 4, top + legendHeight(entries) + edge));
  // Titles are centred, and have as much room on both sides as on the narrower.
  const room = width + 2 * Math.min(left, wholeWidth - right) - edge;
  const xAt = (value: number): number => left + x.place(value) * width;
  const yAt = (value: number): number => (y.kind === 'Names' ? top + y.place(value) * height : bottom - y.place(value) * height);
  const grid = { stroke: ink, 'stroke-opacity': 0.2 };
  const parts = [
    element('title', {}, title),
    text(title, left, edge + titleSize / 2, { size: titleSize, weight: 600 }),
    ...(x.kind === 'Names' ? [] : x.ticks.map(({ at }) => element('line', { x1: left + at * width, x2: left + at * width, y1: top, y2: bottom, ...grid }))),
    ...(y.kind === 'Names' ? [] : y.ticks.map(({ at }) => element('line', { x1: left, x2: right, y1: bottom - at * height, y2: bottom - at * height, ...grid }))),
    ...yLabels.map(({ at, label }) => text(fitted(label, mostLabel), left - tickGap, y.kind === 'Names' ? top + at * height : bottom - at * height, { anchor: 'end' }, label)),
    ...xLabels.ticks.map(({ at, label }) => (xLabels.turned
      ? text(fitted(label, mostTurnedLabel), left + at * width, bottom + tickGap + 4, { anchor: 'end', turn: -45 }, label)
      : text(label, left + at * width, bottom + tickGap + fontSize / 2, { anchor: 'middle' }))),
    text(fitted(x.title, room), left + width / 2, titleTop + labelHeight / 2, { anchor: 'middle' }, x.title),
    text(fitted(y.title, height + top), edge + fontSize / 2, top + height / 2, { anchor: 'middle', turn: -90 }, y.title),
    ...notes.map((note, line) => text(note, left, titleTop + labelHeight * (line + 1.5) + 4, { size: noteSize })),
    ...(entries.length === 0 ? [] : [legend(entries, right + legendGap, top)]),
  ];
  const border = element('rect', { x: left, y: top, width, height, fill: 'none', stroke: ink, 'stroke-opacity': 0.5 });
  return {
    x: xAt, y: yAt, left, right, top, bottom,
    draw: (...marks) => element('svg', {
      xmlns: 'http://www.w3.org/2000/svg', viewBox: `0 0 ${wholeWidth} ${wholeHeight}`, width: wholeWidth, height: wholeHeight, role: 'img', 'font-family': fontFamily,
    }, ...parts, ...marks, border).markup,
  };
}

interface Labels {
  readonly ticks: readonly Tick[];
  readonly turned: boolean;
  readonly height: number;
}

/** Beside each other where they fit, else turned, and of too many each second, third, … */
function xLabelsFor({ kind, ticks }: Axis, width: number): Labels {
  const widest = Math.max(0, ...ticks.map(({ label }) => widthOf(label)));
  if (kind === 'Numbers') return { ticks: spaced(ticks, width, widest + 8), turned: false, height: fontSize };
  if (widest + 8 <= width / ticks.length) return { ticks, turned: false, height: fontSize };
  return { ticks: spaced(ticks, width, turnedWidth), turned: true, height: Math.min(mostTurnedLabel, widest) * Math.SQRT1_2 + 8 };
}

/** Every so manieth tick, so that labels are at least `apart` pixels from each other. */
function spaced(ticks: readonly Tick[], length: number, apart: number): readonly Tick[] {
  const [first, second] = ticks;
  if (first === undefined || second === undefined) return ticks;
  const each = Math.ceil(apart / (Math.abs(second.at - first.at) * length) - 1e-9);
  return ticks.filter((_, index) => index % each === 0);
}
