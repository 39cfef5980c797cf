import { execFile } from 'node:child_process';
import { readdir, lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { RpcError } from '../grpc.ts';

const run = promisify(execFile);
const attempts = 5;

/**
 * Copies a folder as it was at one moment, sharing blocks where the file system can. A directory cannot be frozen, so the copy is
 * repeated until nothing in the source changed meanwhile; without this a snapshot could hold half of two checkpoints.
 * @throws {RpcError} ABORTED, which callers of CSI repeat, when the source never stood still
 */
export async function copyAtOneMoment(source: string, target: string): Promise<void> {
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const before = await fingerprint(source);
    await emptyFolder(target);
    const failure = await run('cp', ['--archive', '--reflink=auto', '--', `${source}/.`, target]).then(() => undefined, (error: unknown) => error);
    const stoodStill = (await fingerprint(source)) === before;
    if (stoodStill && failure === undefined) return;
    if (stoodStill) throw failure;
  }
  throw new RpcError('ABORTED', `Files changed during each of ${attempts} copies. Let the writer pause, or try again.`);
}

async function emptyFolder(folder: string): Promise<void> {
  await run('find', [folder, '-mindepth', '1', '-delete']);
}

/** Path, inode, size and times of every entry: differs whenever a file was written, renamed, added or removed. */
async function fingerprint(folder: string): Promise<string> {
  const names = await readdir(folder, { recursive: true });
  const lines = await Promise.all(['.', ...names.sort()].map(async (name) => {
    const seen = await lstat(join(folder, name), { bigint: true }).catch(goneMeanwhile);
    return seen === undefined ? `${name} gone` : `${name} ${seen.ino} ${seen.size} ${seen.mtimeNs} ${seen.ctimeNs}`;
  }));
  return lines.join('\n');
}

function goneMeanwhile(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}
