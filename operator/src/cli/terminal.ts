/** What a verb sees of the world. */
export interface Terminal {
  /** Where relative paths begin. */
  readonly directory: string;
  /** All of standard input. */
  input(): Promise<string>;
  /** To standard output. */
  print(text: string): void;
  /** To standard error. */
  tell(text: string): void;
}
