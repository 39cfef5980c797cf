/** Plots that are cells: true against predicted. */
import { names, numbers } from '../../report/axes.ts';
import { frame } from '../../report/frame.ts';
import type { Frame } from '../../report/frame.ts';
import type { LegendEntry } from '../../report/legend.ts';
import { text } from '../../report/legend.ts';
import { element, short } from '../../report/markup.ts';
import type { Markup } from '../../report/markup.ts';
import { colourOf, ground, ink, inkOnPale, inkOnStrong, right, widthOf, wrong } from '../../report/style.ts';
import type { Grid } from '../distribution.ts';

/** A rectangle by two opposite corners, in the units of the axes. */
interface Cell {
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
  /** From 1, the palest. */
  readonly level: number;
}

const levels = 10;
const opacityOf = (level: number): number => level / levels;
/** By the square root, so that mistakes, which are rare, differ from each other. */
const levelOf = (share: number): number => Math.max(1, Math.round(Math.sqrt(share) * levels));

/** Shares of a true class below this are not drawn where there are many classes, nor are counts written. */
const leastShare = 0.01;
const mostSide = 460;

/** @param confusion  [true class][predicted class]; cells are shaded by their share of the true class, so that rare classes show as well as frequent ones */
export function confusionPlot(confusion: readonly (readonly number[])[], classes: readonly string[]): string {
  // Whole pixels: sharp, and shorter to write.
  const step = Math.max(4, Math.floor(Math.min(mostSide, Math.max(180, classes.length * 46)) / classes.length));
  const side = step * classes.length;
  const least = step < 12 ? leastShare : 0;
  const at = frame({
    title: 'Confusion', x: names('predicted class', classes), y: names('true class', classes), width: side, height: side,
    legend: [entry('right', right, 1), entry('wrong', wrong, 1), ...[1, 0.25, 0.04].map((share) => entry(`${share * 100} % of the true class`, ink, opacityOf(levelOf(share))))],
    notes: least > 0 ? ['Less than 1 % of a true class is left blank.'] : [],
  });
  const cells = confusion.flatMap((row, truth) => {
    const all = row.reduce((sum, rows) => sum + rows, 0);
    return row.flatMap((rows, predicted) => (rows > 0 && rows / all >= least ? [{ truth, predicted, rows, share: rows / all, level: levelOf(rows / all) }] : []));
  });
  const near = ({ truth, predicted, level }: (typeof cells)[number]): Cell => ({ x: [predicted - 0.5, predicted + 0.5], y: [truth - 0.5, truth + 0.5], level });
  const labelled = cells.map((cell) => ({ ...cell, label: amount(cell.rows) })).filter(({ label }) => widthOf(label) + 4 <= step && step >= 16);
  return at.draw(
    ...(labelled.length > 0 ? [element('rect', { x: at.left, y: at.top, width: side, height: side, fill: ground })] : []),
    ...shaded(at, cells.filter(({ truth, predicted }) => truth === predicted).map(near), right),
    ...shaded(at, cells.filter(({ truth, predicted }) => truth !== predicted).map(near), wrong),
    ...labelled.map(({ truth, predicted, level, label }) => text(label, at.x(predicted), at.y(truth), { anchor: 'middle', fill: opacityOf(level) > 0.8 ? inkOnStrong : inkOnPale })));
}

const entry = (label: string, colour: string, opacity: number): LegendEntry => ({ label, colour, opacity, mark: 'Box' });

/** Weights need not be whole. */
const amount = (rows: number): string => (rows >= 1e5 ? `${Math.round(rows / 1000)}k` : String(Number(rows.toFixed(1))));

/** @param target  name of the column that is predicted, with its unit where it has one */
export function predictedPlot(grid: Grid, target: string): string {
  const at = gridFrame(grid, 'Predicted by true values', `true ${target}`, `predicted ${target}`, 300, 300);
  const ends = [grid.xEdges[0] ?? 0, grid.xEdges.at(-1) ?? 1] as const;
  return at.draw(...cellsOf(at, grid), guideLine(at, [ends[0], ends[0]], [ends[1], ends[1]]));
}

export function residualPlot(grid: Grid, target: string): string {
  const at = gridFrame(grid, 'Errors by predicted values', `predicted ${target}`, `error of ${target}, predicted − true`, 360, 260);
  return at.draw(...cellsOf(at, grid), guideLine(at, [grid.xEdges[0] ?? 0, 0], [grid.xEdges.at(-1) ?? 1, 0]));
}

function gridFrame(grid: Grid, title: string, x: string, y: string, width: number, height: number): Frame {
  const most = mostRows(grid);
  const shown = [1, 4, 7, levels].map((level) => ({ level, from: Math.max(1, Math.ceil((most + 1) ** ((level - 0.5) / levels) - 1)) }));
  return frame({
    title, width, height,
    x: numbers(x, [grid.xEdges[0] ?? 0, grid.xEdges.at(-1) ?? 1], { exact: true }),
    y: numbers(y, [grid.yEdges[0] ?? 0, grid.yEdges.at(-1) ?? 1], { exact: true }),
    legend: shown.filter(({ from }, index) => from > (shown[index - 1]?.from ?? 0)).map(({ level, from }) => entry(`≥ ${amount(from)} row${from > 1 ? 's' : ''}`, colourOf(0), opacityOf(level))),
    notes: ['On the line there is no error.', ...(grid.outside > 0 ? [`Rows outside: ${amount(grid.outside)}.`] : [])],
  });
}

const mostRows = ({ rows }: Grid): number => Math.max(1, ...rows.flat());

/** By the logarithm of the rows, so that a cell with one row shows beside one with a thousand. */
function cellsOf(at: Frame, { xEdges, yEdges, rows }: Grid): Markup[] {
  const most = mostRows({ xEdges, yEdges, rows, outside: 0 });
  const cells = rows.flatMap((line, y) => line.flatMap((count, x): Cell[] => (count > 0 ? [{
    x: [xEdges[x] ?? NaN, xEdges[x + 1] ?? NaN],
    y: [yEdges[y] ?? NaN, yEdges[y + 1] ?? NaN],
    level: Math.max(1, Math.round((levels * Math.log1p(count)) / Math.log1p(most))),
  }] : [])));
  return shaded(at, cells, colourOf(0));
}

/** One path a level, and neighbours in a line as one: thousands of rectangles would each repeat how they look. */
function shaded(at: Frame, cells: readonly Cell[], fill: string): Markup[] {
  return Array.from({ length: levels }, (_, index) => index + 1).flatMap((level) => {
    const corners = joined(cells.filter((cell) => cell.level === level)).map(({ x: [x1, x2], y: [y1, y2] }) => {
      const [left, top] = [Math.min(at.x(x1), at.x(x2)), Math.min(at.y(y1), at.y(y2))];
      const [width, height] = [Math.abs(at.x(x2) - at.x(x1)), Math.abs(at.y(y2) - at.y(y1))];
      return `M${short(left)} ${short(top)}h${short(width)}v${short(height)}h${short(-width)}z`;
    });
    return corners.length === 0 ? [] : [element('path', { d: corners.join(''), fill, 'fill-opacity': opacityOf(level) })];
  });
}

/** @param cells  line by line, each from its left */
function joined(cells: readonly Cell[]): Cell[] {
  const wide: Cell[] = [];
  for (const cell of cells) {
    const before = wide.at(-1);
    if (before?.y[0] === cell.y[0] && before.x[1] === cell.x[0]) wide[wide.length - 1] = { ...before, x: [before.x[0], cell.x[1]] };
    else wide.push(cell);
  }
  return wide;
}

const guideLine = (at: Frame, [x1, y1]: readonly [number, number], [x2, y2]: readonly [number, number]): Markup => element('line', { x1: at.x(x1), x2: at.x(x2), y1: at.y(y1), y2: at.y(y2), stroke: wrong });
