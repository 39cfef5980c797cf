import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { attempt, exists } from '../commands.ts';
import { ClusterError } from '../errors.ts';
import { imageNames, importArchive } from './ctr.ts';
import type { NodeLayout } from './layout.ts';

/** Gives all nodes the images of an archive. A node that has had this very archive, and still has its images, is left alone. */
export async function loadArchive(nodes: readonly NodeLayout[], archive: string): Promise<{ readonly names: string[]; readonly skipped: boolean }> {
  const digest = await digestOf(archive);
  const loaded = await Promise.all(nodes.map(async (node) => loadInto(node, archive, digest)));
  return { names: loaded[0]?.names ?? [], skipped: loaded.every(({ skipped }) => skipped) };
}

async function loadInto(node: NodeLayout, archive: string, digest: string): Promise<{ readonly names: string[]; readonly skipped: boolean }> {
  const file = join(node.dir, 'loaded-images.json');
  const record = existsSync(file) ? (JSON.parse(await readFile(file, 'utf8')) as Record<string, string[]>) : {};
  const known = record[digest];
  const present = await imageNames(node);
  if (known?.every((name) => present.has(name)) === true) return { names: known, skipped: true };
  const names = await importArchive(node, archive);
  // A later archive may have taken over a name: then the earlier one is no longer what the name means.
  const others = Object.entries(record).filter(([, held]) => !held.some((name) => names.includes(name)));
  await writeFile(file, JSON.stringify({ ...Object.fromEntries(others), [digest]: names }, null, 2));
  return { names, skipped: false };
}

/** A file as it is; else an image of this name, exported from the first local engine that has it. */
export async function withArchive<T>(image: string, use: (archive: string) => Promise<T>): Promise<T> {
  if (existsSync(image)) return use(image);
  const archive = join(tmpdir(), `anneal-image-${crypto.randomUUID()}.tar`);
  try {
    for (const [engine, args] of exporters(image, archive)) {
      if ((await exists(engine)) && (await attempt(engine, args)).code === 0) return await use(archive);
    }
  } finally {
    await rm(archive, { force: true });
  }
  throw new ClusterError('IMAGE_UNKNOWN', `${image} is neither a file nor an image that docker, podman or buildah has here. Give an archive made by "docker save", or build the image first.`);
}

function exporters(image: string, archive: string): [string, string[]][] {
  return [
    ['docker', ['save', '-o', archive, image]],
    ['podman', ['save', '-o', archive, image]],
    ['buildah', ['push', image, `docker-archive:${archive}:${image}`]],
    ['buildah', ['--storage-driver', 'vfs', 'push', image, `docker-archive:${archive}:${image}`]],
  ];
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}
