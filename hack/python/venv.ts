/**
 * Python with pinned packages, for what Anneal is compared with: scikit-learn, Keras and others. Installed once into the user's cache,
 * by a hash of the pins; the trainer itself never needs it.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { withLock } from '../cluster/lock.ts';
import { say } from '../cluster/progress.ts';
import { keyOf } from '../images/cache.ts';

/** `science`: scikit-learn, pandas, polars, imbalanced-learn, onnx. `keras`: Keras on the TensorFlow library that the trainer uses. */
export type PythonPackages = 'science' | 'keras';

/** @returns the interpreter's path. @throws the words of pip, where it cannot install them */
export async function pythonWith(packages: PythonPackages): Promise<string> {
  const requirements = join(import.meta.dirname, `${packages}.txt`);
  const version = execFileSync('python3', ['--version'], { encoding: 'utf8' });
  const base = process.env.XDG_CACHE_HOME;
  const cache = join(base === undefined || base === '' ? join(homedir(), '.cache') : base, 'anneal', 'python');
  const folder = join(cache, `${packages}-${keyOf([version, readFileSync(requirements)])}`);
  const python = join(folder, 'bin/python');
  if (existsSync(folder)) return python;
  mkdirSync(cache, { recursive: true });
  await withLock(join(cache, 'lock'), 'another process installs Python packages', async () => {
    if (existsSync(folder)) return;
    say(`Installing the Python packages of ${packages}, to compare with (once) ...`);
    const building = `${folder}.building`;
    await rm(building, { recursive: true, force: true });
    // By packages in a folder rather than a virtual environment moved after it was made, which would name its old place.
    await run('python3', ['-m', 'venv', '--without-pip', building]);
    const target = execFileSync(join(building, 'bin/python'), ['-c', 'import sysconfig; print(sysconfig.get_path("purelib"))'], { encoding: 'utf8' }).trim();
    await run('python3', ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--require-hashes', '--no-deps', '--only-binary=:all:', '--target', target, '--requirement', requirements]);
    await rename(building, folder);
  });
  return python;
}

/**
 * Runs a program of Python on a value and gives back what it prints, both as JSON.
 * @throws its standard error where it fails
 */
export async function askPython(packages: PythonPackages, program: string, input: unknown): Promise<unknown> {
  const python = await pythonWith(packages);
  return new Promise((resolve, reject) => {
    const child = spawn(python, ['-c', program], { stdio: ['pipe', 'pipe', 'pipe'] });
    let output = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    child.once('error', reject).once('close', (code) => {
      if (code === 0) resolve(JSON.parse(output));
      else reject(new Error(`Python ended with ${String(code)}: ${errors}`));
    });
    child.stdin.end(JSON.stringify(input));
  });
}

function run(command: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 2, 'inherit'], env: { ...process.env, PIP_ROOT_USER_ACTION: 'ignore' } });
    child.once('error', reject).once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${command} ${args[0] ?? ''} ended with ${String(code)}.`));
    });
  });
}
