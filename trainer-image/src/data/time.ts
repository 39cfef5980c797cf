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
