import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';

import { bundle } from './bundle.ts';
import { run } from './command.ts';
import type { Say } from './command.ts';

export type ImageName = 'operator' | 'trainer' | 'trainer-cuda';

export const imageNames: readonly ImageName[] = ['operator', 'trainer', 'trainer-cuda'];

/** Of those that are built when none is named. The one with NVIDIA's libraries is 3 GB, and under NVIDIA's licence. */
export const usualImages: readonly ImageName[] = ['operator', 'trainer'];

export function isImageName(text: string): text is ImageName {
  return (imageNames as readonly string[]).includes(text);
}

/** Where an image comes from. */
export interface ImageSource {
  /** The folder that holds the Dockerfile. */
  readonly folder: string;
  /** Everything besides the Dockerfile that decides the image's content. Cheap: it is asked for at every call. */
  key(): Promise<readonly (string | Uint8Array)[]>;
  /** Puts what the Dockerfile copies into `dist`. */
  place(dist: string, say: Say): Promise<void>;
}

export const repository = join(import.meta.dirname, '..', '..');

/** One bundled file. Its sources are hashed rather than the bundle: that takes no bundling to find out that nothing changed. */
export function operatorSource(entry: string, folder: string): ImageSource {
  return {
    folder,
    key: async () => contents([...(await filesBelow(dirname(entry))), ...bundling]),
    place: (dist) => bundle(entry, dist),
  };
}

const trainerFolder = join(repository, 'trainer-image');

/** The trainer's own scripts make its native half and its bundle. @param installing  flags of native/install.ts */
const trainerSource = (...installing: readonly string[]): ImageSource => ({
  folder: trainerFolder,
  key: async () => [...installing, ...await contents([
    ...(await filesBelow(join(trainerFolder, 'src'))),
    ...(await filesBelow(join(trainerFolder, 'native'))),
    ...(await filesBelow(join(repository, 'operator', 'src', 'api'))),
    ...(await filesBelow(join(trainerFolder, 'bin'))),
    join(repository, 'charts', 'anneal', 'files', 'crds', 'trainingjobs.yaml'),
    join(trainerFolder, 'build.ts'),
    join(trainerFolder, 'package.json'),
    join(repository, 'package-lock.json'),
  ])],
  async place(dist, say) {
    say('Getting the native TensorFlow libraries ...');
    await run(process.execPath, [join(trainerFolder, 'native', 'install.ts'), ...installing], { say, doing: 'getting the libraries' });
    await run(process.execPath, [join(trainerFolder, 'build.ts'), '--out', dist], { say, doing: 'bundling' });
  },
});

export const imageSources: Readonly<Record<ImageName, ImageSource>> = {
  operator: operatorSource(join(repository, 'operator', 'src', 'main.ts'), join(repository, 'operator')),
  trainer: trainerSource(),
  'trainer-cuda': trainerSource('--cuda'),
};

/** What decides how sources become a bundle. */
const bundling = [join(repository, 'package-lock.json'), join(repository, 'operator', 'package.json'), join(import.meta.dirname, 'bundle.ts')];

async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)).sort();
}

/** Name and content of each file, the name relative, so that two checkouts of one commit share what they built. */
async function contents(files: readonly string[]): Promise<readonly (string | Uint8Array)[]> {
  return (await Promise.all(files.map(async (file) => [relative(repository, file), await readFile(file)]))).flat();
}

/** The version that images, chart and operator share. */
export async function projectVersion(): Promise<string> {
  const manifest = JSON.parse(await readFile(join(repository, 'package.json'), 'utf8')) as { version: string };
  return manifest.version;
}
