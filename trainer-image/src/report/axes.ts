/** Axes: where a value stands, from 0 to 1 along the axis, and the ticks to read it by. */
import { scaleLinear, scaleLog } from 'd3-scale';

export interface Tick {
  readonly at: number;
  readonly label: string;
}

export interface Axis {
  /** What, and in which unit. */
  readonly title: string;
  readonly ticks: readonly Tick[];
  /** From 0 to 1. */
  readonly place: (value: number) => number;
  /** Names stand in the middle of bands and are read from the top down. */
  readonly kind: 'Numbers' | 'Names';
}

export interface NumberOptions {
  /** Values are shares, read as percent. */
  readonly percent?: boolean;
  /** Only whole numbers are marked. */
  readonly whole?: boolean;
  /** The axis ends at the domain itself, not at the next round numbers. */
  readonly exact?: boolean;
}

const tickCount = 6;

/** The range, or a wider one about it where its ends are too near each other for a double to have round numbers between them. */
export function divisible(low: number, high: number): readonly [number, number] {
  const largest = Math.max(Math.abs(low), Math.abs(high));
  if (high - low > 1e-9 * largest && high - low > 1e-300) return [low, high];
  const margin = largest > 1e-300 ? largest / 10 : 1;
  return [low - margin, high + margin];
}

export function numbers(title: string, [low, high]: readonly [number, number], { percent = false, whole = false, exact = false }: NumberOptions = {}): Axis {
  const scale = scaleLinear().domain(divisible(low, high));
  if (!exact) scale.nice(tickCount);
  const ticks = scale.ticks(tickCount).filter((tick) => !whole || Number.isInteger(tick));
  const largest = Math.max(...scale.domain().map(Math.abs));
  const format = scale.tickFormat(tickCount, percent ? '~%' : whole ? 'd' : largest >= 1e5 ? '~s' : largest < 1e-3 ? '~e' : undefined);
  return { title, kind: 'Numbers', place: (value) => scale(value), ticks: ticks.map((tick) => ({ at: scale(tick), label: tick === 0 && !percent ? '0' : format(tick) })) };
}

/** For positive values over several powers of ten. */
export function logarithmic(title: string, [low, high]: readonly [number, number]): Axis {
  const scale = scaleLog().domain([low / 1.1, high * 1.1]);
  const format = scale.tickFormat(tickCount, '~g');
  const ticks = scale.ticks(tickCount).map((tick) => ({ at: scale(tick), label: format(tick) }));
  return { title: `${title} (logarithmic)`, kind: 'Numbers', place: (value) => scale(value), ticks: ticks.filter(({ label }) => label !== '') };
}

/** `place` takes the index of a name. */
export const names = (title: string, of: readonly string[]): Axis => ({
  title,
  kind: 'Names',
  place: (index) => (index + 0.5) / of.length,
  ticks: of.map((label, index) => ({ at: (index + 0.5) / of.length, label })),
});
