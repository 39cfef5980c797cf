/** `sh hack/run.sh hack/images/main.ts [--bundle] [operator] [trainer] [trainer-cuda]`: builds the images, operator and trainer when none is named. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { buildImage } from './build.ts';
import { ImageError } from './errors.ts';
import { imageNames, imageSources, isImageName, usualImages } from './sources.ts';

const usage = `Usage: sh hack/run.sh hack/images/main.ts [--bundle] [operator] [trainer] [trainer-cuda]
Builds the images, operator and trainer when none is named, and prints for each its tag, id and archive.
  --bundle   only put what the Dockerfile copies beside it, for a docker build of your own`;

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof ImageError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

async function main(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...argv], allowPositionals: true, options: { bundle: { type: 'boolean' }, help: { type: 'boolean' } } });
  if (values.help === true) {
    console.log(usage);
    return 0;
  }
  const unknown = positionals.filter((name) => !isImageName(name));
  if (unknown.length > 0) {
    console.error(`There is no image named ${unknown.join(', ')}; there are ${new Intl.ListFormat('en-GB').format(imageNames)}.\n${usage}`);
    return 2;
  }
  for (const name of positionals.length === 0 ? usualImages : positionals.filter(isImageName)) {
    if (values.bundle === true) await imageSources[name].place(join(imageSources[name].folder, 'dist'), console.error);
    else console.log(JSON.stringify(await buildImage(name)));
  }
  return 0;
}
