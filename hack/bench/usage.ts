/** Says one line to the person who waits. */
export type Say = (line: string) => void;

export interface Benchmark {
  readonly name: string;
  readonly about: string;
  /** Each option with its meaning, one a line. */
  readonly options: readonly string[];
  /** Returns what the line of JSON holds. Throws a `UsageError` for options that it does not know. */
  run(args: readonly string[], say: Say): Promise<object>;
}

export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'USAGE';
}
