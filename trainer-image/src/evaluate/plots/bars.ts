/** Plots that are bars: which features matter, and how scores and errors are spread. */
import { area, curveStepAfter } from 'd3-shape';
import { names, numbers } from '../../report/axes.ts';
import { frame } from '../../report/frame.ts';
import { element } from '../../report/markup.ts';
import { colourOf, ink } from '../../report/style.ts';
import type { Histogram } from '../distribution.ts';
import type { Importance } from '../importance.ts';
import { isLargerBetter } from '../registry.ts';

const mostFeatures = 20;
const barHeight = 20;

/** The most important features, with the deviation over the repeats. */
export function importancePlot(features: readonly Importance[], metric: string): string {
  const shown = features.slice(0, mostFeatures);
  const ends = shown.flatMap(({ mean, deviation }) => [mean - deviation, mean + deviation]);
  const at = frame({
    title: 'Permutation importance',
    x: numbers(`${isLargerBetter(metric) ? 'loss' : 'rise'} of ${metric} when the feature is permuted`, [Math.min(0, ...ends), Math.max(0, ...ends)]),
    y: names('feature', shown.map(({ name }) => name)),
    width: 320,
    height: Math.max(3, shown.length) * barHeight,
    notes: ['Lines: mean ± standard deviation over the repeats.', ...(features.length > shown.length ? [`${features.length - shown.length} less important features are left out.`] : [])],
  });
  return at.draw(
    element('line', { x1: at.x(0), x2: at.x(0), y1: at.top, y2: at.bottom, stroke: ink }),
    ...shown.flatMap(({ mean, deviation }, index) => [
      element('rect', { x: Math.min(at.x(0), at.x(mean)), y: at.y(index) - barHeight * 0.35, width: Math.abs(at.x(mean) - at.x(0)), height: barHeight * 0.7, fill: colourOf(0), 'fill-opacity': 0.8 }),
      element('line', { x1: at.x(mean - deviation), x2: at.x(mean + deviation), y1: at.y(index), y2: at.y(index), stroke: ink, 'stroke-width': 1.5 }),
    ]));
}

/** Each series by its share in the bins, so that a rare class shows beside a frequent one. @param x  title of the axis, with the unit */
export function histogramPlot(histogram: Histogram, title: string, x: string): string {
  const { edges, outside } = histogram;
  const series = histogram.series.map(({ name, rows }) => {
    const all = rows.reduce((sum, count) => sum + count, 0);
    return { name, all, shares: rows.map((count) => (all > 0 ? count / all : 0)) };
  });
  const highest = Math.max(0.01, ...series.flatMap(({ shares }) => shares));
  const single = series.length === 1;
  const at = frame({
    title,
    x: numbers(x, [edges[0] ?? 0, edges.at(-1) ?? 1], { exact: true }),
    y: numbers(single ? 'share of the rows' : 'share of each group\'s rows', [0, highest], { percent: true }),
    height: 220,
    legend: single ? [] : series.map(({ name }, index) => ({ label: name, colour: colourOf(index), mark: 'Box', opacity: 0.45 })),
    notes: outside > 0 ? [`Rows outside: ${Number(outside.toFixed(1))}.`] : [],
  });
  const outline = area<number>().x((_, bin) => at.x(edges[bin] ?? NaN)).y0(at.bottom).y1((share) => at.y(share)).curve(curveStepAfter).digits(1);
  return at.draw(...series.map(({ shares }, index) => element('path', {
    d: outline([...shares, shares.at(-1) ?? 0]) ?? '', fill: colourOf(index), 'fill-opacity': 0.45, stroke: colourOf(index),
  })));
}
