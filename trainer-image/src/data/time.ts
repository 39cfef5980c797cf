/** Moments as text, and the parts of a calendar date. All in UTC, proleptic Gregorian. */

const isoPattern = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::(\d{2})(?:\.(\d{1,6})\d*)?)?)?(Z|[+-]\d{2}:?\d{2})?$/;

export const microsecondsOfDay = 86_400_000_000;

/** Microseconds since 1970-01-01T00:00:00Z of an ISO 8601 date or date and time, UTC where it names no offset; undefined for any other text. */
export function parseTime(text: string): number | undefined {
  const [, date, minutes = '00:00', seconds = '00', fraction = '', offset = 'Z'] = isoPattern.exec(text.trim()) ?? [];
  if (date === undefined) return undefined;
  const zone = offset === 'Z' || offset.includes(':') ? offset : `${offset.slice(0, 3)}:${offset.slice(3)}`;
  const milliseconds = Date.parse(`${date}T${minutes}:${seconds}${zone}`);
  // Date.parse lets 31 April be 1 May.
  if (Number.isNaN(milliseconds) || new Date(Date.parse(`${date}T00:00:00Z`)).toISOString().slice(0, 10) !== date) return undefined;
  return milliseconds * 1000 + Number(fraction.padEnd(6, '0'));
}

/** Date and time as ISO 8601, to the microsecond where there is a fraction. */
export function formatTime(microseconds: number): string {
  const milliseconds = Math.floor(microseconds / 1000);
  const rest = microseconds - milliseconds * 1000;
  const text = new Date(milliseconds).toISOString();
  return rest === 0 ? text : text.replace('Z', `${String(rest).padStart(3, '0')}Z`);
}

/** Whole days since 1970-01-01. */
export const daysOf = (microseconds: number): number => Math.floor(microseconds / microsecondsOfDay);

export interface CivilDate {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  /** 1 to 31. */
  readonly day: number;
}

/** The date of a day, reckoned in eras of 400 years that begin on 1 March (Hinnant, "chrono-Compatible Low-Level Date Algorithms"). */
export function civil(days: number): CivilDate {
  const sinceMarch = days + 719_468;
  const era = Math.floor(sinceMarch / 146_097);
  const ofEra = sinceMarch - era * 146_097;
  const year = Math.floor((ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365);
  const ofYear = ofEra - (365 * year + Math.floor(year / 4) - Math.floor(year / 100));
  const fromMarch = Math.floor((5 * ofYear + 2) / 153);
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  return { year: era * 400 + year + (month <= 2 ? 1 : 0), month, day: ofYear - Math.floor((153 * fromMarch + 2) / 5) + 1 };
}

/** 1 January of a year, in days since 1970-01-01. */
function newYear(year: number): number {
  const before = year - 1;
  return before * 365 + Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400) - 719_162;
}

/** Monday is 0. */
export const weekday = (days: number): number => (((days + 3) % 7) + 7) % 7;

/** 1 to 366. */
export const dayOfYear = (days: number): number => days - newYear(civil(days).year) + 1;

/** ISO 8601: a week belongs to the year that has its Thursday. 1 to 53. */
export function isoWeek(days: number): number {
  const thursday = days + 3 - weekday(days);
  return Math.floor((dayOfYear(thursday) - 1) / 7) + 1;
}
