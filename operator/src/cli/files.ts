/** Manifests from files, folders and standard input. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import type { Terminal } from './terminal.ts';

/** Something that the user typed and that cannot be done, said in one sentence. */
export class InputError extends Error {
  readonly code = 'CLI_BAD_INPUT';
}

export interface InputFile {
  /** As the user would name it. */
  readonly name: string;
  readonly text: string;
}

const manifests = /\.(ya?ml|json)$/;

/** @param path  a file, a folder (its manifests and those of the folders below), or "-" */
export async function readInput(path: string, terminal: Terminal): Promise<readonly InputFile[]> {
  if (path === '-') return [{ name: 'standard input', text: await terminal.input() }];
  const absolute = resolve(terminal.directory, path);
  try {
    if (!(await stat(absolute)).isDirectory()) return [{ name: path, text: await readFile(absolute, 'utf8') }];
    const names = (await readdir(absolute, { recursive: true })).filter((name) => manifests.test(name)).sort();
    if (names.length === 0) throw new InputError(`The folder ${path} holds no file that ends in .yaml, .yml or .json.`);
    return await Promise.all(names.map(async (name) => ({ name: join(path, name), text: await readFile(join(absolute, name), 'utf8') })));
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}.`, { cause: error });
  }
}

export async function readAll(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
