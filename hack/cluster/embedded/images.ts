import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { binary } from '../binaries.ts';
import type { Program } from '../families.ts';
import { cacheDir } from '../places.ts';
import { imageNames, importArchive } from './ctr.ts';
import type { NodeLayout } from './layout.ts';
import { tar } from './tar.ts';

export interface Image {
  readonly reference: string;
  readonly archive: string;
}

/** An image that holds one static program and nothing else, as an archive in the cache. Its tag is the hash of the program. */
export async function programImage(program: Program): Promise<Image> {
  const path = await binary(program);
  // The folder is named by the hash of what the program was built from.
  const tag = basename(join(path, '..'));
  const image = { reference: `cluster.anneal.dev/${program}:${tag}`, archive: join(cacheDir(), 'images', `${program}-${tag}.tar`) };
  if (!existsSync(image.archive)) {
    await mkdir(join(image.archive, '..'), { recursive: true });
    const scratch = `${image.archive}.${process.pid}`;
    await writeFile(scratch, dockerArchive(image.reference, program, await readFile(path)));
    await rename(scratch, image.archive);
  }
  return image;
}

/** The layout that `docker save` writes, which every container engine reads. */
export function dockerArchive(reference: string, program: string, content: Buffer): Buffer {
  const layer = tar([{ name: program, content, mode: 0o755 }]);
  const config = Buffer.from(JSON.stringify({
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Entrypoint: [`/${program}`] },
    rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] },
  }));
  const manifest = Buffer.from(JSON.stringify([{ Config: 'config.json', RepoTags: [reference], Layers: ['layer.tar'] }]));
  const file = (name: string, data: Buffer): { name: string; content: Buffer; mode: number } => ({ name, content: data, mode: 0o644 });
  return tar([file('config.json', config), file('layer.tar', layer), file('manifest.json', manifest)]);
}

/** Gives a node an image unless it has it. */
export async function importImage(layout: NodeLayout, image: Image): Promise<void> {
  if (!(await imageNames(layout)).has(image.reference)) await importArchive(layout, image.archive);
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
