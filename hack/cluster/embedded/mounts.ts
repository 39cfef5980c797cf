import { readFile } from 'node:fs/promises';
import { attempt, run } from '../commands.ts';

export interface Mount {
  readonly path: string;
  readonly type: string;
}

/** What is mounted on this machine, in the order in which it was. */
export async function mounts(): Promise<Mount[]> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).trimEnd().split('\n');
  return lines.map((line) => {
    const [left = '', right = ''] = line.split(' - ');
    return { path: unescape(left.split(' ')[4] ?? ''), type: right.split(' ')[0] ?? '' };
  });
}

/** The kernel writes a space in a path as \040. */
function unescape(path: string): string {
  return path.replaceAll(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** Unmounts everything at or below the folders, last mounted first. */
export async function unmountBelow(folders: readonly string[]): Promise<void> {
  const below = (await mounts()).map(({ path }) => path).filter((path) => folders.some((folder) => path === folder || path.startsWith(`${folder}/`)));
  for (const path of below.reverse()) {
    // A mount that is shared into two places goes from both at once; then the second is gone already.
    if ((await attempt('umount', [path])).code === 0) continue;
    if ((await mounts()).some((mount) => mount.path === path)) await run('umount', ['--lazy', path]);
  }
}
