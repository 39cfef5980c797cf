import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { ImageError } from './errors.ts';

export interface Bundle {
  readonly code: Uint8Array;
  readonly sourceMap: Uint8Array;
}

/**
 * One ESM file for Node 24 out of an entry point and all that it imports. Names are kept, so that a stack trace says
 * which function failed; the source map lies beside the bundle and stays out of the image.
 */
export async function bundle(entry: string): Promise<Bundle> {
  // Loaded only here: most calls find their image in the cache and bundle nothing.
  const { build } = await import('esbuild');
  const result = await build({
    entryPoints: [entry],
    outfile: 'main.js',
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    sourcemap: 'external',
    sourcesContent: false,
    metafile: true,
    logLevel: 'silent',
    // CommonJS packages inside an ESM bundle still call require for Node's own modules.
    banner: { js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);" },
  }).catch((error: unknown) => {
    throw new ImageError('BUNDLE_FAILED', `${entry} cannot be bundled: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  });
  const file = (end: string): Uint8Array => {
    const found = result.outputFiles.find(({ path }) => path.endsWith(end));
    if (found === undefined) throw new ImageError('BUNDLE_FAILED', `esbuild wrote no ${end} for ${entry}.`);
    return found.contents;
  };
  return { code: file('.js'), sourceMap: file('.js.map') };
}

/** Puts the bundle into `folder` as `main.js`; a reader sees the old file or the new one, never half of one. */
export async function writeBundle(folder: string, { code, sourceMap }: Bundle): Promise<void> {
  await mkdir(folder, { recursive: true });
  await replaceFile(join(folder, 'main.js.map'), sourceMap);
  await replaceFile(join(folder, 'main.js'), code);
}

async function replaceFile(path: string, content: Uint8Array): Promise<void> {
  const draft = join(dirname(path), `.${String(process.pid)}.${path.slice(dirname(path).length + 1)}`);
  await writeFile(draft, content);
  await rename(draft, path);
}
