/** `node hack/python/main.ts NAME...`: installs the Python packages that tests compare with, so that they need not wait for them. */
import { pythonWith } from './venv.ts';
import type { PythonPackages } from './venv.ts';

for (const packages of process.argv.slice(2) as PythonPackages[]) await pythonWith(packages);
