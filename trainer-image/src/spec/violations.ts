/** What is wrong with a value, in the words of the API server. */
import type { Json } from './schema.ts';

export type ViolationKind = 'UnknownField' | 'Required' | 'TypeInvalid' | 'Invalid' | 'NotSupported' | 'Forbidden' | 'TooLong' | 'TooMany' | 'Duplicate';

export interface Violation {
  readonly kind: ViolationKind;
  /** Field, for example `spec.trainer.fit.epochs`; empty for the whole object. */
  readonly at: string;
  /** As the API server words the cause at this field. */
  readonly message: string;
  /** The same as a person wants to read it: the sentence of a rule without what the API server puts before it. */
  readonly sentence: string;
}

/** What the API server calls each kind. */
const titles = {
  UnknownField: 'unknown field',
  Required: 'Required value',
  TypeInvalid: 'Invalid value',
  Invalid: 'Invalid value',
  NotSupported: 'Unsupported value',
  Forbidden: 'Forbidden',
  TooLong: 'Too long',
  TooMany: 'Too many',
  Duplicate: 'Duplicate value',
} as const satisfies Record<ViolationKind, string>;

/** @param value  shown beside; left out for a value that would only be noise */
export function violation(kind: ViolationKind, at: string, detail: string, value?: Json): Violation {
  const shown = value === undefined ? '' : `: ${goText(value)}`;
  const message = `${titles[kind]}${shown}${detail === '' ? '' : `: ${detail}`}`;
  return { kind, at, message, sentence: message };
}

/** What a rule of the schema says about a field. */
export function ruleViolation(kind: ViolationKind, at: string, sentence: string, value?: Json): Violation {
  return { ...violation(kind, at, sentence, value), sentence };
}

/** A value as Go prints it in an error: quoted text, plain numbers, JSON of everything else. */
export function goText(value: Json): string {
  if (typeof value === 'number') return goNumber(value);
  const json = JSON.stringify(value);
  // encoding/json escapes what HTML would read as markup, and two line ends that JavaScript once did not take.
  return typeof value === 'object' ? json.replace(/[<>&\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`) : json;
}

/** Whether the API server holds a number as an int64 rather than as a float64. */
export const isInt64 = (value: number): boolean => Number.isInteger(value) && Math.abs(value) < 2 ** 63;

/** `%v` of an int64 or a float64. */
export const goNumber = (value: number): string => (isInt64(value) ? String(value) : goFloat(value));

/** `%v` of a float64, also of a whole one. */
export function goFloat(value: number): string {
  const [digits = '', exponent = ''] = value.toExponential().split('e');
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(value);
  return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}
