/** CEL as rules of Kubernetes use it: the library's language, and those of Kubernetes' functions that it lacks. */
import { Environment, EvaluationError } from '@marcbachmann/cel-js';
import type { ParseResult } from '@marcbachmann/cel-js';
import { occursIn, regex } from './regex.ts';

type Value = string | number | bigint | boolean;

const smallest = (list: readonly Value[]): Value => list.reduce((best, value) => (value < best ? value : best));
const greatest = (list: readonly Value[]): Value => list.reduce((best, value) => (value > best ? value : best));

function nonEmpty(list: readonly Value[], name: string): readonly Value[] {
  if (list.length === 0) throw new EvaluationError(`${name} called on empty list`);
  return list;
}

/** Of whole numbers, or of others; of nothing it is a whole 0. */
function sum(list: readonly Value[]): Value {
  const others = list.filter((value) => typeof value === 'number');
  return others.length > 0 ? others.reduce((total, value) => total + value, 0) : list.reduce((total: bigint, value) => total + BigInt(value), 0n);
}

/** `k8s.io/apiserver/pkg/cel/library` (lists, regex) and cel-go's `ext.Strings`, as far as a rule on text and lists may want them. */
const functions: readonly (readonly [string, (...args: never[]) => unknown])[] = [
  ['string.occursIn(string): bool', (text: string, pattern: string) => occursIn(pattern, text)],
  ['string.find(string): string', (text: string, pattern: string) => {
    const matcher = regex(pattern).matcher(text);
    return matcher.find() ? matcher.group() : '';
  }],
  ['string.findAll(string): list<string>', (text: string, pattern: string) => {
    const matcher = regex(pattern).matcher(text);
    const found = [];
    while (matcher.find()) found.push(matcher.group());
    return found;
  }],
  ['string.replace(string, string): string', (text: string, from: string, to: string) => text.replaceAll(from, () => to)],
  ['string.charAt(int): string', (text: string, index: bigint) => Array.from(text)[Number(index)] ?? ''],
  ['list.isSorted(): bool', (list: readonly Value[]) => list.every((value, index) => index === 0 || (list[index - 1] ?? value) <= value)],
  ['list.sum(): dyn', sum],
  ['list.min(): dyn', (list: readonly Value[]) => smallest(nonEmpty(list, 'min'))],
  ['list.max(): dyn', (list: readonly Value[]) => greatest(nonEmpty(list, 'max'))],
  ['list.indexOf(dyn): int', (list: readonly Value[], value: Value) => BigInt(list.indexOf(value))],
  ['list.lastIndexOf(dyn): int', (list: readonly Value[], value: Value) => BigInt(list.lastIndexOf(value))],
];

const environment = new Environment().registerVariable('self', 'dyn').registerVariable('oldSelf', 'dyn');
for (const [signature, handler] of functions) environment.registerFunction(signature, handler);

/** The library matches by JavaScript's regular expressions and lets nobody take its place; a text in quotes stays as it is. */
const withRe2 = (expression: string): string => expression.replace(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\.matches\(/g, (found) => (found === '.matches(' ? '.occursIn(' : found));

export interface Expression {
  /** Whether it looks at the object before the change. */
  readonly usesOldSelf: boolean;
  /** @throws Error, for example of a field that is not there */
  evaluate(self: unknown): unknown;
}

/** @throws Error of an expression that is no CEL, or calls what is not there */
export function compile(expression: string): Expression {
  const parsed: ParseResult = environment.parse(withRe2(expression));
  const checked = parsed.check();
  if (!checked.valid) throw checked.error ?? new Error(`${expression} is no CEL.`);
  return { usesOldSelf: /\boldSelf\b/.test(expression), evaluate: (self) => parsed({ self }) as unknown };
}
