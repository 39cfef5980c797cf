/** What the command line sees of the world. */
export interface Terminal {
  /** Where relative paths begin. */
  readonly directory: string;
  readonly environment: Record<string, string | undefined>;
  /** Columns of standard error where a person looks at it; undefined where it goes to a file. */
  readonly columns: number | undefined;
  /** All of standard input. */
  input(): Promise<string>;
  /** To standard output. */
  print(text: string): void;
  /** To standard error. */
  tell(text: string): void;
  /** Calls back at each wish to stop. */
  onInterrupt(listener: () => void): void;
  /** Milliseconds since 1970. */
  now(): number;
}
