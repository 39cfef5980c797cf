/** Takes moments apart into numbers, in UTC: a column NAME_part for each part. A missing moment has missing parts. */
import { AnnealError } from '../../errors.ts';
import { civil, dayOfYear, daysOf, isoWeek, microsecondsOfDay, weekday } from '../time.ts';
import type { Column, NumberColumn } from '../table.ts';
import { chosen, namesOf, replaceEach } from './columns.ts';
import type { StepKind } from './step.ts';

export interface DatesSpec {
  readonly columns?: readonly string[];
  readonly parts: readonly DatePart[];
  /** Gives parts that come round again as a point on a circle, NAME_part_sin and NAME_part_cos, so that December is next to January. */
  readonly cyclic: boolean;
}

export type DatePart = 'Year' | 'Month' | 'Day' | 'DayOfWeek' | 'Hour' | 'Minute' | 'DayOfYear' | 'Week' | 'IsWeekend' | 'EpochDays';

export interface FittedDates {
  readonly kind: 'Dates';
  readonly parts: readonly DatePart[];
  readonly cyclic: boolean;
  readonly columns: readonly { readonly name: string }[];
}

interface PartKind {
  readonly suffix: string;
  /** Of microseconds since 1970. */
  readonly of: (moment: number) => number;
  /** The first value and the number of values, of parts that come round again. */
  readonly round?: { readonly first: number; readonly count: number };
}

const timeOfDay = (moment: number, unit: number): number => Math.floor((moment - daysOf(moment) * microsecondsOfDay) / unit);

const partKinds: Readonly<Record<DatePart, PartKind>> = {
  Year: { suffix: 'year', of: (moment) => civil(daysOf(moment)).year },
  Month: { suffix: 'month', of: (moment) => civil(daysOf(moment)).month, round: { first: 1, count: 12 } },
  Day: { suffix: 'day', of: (moment) => civil(daysOf(moment)).day, round: { first: 1, count: 31 } },
  DayOfWeek: { suffix: 'day_of_week', of: (moment) => weekday(daysOf(moment)), round: { first: 0, count: 7 } },
  Hour: { suffix: 'hour', of: (moment) => timeOfDay(moment, 3_600_000_000), round: { first: 0, count: 24 } },
  Minute: { suffix: 'minute', of: (moment) => timeOfDay(moment, 60_000_000) % 60, round: { first: 0, count: 60 } },
  DayOfYear: { suffix: 'day_of_year', of: (moment) => dayOfYear(daysOf(moment)), round: { first: 1, count: 366 } },
  Week: { suffix: 'week', of: (moment) => isoWeek(daysOf(moment)), round: { first: 1, count: 53 } },
  IsWeekend: { suffix: 'is_weekend', of: (moment) => (weekday(daysOf(moment)) >= 5 ? 1 : 0) },
  EpochDays: { suffix: 'epoch_days', of: (moment) => moment / microsecondsOfDay },
};

export const dates: StepKind<DatesSpec, FittedDates> = {
  fit: ({ columns, parts, cyclic }, { frame, at }) => {
    const found = chosen(frame, columns, ({ kind }) => kind === 'Time', at);
    const other = found.find(({ kind }) => kind !== 'Time');
    if (other !== undefined) throw new AnnealError('SPEC_COLUMN_KIND', { at, message: `dates needs times, and column "${other.name}" is ${other.kind === 'Text' ? 'text' : 'numbers'}. Leave it out, or make a time of it in a step - derive before.` });
    return Promise.resolve({ step: { kind: 'Dates', parts, cyclic, columns: found.map(({ name }) => ({ name })) } });
  },
  apply: ({ parts, cyclic, columns }) => replaceEach(new Map(columns.map(({ name }) => [name, (column) => parts.flatMap((part) => partColumns(column, partKinds[part], cyclic))]))),
  reads: namesOf,
  joint: false,
};

function partColumns(column: Column, { suffix, of, round }: PartKind, cyclic: boolean): NumberColumn[] {
  if (column.kind !== 'Time') return [];
  const name = `${column.name}_${suffix}`;
  const values = new Float64Array(column.values.length);
  for (let row = 0; row < values.length; row++) {
    const moment = column.values[row] ?? NaN;
    values[row] = Number.isNaN(moment) ? NaN : of(moment);
  }
  if (!cyclic || round === undefined) return [{ kind: 'Number', name, values }];
  const [sine, cosine] = [new Float64Array(values.length), new Float64Array(values.length)];
  for (let row = 0; row < values.length; row++) {
    const angle = (2 * Math.PI * ((values[row] ?? NaN) - round.first)) / round.count;
    sine[row] = Math.sin(angle);
    cosine[row] = Math.cos(angle);
  }
  return [{ kind: 'Number', name: `${name}_sin`, values: sine }, { kind: 'Number', name: `${name}_cos`, values: cosine }];
}
