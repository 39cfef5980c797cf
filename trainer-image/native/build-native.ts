/** Makes `deps/lib` and `lib/napi-v8` of @tensorflow/tfjs-node-gpu from a TensorFlow wheel and the package's own C++ sources. */
import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';

export interface NativeBuild {
  readonly packageRoot: string;
  /** A pip requirements file; every line carries a hash. */
  readonly requirements: string;
  readonly nodeHeaders: string;
  readonly out: string;
  readonly say: (line: string) => void;
}

/** Every other file of the wheel (Python, other headers: 1.2 GB) stays packed. */
const wanted = [
  'tensorflow/libtensorflow_cc.so.2', 'tensorflow/libtensorflow_framework.so.2',
  'tensorflow/include/tensorflow/c/', 'tensorflow/include/tensorflow/core/platform/',
  'tensorflow/include/tsl/c/', 'tensorflow/include/tsl/platform/', 'tensorflow/include/xla/tsl/', 'nvidia/',
];

/** Python is here for pip anyway, so that unzip need not be. */
const unzip = `
import sys, zipfile
wheel, out, *wanted = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    archive.extractall(out, [name for name in archive.namelist() if name.startswith(tuple(wanted))])
`;

/** Downloads, unpacks, strips and compiles into `out`. @throws with pip's or the compiler's own words on standard error. */
export function buildNative(build: NativeBuild): void {
  const { packageRoot, requirements, nodeHeaders, out, say } = build;
  const wheels = path.join(out, 'wheels');
  const unpacked = path.join(out, 'unpacked');
  const libraries = path.join(out, 'deps', 'lib');
  const binding = path.join(out, 'lib', 'napi-v8');
  for (const folder of [wheels, unpacked, libraries, binding]) mkdirSync(folder, { recursive: true });

  say(`Downloading the TensorFlow libraries of ${path.basename(requirements)} ...`);
  run('python3', ['-m', 'pip', 'download', '-q', '--disable-pip-version-check', '--no-deps', '--require-hashes', '--only-binary=:all:', '--implementation', 'cp', '--python-version', '3.11',
    '--abi', 'cp311', '--platform', 'manylinux2014_x86_64', '--platform', 'manylinux1_x86_64', '-d', wheels, '-r', requirements]);
  say('Compiling the TensorFlow binding ...');
  for (const wheel of globSync('*.whl', { cwd: wheels })) run('python3', ['-c', unzip, path.join(wheels, wheel), unpacked, ...wanted]);
  for (const library of ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2']) {
    renameSync(path.join(unpacked, 'tensorflow', library), path.join(libraries, library));
    run('strip', ['--strip-unneeded', path.join(libraries, library)]);
  }
  // TensorFlow finds CUDA by its RUNPATH, $ORIGIN/../nvidia/<library>/lib.
  if (globSync('nvidia', { cwd: unpacked }).length > 0) renameSync(path.join(unpacked, 'nvidia'), path.join(out, 'deps', 'nvidia'));

  run('g++', ['-O2', '-fPIC', '-shared', '-std=c++17', '-DNAPI_VERSION=8', '-DNODE_GYP_MODULE_NAME=tfjs_binding',
    `-I${nodeHeaders}`, `-I${path.join(unpacked, 'tensorflow', 'include')}`, `-I${path.dirname(packageRoot)}`, `-I${packageRoot}`,
    path.join(packageRoot, 'binding', 'tfjs_backend.cc'), path.join(packageRoot, 'binding', 'tfjs_binding.cc'),
    '-o', path.join(binding, 'tfjs_binding.node'), `-L${libraries}`, '-Wl,-rpath,$ORIGIN/../../deps/lib', '-l:libtensorflow_cc.so.2', '-l:libtensorflow_framework.so.2']);
  for (const folder of [wheels, unpacked]) rmSync(folder, { recursive: true });
}

function run(program: string, args: readonly string[]): void {
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}
