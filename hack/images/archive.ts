import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { run } from './command.ts';
import { ImageError } from './errors.ts';

/** One image of a docker-archive's `manifest.json`. */
interface ArchiveManifest {
  readonly Config: string;
  readonly RepoTags: readonly string[] | null;
  readonly Layers: readonly string[];
}

/** Debian's name of an architecture → that of an image configuration. */
export const imageArchitecture: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/**
 * Writes a docker-archive of one layer. `layer` is moved, not copied: it is as large as the image.
 * Format: github.com/moby/moby, image/spec/v1.2.
 */
export async function writeSingleLayerArchive(path: string, layer: string, options: { readonly tag: string; readonly createdBy: string }): Promise<void> {
  const folder = dirname(layer);
  const diffId = `sha256:${await sha256(layer)}`;
  const created = '1970-01-01T00:00:00Z';
  const config = JSON.stringify({
    architecture: imageArchitecture[process.arch] ?? process.arch,
    os: 'linux',
    created,
    config: { Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'] },
    rootfs: { type: 'layers', diff_ids: [diffId] },
    history: [{ created, created_by: options.createdBy }],
  });
  const manifest: ArchiveManifest[] = [{ Config: 'config.json', RepoTags: [options.tag], Layers: ['layer.tar'] }];
  await rename(layer, join(folder, 'layer.tar'));
  await writeFile(join(folder, 'config.json'), config);
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
  await run('tar', ['--create', `--file=${path}`, `--directory=${folder}`, 'manifest.json', 'config.json', 'layer.tar']);
}

/**
 * The image's identity: the digest of its configuration, which `docker images` and `crictl images` show as its id.
 *
 * @returns `sha256:` and 64 hexadecimal digits
 */
export async function archiveDigest(path: string): Promise<string> {
  const manifest = JSON.parse(await run('tar', ['--extract', '--to-stdout', `--file=${path}`, 'manifest.json'])) as ArchiveManifest[];
  const config = manifest[0]?.Config;
  if (config === undefined) throw new ImageError('ARCHIVE_INVALID', `${path} holds no image. Delete it, then build again.`);
  const text = await run('tar', ['--extract', '--to-stdout', `--file=${path}`, config]);
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
