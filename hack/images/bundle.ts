import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

import type { OutputFile, Plugin } from 'esbuild';

import { ImageError } from './errors.ts';

/**
 * Bundles an entry point and all that it imports for Node 24 into `folder`: `main.js`, and a chunk for each dynamic import, so that
 * what a cluster never loads (client-node's kubeconfig, 5 MB) stays on the disk. Names are kept, so that a stack trace
 * says which function failed; the source maps lie beside and stay out of the image.
 */
export async function bundle(entry: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const file of await outputs(entry)) await writeFile(join(folder, basename(file.path)), file.contents);
  await writeFile(join(folder, 'package.json'), '{"type":"module"}\n');
}

/**
 * undici's main module loads fetch, caches, mocks and WebSockets at once; a bundler cannot leave them out of CommonJS. Our own sources
 * get its pool alone, which saves 2.5 MiB of memory. An import of anything else fails the build with the name that is missing.
 */
const poolOnly: Plugin = {
  name: 'undici-pool-only',
  setup(bundler) {
    bundler.onResolve({ filter: /^undici$/ }, ({ importer, resolveDir }) =>
      importer.includes('node_modules') ? undefined : { path: 'undici', namespace: 'pool-only', pluginData: resolveDir });
    bundler.onLoad({ filter: /.*/, namespace: 'pool-only' }, ({ pluginData }) => ({
      resolveDir: String(pluginData),
      contents: `
        import api from 'undici/lib/api/index.js';
        import Dispatcher from 'undici/lib/dispatcher/dispatcher.js';
        import Pool from 'undici/lib/dispatcher/pool.js';
        Object.assign(Dispatcher.prototype, api);
        export { Dispatcher, Pool };`,
    }));
  },
};

async function outputs(entry: string): Promise<readonly OutputFile[]> {
  // Loaded only here: most calls find their image in the cache and bundle nothing.
  const { build } = await import('esbuild');
  try {
    const result = await build({
      entryPoints: { main: entry },
      outdir: 'dist',
      bundle: true,
      splitting: true,
      write: false,
      platform: 'node',
      target: 'node24',
      format: 'esm',
      minifyWhitespace: true,
      minifySyntax: true,
      legalComments: 'none',
      sourcemap: 'external',
      sourcesContent: false,
      plugins: [poolOnly],
      logLevel: 'silent',
      // CommonJS packages inside an ESM bundle still call require for Node's own modules.
      banner: { js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);" },
    });
    return result.outputFiles;
  } catch (error) {
    throw new ImageError('BUNDLE_FAILED', `${entry} cannot be bundled: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
