import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { archiveDigest } from './archive.ts';
import { cached, imageCacheFolder, keyOf } from './cache.ts';
import type { Say } from './command.ts';
import { chooseEngine } from './engine.ts';
import type { Engine } from './engine.ts';
import { imageSources, projectVersion } from './sources.ts';
import type { ImageName, ImageSource } from './sources.ts';

export interface BuildOptions {
  /** Takes the progress lines; standard error by default. */
  readonly say?: Say;
  readonly cacheFolder?: string;
  readonly engine?: Engine;
  /** Stands in for the image's own source, for tests. */
  readonly source?: ImageSource;
  /** What comes before `/operator:VERSION`; `anneal` by default. */
  readonly repository?: string;
}

export interface BuiltImage {
  /** Path of a docker-archive; `docker load` and `ctr images import` read it. */
  readonly archive: string;
  /** For example `anneal/operator:0.1.0`. */
  readonly tag: string;
  /** `sha256:…` of the image's configuration, its id. */
  readonly digest: string;
}

/** What a person waits for when nothing is cached, measured on 2 cores. */
const coldSeconds: Readonly<Record<ImageName, number>> = { operator: 30, trainer: 120, 'trainer-cuda': 600 };

/** How many archives of one image stay in the cache: this one and the one to go back to. */
const keep = 2;

/** Builds an image from its Dockerfile, unless the same one lies in the cache. */
export async function buildImage(name: ImageName, options: BuildOptions = {}): Promise<BuiltImage> {
  const say = options.say ?? ((line) => void process.stderr.write(`${line}\n`));
  const source = options.source ?? imageSources[name];
  const folder = options.cacheFolder ?? imageCacheFolder();
  const engine = options.engine ?? (await chooseEngine());
  const version = await projectVersion();
  const tag = `${options.repository ?? 'anneal'}/${name}:${version}`;
  const dockerfile = join(source.folder, 'Dockerfile');
  const key = keyOf([tag, await engine.key(), await readFile(dockerfile), ...(await source.key())]);

  const archive = await cached({ folder, name, key, suffix: '.tar', keep }, say, async (path, work) => {
    say(`Building ${tag} with ${engine.name} (about ${String(coldSeconds[name])} s) ...`);
    const started = performance.now();
    // A context of its own: the checkout stays as it is, and the copy of the libraries goes away with it.
    const context = join(work, 'context');
    await mkdir(context);
    await source.place(join(context, 'dist'), say);
    await engine.build({ dockerfile, context, tag, buildArguments: { VERSION: version }, archive: path, work, cacheFolder: folder }, say);
    say(`Built ${tag} in ${((performance.now() - started) / 1000).toFixed(0)} s.`);
  });
  return { archive, tag, digest: await archiveDigest(archive) };
}
