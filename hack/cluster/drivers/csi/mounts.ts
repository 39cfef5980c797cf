/** Bind mounts, and what the kernel says of them (proc_pid_mountinfo(5)). */
import { execFile } from 'node:child_process';
import { readFile, realpath } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface MountEntry {
  /** major:minor of the file system. */
  device: string;
  /** The folder of that file system which is mounted. */
  root: string;
  mountPoint: string;
  readOnly: boolean;
}

export async function mountTable(): Promise<MountEntry[]> {
  return parseMountInfo(await readFile('/proc/self/mountinfo', 'utf8'));
}

export function parseMountInfo(text: string): MountEntry[] {
  return text.split('\n').filter(Boolean).map((line) => {
    const [, , device = '', root = '', mountPoint = '', options = ''] = line.split(' ');
    return { device, root: unescape(root), mountPoint: unescape(mountPoint), readOnly: options.split(',').includes('ro') };
  });
}

/** The kernel writes space, tab, newline and backslash as three octal digits. */
function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** The mount seen at exactly this path: the last one, where several lie on each other; undefined also when nothing is there. */
export async function mountAt(path: string): Promise<MountEntry | undefined> {
  const real = await realpath(path).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  });
  return real === undefined ? undefined : (await mountTable()).findLast((entry) => entry.mountPoint === real);
}

/** The mounts that show this folder elsewhere. */
export async function mountsOf(folder: string): Promise<MountEntry[]> {
  return bindsOf(await realpath(folder), await mountTable());
}

export function bindsOf(folder: string, table: MountEntry[]): MountEntry[] {
  const covers = ({ mountPoint }: MountEntry): boolean => mountPoint === '/' || folder === mountPoint || folder.startsWith(`${mountPoint}/`);
  const home = table.filter(covers).reduce<MountEntry | undefined>((best, entry) => (best === undefined || entry.mountPoint.length >= best.mountPoint.length ? entry : best), undefined);
  if (home === undefined) return [];
  const root = join(home.root, relative(home.mountPoint, folder));
  return table.filter((entry) => entry !== home && entry.device === home.device && entry.root === root);
}

/** Shows `source` at the existing folder `target`. Needs CAP_SYS_ADMIN. */
export async function bindMount(source: string, target: string, options: readonly string[]): Promise<void> {
  await run('mount', ['--options', ['bind', ...options].join(','), '--', source, target], { env: { ...process.env, LC_ALL: 'C' } });
}

export async function unmount(target: string): Promise<void> {
  await run('umount', ['--', target], { env: { ...process.env, LC_ALL: 'C' } });
}
