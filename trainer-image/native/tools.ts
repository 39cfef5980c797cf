/** The programs that building the native backend needs, and what to type where one is missing. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

interface Tool {
  readonly name: string;
  readonly probe: readonly [string, ...string[]];
  readonly debian: readonly string[];
}

const tools: readonly Tool[] = [
  { name: 'Python 3 with pip', probe: ['python3', '-m', 'pip', '--version'], debian: ['python3', 'python3-pip'] },
  { name: 'g++', probe: ['g++', '--version'], debian: ['g++'] },
  { name: 'strip (binutils)', probe: ['strip', '--version'], debian: ['binutils'] },
];

const works = ([program, ...args]: Tool['probe']): boolean => spawnSync(program, args, { stdio: 'ignore' }).status === 0;

/**
 * Returns once every tool is there. On Debian as root it installs what is missing, and says so first.
 * @throws an Error whose message names the missing tools and the command that installs them
 */
export function requireTools(mayInstall: boolean, say: (line: string) => void): void {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(`The native TensorFlow backend is built for Linux on x86-64, and this is ${process.platform} on ${process.arch}. Use the trainer image instead.`);
  }
  let missing = tools.filter((tool) => !works(tool.probe));
  if (missing.length === 0) return;
  const packages = missing.flatMap((tool) => tool.debian);
  if (mayInstall && process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
    say(`Installing ${packages.join(', ')} with apt-get; the native TensorFlow backend is built with them ...`);
    spawnSync('apt-get', ['update', '-qq'], { stdio: ['ignore', 'ignore', 'inherit'] });
    spawnSync('apt-get', ['install', '-qq', '-y', '--no-install-recommends', ...packages], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    missing = tools.filter((tool) => !works(tool.probe));
    if (missing.length === 0) return;
  }
  throw new Error(`Missing: ${missing.map((tool) => tool.name).join(', ')}. On Debian or Ubuntu run: apt-get install -y ${packages.join(' ')}`);
}
