/**
 * Makes one folder with everything that the image runs: the bundled program, and under native/ the TensorFlow libraries.
 * Usage: `node trainer-image/build.ts [--out trainer-image/dist]`, after native/install.ts. Needs nothing from node_modules at run time.
 */
import { cpSync, globSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import type { Plugin } from 'esbuild';

const here = import.meta.dirname;
const require = createRequire(import.meta.url);
const tfjs = path.dirname(require.resolve('@tensorflow/tfjs-node-gpu/package.json'));

/** tfjs-node asks an installer package where its binding is; in the bundle it is always in the same place. */
const bindingBeside: Plugin = {
  name: 'binding-beside',
  setup: (bundler) => {
    bundler.onResolve({ filter: /^@mapbox\/node-pre-gyp$/ }, (args) => ({ path: args.path, namespace: 'binding-beside' }));
    bundler.onLoad({ filter: /.*/, namespace: 'binding-beside' }, () => ({ contents: `exports.find = () => __dirname + '/native/lib/napi-v8/tfjs_binding.node';` }));
  },
};

/** CommonJS parts of the bundle expect these names. */
const banner = `import { createRequire as createRequireOfBundle } from 'node:module';
const require = createRequireOfBundle(import.meta.url), __filename = import.meta.filename, __dirname = import.meta.dirname;`;

async function bundle(out: string): Promise<void> {
  await build({
    entryPoints: { main: path.join(here, 'src/main.ts'), worker: path.join(here, 'src/train/worker.ts') },
    outdir: out,
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    banner: { js: banner },
    plugins: [bindingBeside],
    // The codecs of the Kafka client lie in a file beside it, but for this copy of them.
    alias: { '@platformatic/wasm-utils': '@platformatic/wasm-utils/bundled' },
    legalComments: 'linked',
    logLevel: 'warning',
  });
  writeFileSync(path.join(out, 'package.json'), '{"type":"module"}\n');
}

function copyNative(out: string): void {
  const files = globSync(['lib/napi-v8/*.node', 'deps/lib/*.so.2', 'deps/nvidia/**/*.so*'], { cwd: tfjs });
  if (files.length === 0) throw new Error('The native TensorFlow backend is not there. Run trainer-image/native/install.ts first.');
  for (const file of files) {
    mkdirSync(path.dirname(path.join(out, 'native', file)), { recursive: true });
    cpSync(path.join(tfjs, file), path.join(out, 'native', file));
  }
}

const { values } = parseArgs({ options: { out: { type: 'string', default: path.join(here, 'dist') } } });
rmSync(values.out, { recursive: true, force: true });
await bundle(values.out);
copyNative(values.out);
