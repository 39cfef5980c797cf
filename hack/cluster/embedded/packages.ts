import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { attempt, exists } from '../commands.ts';
import { ClusterError } from '../errors.ts';
import { say } from '../progress.ts';
import { cniPlugins } from './nodeconfig.ts';

/** What a node needs from the machine, by Debian's names. */
const parts: readonly { readonly package: string; readonly there: () => Promise<boolean> }[] = [
  { package: 'containerd', there: async () => exists('containerd') },
  { package: 'runc', there: async () => exists('runc') },
  { package: 'containernetworking-plugins', there: () => Promise.resolve(cniPlugins() !== undefined) },
  { package: 'iptables', there: async () => exists('iptables') },
  { package: 'conntrack', there: async () => exists('conntrack') },
  { package: 'iproute2', there: async () => exists('ip') },
  { package: 'util-linux', there: async () => exists('nsenter') },
  { package: 'mount', there: async () => exists('mount') },
];

export async function missingPackages(): Promise<string[]> {
  const there = await Promise.all(parts.map(async (part) => part.there()));
  return parts.filter((_, index) => there[index] !== true).map((part) => part.package);
}

export async function isDebian(): Promise<boolean> {
  if (!existsSync('/etc/os-release')) return false;
  return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(await readFile('/etc/os-release', 'utf8'));
}

/** Installs what is missing, after saying so; without the rights for it, says which command does. */
export async function ensurePackages(): Promise<void> {
  const missing = await missingPackages();
  if (missing.length === 0) return;
  const command = `apt-get install -y --no-install-recommends ${missing.join(' ')}`;
  if (process.getuid?.() !== 0 || !(await isDebian())) {
    throw new ClusterError('PACKAGES_MISSING', `A node needs ${missing.join(', ')}, which this machine lacks. Install with: sudo ${command}`);
  }
  say(`Installing ${missing.join(', ')} with apt-get ...`);
  const hadContainerd = await exists('containerd');
  await aptGet(['update', '-q']);
  await aptGet(['install', '-y', '-q', '--no-install-recommends', ...missing]);
  // The package starts a service that nobody asked for; our nodes run a containerd of their own.
  if (!hadContainerd && (await exists('systemctl'))) await attempt('systemctl', ['disable', '--now', 'containerd']);
}

async function aptGet(args: readonly string[]): Promise<void> {
  const result = await attempt('apt-get', args, { env: { DEBIAN_FRONTEND: 'noninteractive' } });
  if (result.code !== 0) throw new ClusterError('PACKAGES_MISSING', `apt-get ${args.join(' ')} failed:\n${result.stderr.trim().split('\n').slice(-5).join('\n')}`);
}
