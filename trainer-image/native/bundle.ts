/**
 * Bundles a program whose packages have native halves: one folder that runs without node_modules, with the libraries under native/.
 * Each package looks for its half in a way of its own, which in a bundle would find nothing; here they all find it in the same place.
 */
import { cpSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { build } from 'esbuild';
import type { Plugin } from 'esbuild';

const require = createRequire(import.meta.url);

export type NativePackage = 'TensorFlow' | 'OnnxRuntime' | 'DuckDB';

interface Half {
  /** A file of the package, by which its folder is found. */
  readonly inPackage: string;
  /** The folder, from that file. */
  readonly folder: string;
  readonly files: readonly string[];
  /** Below native/. A binding finds its libraries by their places beside it. */
  readonly to: string;
  /** What to do where they are not there. */
  readonly missing: string;
}

const halves: Readonly<Record<NativePackage, Half>> = {
  TensorFlow: {
    inPackage: '@tensorflow/tfjs-node-gpu/package.json', folder: '.', files: ['lib/napi-v8/*.node', 'deps/lib/*.so.2', 'deps/nvidia/**/*.so*'], to: '.',
    missing: 'The native TensorFlow backend is not there. Run trainer-image/native/install.ts first.',
  },
  OnnxRuntime: {
    inPackage: 'onnxruntime-node/package.json', folder: 'bin/napi-v6/linux/x64', files: ['onnxruntime_binding.node', 'libonnxruntime.so.1'], to: 'onnxruntime',
    missing: 'onnxruntime-node has no binding for Linux on x86-64. Run npm ci first.',
  },
  DuckDB: {
    inPackage: '@duckdb/node-bindings-linux-x64/package.json', folder: '.', files: ['duckdb.node', 'libduckdb.so'], to: 'duckdb',
    missing: 'The binding of DuckDB for Linux on x86-64 is not there. Run npm ci first.',
  },
};

/** CommonJS that is the binding at a path below the bundle's folder. */
const beside = (file: string): string => `require(__dirname + '/native/${file}')`;

const namespace = 'bindings-beside';

/** What the bundler reads in place of the packages' own ways to their bindings. */
const bindingsBeside: Plugin = {
  name: namespace,
  setup: (bundler) => {
    const stands = (filter: RegExp, contents: string): void => {
      bundler.onResolve({ filter }, () => ({ path: contents, namespace }));
    };
    bundler.onLoad({ filter: /.*/, namespace }, (args) => ({ contents: args.path }));
    // tfjs-node asks an installer package where its binding is.
    stands(/^@mapbox\/node-pre-gyp$/, `exports.find = () => __dirname + '/native/lib/napi-v8/tfjs_binding.node';`);
    // DuckDB has a package for each platform.
    stands(/^@duckdb\/node-bindings-[^/]+\/duckdb\.node$/, `module.exports = ${beside('duckdb/duckdb.node')};`);
    // ONNX Runtime has a folder for each platform, which it names in a template.
    bundler.onLoad({ filter: /onnxruntime-node\/dist\/binding\.js$/ }, (args) => {
      const source = readFileSync(args.path, 'utf8');
      const contents = source.replace(/require\(`[^`]*onnxruntime_binding\.node`\)/, beside('onnxruntime/onnxruntime_binding.node'));
      if (contents === source) throw new Error('onnxruntime-node loads its binding in another way than before; correct trainer-image/native/bundle.ts.');
      return { contents };
    });
  },
};

/** CommonJS parts of the bundle expect these names. */
const banner = `import { createRequire as createRequireOfBundle } from 'node:module';
const require = createRequireOfBundle(import.meta.url), __filename = import.meta.filename, __dirname = import.meta.dirname;`;

/** @param entryPoints  files by the name of what they become */
export async function bundle(entryPoints: Readonly<Record<string, string>>, out: string): Promise<void> {
  await build({
    entryPoints,
    outdir: out,
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    banner: { js: banner },
    plugins: [bindingsBeside],
    // The codecs of the Kafka client lie in a file beside it, but for this copy of them.
    alias: { '@platformatic/wasm-utils': '@platformatic/wasm-utils/bundled' },
    legalComments: 'linked',
    logLevel: 'warning',
  });
  writeFileSync(path.join(out, 'package.json'), '{"type":"module"}\n');
}

/** Puts the libraries of these packages under native/. @throws Error that says what to do, where they are not there */
export function copyNative(packages: readonly NativePackage[], out: string): void {
  for (const { inPackage, folder, files, to, missing } of packages.map((name) => halves[name])) {
    const from = path.join(path.dirname(require.resolve(inPackage)), folder);
    const found = globSync([...files], { cwd: from });
    if (found.length === 0) throw new Error(missing);
    for (const file of found) {
      const target = path.join(out, 'native', to, file);
      mkdirSync(path.dirname(target), { recursive: true });
      cpSync(path.join(from, file), target);
    }
  }
}
