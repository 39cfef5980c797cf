import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { imageSources } from './sources.ts';
import type { ImageName } from './sources.ts';

/** What the Dockerfile's ENV sets, for a program that runs outside of its image but has to behave as inside. */
export async function imageEnvironment(name: ImageName): Promise<Readonly<Record<string, string>>> {
  const dockerfile = await readFile(join(imageSources[name].folder, 'Dockerfile'), 'utf8');
  const instructions = dockerfile.replaceAll('\\\n', ' ').split('\n').filter((line) => line.startsWith('ENV '));
  const pairs = instructions.flatMap((line) => line.slice('ENV '.length).trim().split(/\s+/));
  return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
}
