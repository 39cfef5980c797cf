/**
 * Makes one folder with everything that the image runs: the bundled program, and under native/ the libraries of TensorFlow, ONNX Runtime
 * and DuckDB. Usage: `node trainer-image/build.ts [--out trainer-image/dist]`, after native/install.ts. Needs nothing from node_modules at run time.
 */
import { rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { bundle, copyNative } from './native/bundle.ts';

const here = import.meta.dirname;

const { values } = parseArgs({ options: { out: { type: 'string', default: path.join(here, 'dist') } } });
rmSync(values.out, { recursive: true, force: true });
await bundle({ main: path.join(here, 'src/main.ts'), worker: path.join(here, 'src/train/worker.ts'), 'scan-worker': path.join(here, 'src/data/ingest/scan-worker.ts') }, values.out);
copyNative(['TensorFlow', 'OnnxRuntime', 'DuckDB'], values.out);
