/** DuckDB in this process, shut in: it reads the named files and its own spill folder, takes no other configuration, and loads nothing. */
import { DuckDBInstance } from '@duckdb/node-api';
import type { DuckDBConnection } from '@duckdb/node-api';

export interface DuckOptions {
  readonly threads: number;
  readonly memoryBytes: number;
  /** Where it puts what does not fit into its memory. */
  readonly temporary: string;
  /** The only files that it may open. */
  readonly files: readonly string[];
}

export interface Duck extends Disposable {
  readonly connection: DuckDBConnection;
}

export async function openDuck({ threads, memoryBytes, temporary, files }: DuckOptions): Promise<Duck> {
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(Math.max(1, threads)),
    memory_limit: `${Math.floor(memoryBytes / 1024)}KiB`,
    temp_directory: temporary,
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const connection = await instance.connect();
  await connection.run(`SET allowed_paths = [${files.map(literal).join(', ')}]; SET enable_external_access = false; SET lock_configuration = true`);
  return {
    connection,
    [Symbol.dispose]: () => {
      connection.disconnectSync();
      instance.closeSync();
    },
  };
}

/** A text in SQL. */
export const literal = (text: string): string => `'${text.replaceAll('\'', '\'\'')}'`;
/** A name in SQL. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;
