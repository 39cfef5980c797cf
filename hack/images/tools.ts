import { readFile } from 'node:fs/promises';

import { run } from './command.ts';
import type { Say } from './command.ts';
import { ImageError } from './errors.ts';

/** A program, and the Debian package that brings it. */
export interface Tool {
  readonly program: string;
  readonly debianPackage: string;
}

/**
 * Makes sure that the programs are there: installs what is missing as root on Debian and Ubuntu, having said so.
 *
 * @throws ImageError `TOOL_MISSING` with the command to type where it may not install
 */
export async function requireTools(tools: readonly Tool[], say: Say): Promise<void> {
  const missing: Tool[] = [];
  for (const tool of tools) if (!(await has(tool.program))) missing.push(tool);
  if (missing.length === 0) return;
  const packages = missing.map((tool) => tool.debianPackage);
  const names = missing.map((tool) => tool.program).join(', ');
  const command = `apt-get install --no-install-recommends ${packages.join(' ')}`;
  if (!(await isDebian())) {
    throw new ImageError('TOOL_MISSING', `Building images needs ${names}, or a running Docker engine. Install one of the two with your system's package manager.`);
  }
  if (process.getuid?.() !== 0) throw new ImageError('TOOL_MISSING', `Building images needs ${names}. Install with: sudo ${command}`);
  say(`Installing ${names} (${command}) ...`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // Another installation may be going on: wait for it rather than fail.
  const patience = ['-o', 'DPkg::Lock::Timeout=300', '-q'];
  await run('apt-get', [...patience, 'update'], { env, say, doing: 'reading the package lists' });
  await run('apt-get', [...patience, 'install', '-y', '--no-install-recommends', ...packages], { env, say, doing: 'installing' });
}

export async function has(program: string): Promise<boolean> {
  try {
    await run('sh', ['-c', 'command -v "$1"', 'sh', program]);
    return true;
  } catch (error) {
    if (error instanceof ImageError && error.code === 'COMMAND_FAILED') return false;
    throw error;
  }
}

async function isDebian(): Promise<boolean> {
  const release = await osRelease();
  return release.ID === 'debian' || (release.ID_LIKE ?? '').split(' ').includes('debian');
}

/** The fields of os-release(5); empty where the system has no such file. */
export async function osRelease(): Promise<Readonly<Record<string, string>>> {
  let text: string;
  try {
    text = await readFile('/etc/os-release', 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
  const fields = [...text.matchAll(/^([A-Z_]+)=["']?(.*?)["']?$/gm)];
  return Object.fromEntries(fields.map(([, name = '', value = '']) => [name, value]));
}
