import { parseArgs } from 'node:util';
import { UsageError } from './usage.ts';

/** `--name VALUE` options as text. Throws a `UsageError` for any other argument. */
export function textOptions<N extends string>(args: readonly string[], names: readonly N[]): Partial<Record<N, string>> {
  try {
    const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
    return parseArgs({ args: [...args], options }).values as Partial<Record<N, string>>;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

export function countOption(option: string, text: string, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > most) throw new UsageError(`${option} is "${text}"; write a whole number from 1 to ${most}.`);
  return value;
}
