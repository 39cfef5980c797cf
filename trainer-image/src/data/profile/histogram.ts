/** How values are spread, in bars with round edges. */
import { scaleLinear, scaleUtc } from 'd3-scale';
import type { Order } from './order.ts';

export interface Histogram {
  /** One more than `counts`, ascending. A bar holds values from its lower edge up to, but not including, its upper one; the last holds both. */
  readonly edges: readonly number[];
  readonly counts: readonly number[];
  /** Values beyond the first and the last edge, where a few far ones would squeeze all others into one bar. */
  readonly below: number;
  readonly above: number;
}

export interface Range {
  readonly least: number;
  readonly greatest: number;
  readonly kind: 'Number' | 'Time';
  /** Whether all values are whole numbers. */
  readonly whole: boolean;
}

const bars = 24;
/** One over the width of a bar must be a number, or d3 finds no edges. */
const narrowest = 1e-300;
/** The range is cut to the middle 99 % where the whole is so many times wider. */
const wide = 2.5;

export function histogramOf(order: Order, range: Range): Histogram {
  const [low, high] = shownRange(order, range);
  const edges = edgesOf(low, high, range);
  const [first = low, last = high] = [edges[0], edges.at(-1)];
  const below = order.below(first);
  // The last bar holds its upper edge: what is above it is what is not less than the next double.
  const above = last >= range.greatest ? 0 : order.count - order.below(last);
  const counts = edges.slice(1).map((edge, bar) => (bar === edges.length - 2 ? order.count - above : order.below(edge)) - order.below(edges[bar] ?? first));
  return { edges, counts, below, above };
}

function shownRange(order: Order, { least, greatest }: Range): [number, number] {
  const [low, high] = [order.quantile(0.005), order.quantile(0.995)];
  const span = high - low;
  return span > 0 && greatest - least > wide * span ? [Math.max(least, low), Math.min(greatest, high)] : [least, greatest];
}

function edgesOf(low: number, high: number, { kind, whole }: Range): number[] {
  if (kind === 'Number' && whole && high - low < 2 * bars) return Array.from({ length: high - low + 2 }, (_, index) => low + index);
  if (high - low < narrowest || !Number.isFinite(high - low)) return [low, high];
  // d3's times are milliseconds; a shorter range is cut like numbers.
  if (kind === 'Time' && high - low >= bars * 1000) {
    const scale = scaleUtc().domain([low / 1000, high / 1000]).nice(bars);
    return covering(scale.domain().map((edge) => edge.getTime() * 1000), scale.ticks(bars).map((tick) => tick.getTime() * 1000));
  }
  const scale = scaleLinear().domain([low, high]).nice(bars);
  return covering(scale.domain(), scale.ticks(bars));
}

/** The ends of the range, and what lies between them. */
function covering([first = 0, last = 0]: readonly number[], ticks: readonly number[]): number[] {
  return [first, ...ticks.filter((tick) => tick > first && tick < last), last];
}
