import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** Everything that can be made again: binaries, image layers, clusters. */
export function cacheDir(): string {
  const base = process.env.XDG_CACHE_HOME;
  return join(base === undefined || base === '' ? join(homedir(), '.cache') : base, 'anneal');
}

export const projectRoot = resolve(import.meta.dirname, '../..');

/** Identity of a checkout's cluster: the name that was given, else a short hash of where the checkout lies. */
export function clusterId(name?: string): string {
  if (name !== undefined) return name;
  return createHash('sha256').update(projectRoot).digest('hex').slice(0, 8);
}

/** Folder that holds all of one cluster but its sockets. */
export function clusterDir(id: string): string {
  return join(cacheDir(), 'clusters', id);
}

/** Short on purpose: a socket's path has at most 107 bytes. */
export function socketDir(id: string): string {
  return `/run/anneal-${id}`;
}
