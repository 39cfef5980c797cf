/**
 * Regular expressions of RE2, which take time in proportion to the text whatever the pattern; V8's may take years. The engine is DuckDB's,
 * so that a pattern means the same here as in an expression of a derive step.
 */
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { AnnealError } from '../../errors.ts';

/** Loaded when a pattern is written: it is a large library, and a server never needs it. */
const engine = (): Promise<typeof import('@duckdb/node-api')> => import('@duckdb/node-api');

/** Texts that cross to the engine at once. */
const batch = 4096;

export class Pattern implements Disposable {
  readonly #pattern: string;
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  /** A dictionary is often shared by all blocks of a column. */
  readonly #known = new WeakMap<readonly string[], Uint8Array>();

  private constructor(pattern: string, instance: DuckDBInstance, connection: DuckDBConnection) {
    this.#pattern = pattern;
    this.#instance = instance;
    this.#connection = connection;
  }

  /** @param at  field of the manifest. @throws AnnealError `SPEC_INVALID` for what is no pattern */
  static async open(pattern: string, at: string): Promise<Pattern> {
    const instance = await (await engine()).DuckDBInstance.create(':memory:', { threads: '1' });
    const opened = new Pattern(pattern, instance, await instance.connect());
    try {
      await opened.#ask(['']);
      return opened;
    } catch (error) {
      opened[Symbol.dispose]();
      throw new AnnealError('SPEC_INVALID', { at, message: `"${pattern}" is no regular expression of RE2 (${reasonOf(error)}). RE2 has neither look-around nor back-references; write one without.`, cause: error });
    }
  }

  /** 1 for each text that the pattern is found in. */
  async matches(texts: readonly string[]): Promise<Uint8Array> {
    const known = this.#known.get(texts);
    if (known !== undefined) return known;
    const found = new Uint8Array(texts.length);
    for (let from = 0; from < texts.length; from += batch) {
      (await this.#ask(texts.slice(from, from + batch))).forEach((matches, place) => (found[from + place] = matches === true ? 1 : 0));
    }
    this.#known.set(texts, found);
    return found;
  }

  async #ask(texts: readonly string[]): Promise<readonly unknown[]> {
    const { DuckDBListValue, LIST, VARCHAR, listValue } = await engine();
    const answer = await this.#connection.runAndReadAll('select list_transform($texts, lambda text: regexp_matches(text, $pattern))', { texts: listValue(texts), pattern: this.#pattern }, { texts: LIST(VARCHAR), pattern: VARCHAR });
    const list = answer.getRows()[0]?.[0];
    return list instanceof DuckDBListValue ? list.items : [];
  }

  [Symbol.dispose](): void {
    this.#connection.closeSync();
    this.#instance.closeSync();
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).replace(/^Invalid Input Error: /, '');
