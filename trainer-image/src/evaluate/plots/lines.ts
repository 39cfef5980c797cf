/** Plots that are lines: how learning went, and what a score can tell apart. */
import { line } from 'd3-shape';
import { logarithmic, numbers } from '../../report/axes.ts';
import type { Axis } from '../../report/axes.ts';
import { frame } from '../../report/frame.ts';
import type { Frame } from '../../report/frame.ts';
import type { LegendEntry } from '../../report/legend.ts';
import { element } from '../../report/markup.ts';
import type { Markup } from '../../report/markup.ts';
import { colourOf, dashOf, ink } from '../../report/style.ts';
import type { CalibrationBin } from '../calibration.ts';
import type { Curve } from '../curves.ts';
import type { Metrics } from '../measure.ts';
import { isLargerBetter } from '../registry.ts';

type Point = readonly [x: number, y: number];

const square = { width: 300, height: 300 } as const;
const share = [0, 1] as const;
const guide = { stroke: ink, 'stroke-dasharray': '4 4', 'stroke-width': 1 } as const;

/** @param names  classes in the order of their colours */
export function rocPlot(curves: readonly Curve[]): string {
  const axes = { x: numbers('false positive rate', share, { percent: true }), y: numbers('true positive rate', share, { percent: true }) };
  const at = frame({ title: 'ROC', ...axes, ...square, legend: [...legendOf(curves, 'AUC'), { label: 'chance', colour: ink, mark: 'Line', dash: guide['stroke-dasharray'] }] });
  return at.draw(straight(at, [0, 0], [1, 1]), ...curves.map((curve, index) => curveOf(at, curve, index)));
}

/** @param prevalence  share of the class in the rows, where the curves are of one class: the precision of chance */
export function precisionRecallPlot(curves: readonly Curve[], prevalence?: number): string {
  const axes = { x: numbers('recall', share, { percent: true }), y: numbers('precision', share, { percent: true }) };
  const chance: LegendEntry[] = prevalence === undefined ? [] : [{ label: 'chance', colour: ink, mark: 'Line', dash: guide['stroke-dasharray'] }];
  const at = frame({ title: 'Precision and recall', ...axes, ...square, legend: [...legendOf(curves, 'AP'), ...chance] });
  return at.draw(...(prevalence === undefined ? [] : [straight(at, [0, prevalence], [1, prevalence])]), ...curves.map((curve, index) => curveOf(at, curve, index)));
}

/** @param of  whose probability; of the predicted class where unset */
export function calibrationPlot({ bins, error }: { readonly bins: readonly CalibrationBin[]; readonly error: number }, of?: string): string {
  const filled = bins.filter(({ rows }) => rows > 0);
  const most = Math.max(...filled.map(({ rows }) => rows));
  const at = frame({
    title: `Calibration, expected error ${error.toFixed(3)}`,
    x: numbers(`mean probability of ${of === undefined ? 'the predicted class' : `"${of}"`}`, share, { percent: true }),
    y: numbers('rows for which it came true', share, { percent: true }),
    ...square,
    notes: ['Areas of the points are in proportion to the rows.'],
    legend: [{ label: 'the model', colour: colourOf(0), mark: 'Line' }, { label: 'perfect', colour: ink, mark: 'Line', dash: guide['stroke-dasharray'] }],
  });
  const points = filled.map(({ predicted, observed }): Point => [predicted, observed]);
  return at.draw(
    straight(at, [0, 0], [1, 1]),
    path(at, points, { stroke: colourOf(0) }),
    ...filled.map(({ predicted, observed, rows }) => element('circle', { cx: at.x(predicted), cy: at.y(observed), r: 2 + 6 * Math.sqrt(rows / most), fill: colourOf(0), 'fill-opacity': 0.6 })));
}

/** Pixels; within each column a line is drawn by four points. */
const columnWidth = 2;
/** Up to this many epochs each is marked: a line through one point is none. */
const mostMarks = 30;

/**
 * One metric over the epochs, for the training and the validation rows.
 * @param history  metrics of each epoch, from the first
 * @param chosenEpoch  from 1; the one whose weights the model has
 */
export function learningPlot(history: readonly Metrics[], metric: string, chosenEpoch?: number): string {
  const series = [['training', metric], ['validation', `val_${metric}`]].map(([label = '', name = ''], index) => ({
    label, index, points: history.flatMap((metrics, epoch): Point[] => (Number.isFinite(metrics[name]) ? [[epoch + 1, metrics[name] ?? NaN]] : [])),
  })).filter(({ points }) => points.length > 0);
  const at = frame({
    title: `Learning: ${metric}`,
    x: numbers('epoch', [1, Math.max(1, history.length)], { whole: true, exact: true }),
    y: valueAxis(metric, series.flatMap(({ points }) => points.map(([, value]) => value))),
    legend: [
      ...series.map(({ label, index }): LegendEntry => ({ label, colour: colourOf(index), mark: 'Line' })),
      ...(chosenEpoch === undefined ? [] : [{ label: `epoch ${chosenEpoch}, chosen`, colour: ink, mark: 'Line', dash: guide['stroke-dasharray'] } as const]),
    ],
  });
  return at.draw(
    ...(chosenEpoch === undefined ? [] : [element('line', { x1: at.x(chosenEpoch), x2: at.x(chosenEpoch), y1: at.top, y2: at.bottom, ...guide })]),
    ...series.flatMap(({ points, index }) => [
      path(at, thinned(at, points), { stroke: colourOf(index) }),
      ...(points.length <= mostMarks ? points.map(([x, y]) => element('circle', { cx: at.x(x), cy: at.y(y), r: 2.5, fill: colourOf(index) })) : []),
    ]));
}

/** Losses fall over powers of ten, where a linear axis shows the first epochs alone. */
function valueAxis(metric: string, values: readonly number[]): Axis {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return !isLargerBetter(metric) && low > 0 && high / low > 20 ? logarithmic(metric, [low, high]) : numbers(metric, values.length > 0 ? [low, high] : share);
}

/**
 * First, lowest, highest and last point of each column: thousands of noisy epochs look as if all were drawn.
 * Jugel et al. (2014), "M4: a visualization-oriented time series data aggregation".
 */
function thinned(at: Frame, points: readonly Point[]): readonly Point[] {
  const columns = Map.groupBy(points, ([x]) => Math.floor(at.x(x) / columnWidth));
  return [...columns.values()].flatMap((column) => {
    const values = column.map(([, y]) => y);
    const kept = new Set([0, values.indexOf(Math.min(...values)), values.indexOf(Math.max(...values)), column.length - 1]);
    return column.filter((_, place) => kept.has(place));
  });
}

const nameOf = (curve: Curve, curves: readonly Curve[]): string => curve.class ?? (curves.length > 1 ? 'mean of all classes' : 'mean');

const legendOf = (curves: readonly Curve[], area: string): LegendEntry[] => curves.map((curve, index) => ({
  label: `${area} ${curve.area.toFixed(3)}  ${nameOf(curve, curves)}`, colour: colourOf(index), dash: dashOf(index), mark: 'Line',
}));

const curveOf = (at: Frame, { x, y }: Curve, index: number): Markup => path(at, x.map((value, place): Point => [value, y[place] ?? NaN]), { stroke: colourOf(index), 'stroke-dasharray': dashOf(index) });

function path(at: Frame, points: readonly Point[], attributes: Readonly<Record<string, string | undefined>>): Markup {
  const made = line<Point>().x(([x]) => at.x(x)).y(([, y]) => at.y(y)).digits(1);
  return element('path', { d: made(points) ?? '', fill: 'none', 'stroke-width': 1.75, 'stroke-linejoin': 'round', ...attributes });
}

const straight = (at: Frame, [x1, y1]: Point, [x2, y2]: Point): Markup => element('line', { x1: at.x(x1), x2: at.x(x2), y1: at.y(y1), y2: at.y(y2), ...guide });
