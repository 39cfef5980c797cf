/**
 * Makes one folder with everything that the image runs: the bundled program, and under native/ the libraries of TensorFlow, ONNX Runtime
 * and DuckDB. Usage: `node trainer-image/build.ts [--out trainer-image/dist]`, after native/install.ts. Needs nothing from node_modules at run time.
 * The folder is also the npm package of `anneal-train`: `npm pack ./trainer-image/dist`.
 */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { bundle, copyNative } from './native/bundle.ts';

const here = import.meta.dirname;
const repository = path.join(here, '..');

/** Files of the bundle by what they are made of; threads begin with files of their own. */
const entryPoints = {
  main: path.join(here, 'src/main.ts'),
  worker: path.join(here, 'src/train/worker.ts'),
  'scan-worker': path.join(here, 'src/data/ingest/scan-worker.ts'),
  'plan-worker': path.join(here, 'src/local/plan/worker.ts'),
};

/** As they are. */
const copied = {
  bin: path.join(here, 'bin'),
  'trainingjobs.yaml': path.join(repository, 'charts/anneal/files/crds/trainingjobs.yaml'),
  LICENSE: path.join(repository, 'LICENSE'),
};

/** Of the workspace, without what the bundle holds already. */
function packageJson(): string {
  const { name, version, license, type, bin, engines } = JSON.parse(readFileSync(path.join(here, 'package.json'), 'utf8')) as Record<string, unknown>;
  const description = 'Trains and serves the models of Anneal, with and without a cluster.';
  return `${JSON.stringify({ name, version, description, license, type, bin, engines, os: ['linux'], cpu: ['x64'] }, undefined, 2)}\n`;
}

const { values: { out } } = parseArgs({ options: { out: { type: 'string', default: path.join(here, 'dist') } } });
rmSync(out, { recursive: true, force: true });
await bundle(entryPoints, out);
for (const [to, from] of Object.entries(copied)) cpSync(from, path.join(out, to), { recursive: true });
writeFileSync(path.join(out, 'package.json'), packageJson());
copyNative(['TensorFlow', 'OnnxRuntime', 'DuckDB'], out);
