/** Fails unless DuckDB's native half works. */
import { DuckDBInstance } from '@duckdb/node-api';

const connection = await (await DuckDBInstance.create(':memory:')).connect();
process.stdout.write(JSON.stringify((await connection.runAndReadAll('SELECT 6 * 7 AS answer')).getRowsJson()));
