/**
 * Gives @tensorflow/tfjs-node-gpu its native half: TensorFlow's two shared libraries from a wheel that is pinned by hash, and the
 * package's own binding compiled against them. Usage: `node trainer-image/native/install.ts [--cuda] [--no-apt]`.
 * The result is kept in the user's cache by a hash of all that goes into it, so that a warm run only makes links.
 */
import { createHash } from 'node:crypto';
import { existsSync, globSync, linkSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import path from 'node:path';
import { execFileSync, spawnSync } from 'node:child_process';
import { requireTools } from './tools.ts';
import { buildNative } from './build-native.ts';

const here = import.meta.dirname;
const require = createRequire(import.meta.url);
const packageRoot = path.dirname(require.resolve('@tensorflow/tfjs-node-gpu/package.json'));

/** Where the package looks for the binding, and where the binding looks for TensorFlow. */
const nativeFiles = ['lib/napi-v8/*.node', 'deps/lib/*.so.2', 'deps/nvidia/**/*.so*'];
const stamp = 'lib/.anneal-native';
const building = 'building-';

const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** Hash of everything that decides what is built: the wheels, the package's sources, these scripts. */
function nativeKey(requirements: string): string {
  const hash = createHash('sha256').update(process.arch);
  const sources = globSync('binding/*', { cwd: packageRoot }).sort().map((file) => path.join(packageRoot, file));
  for (const file of [requirements, path.join(packageRoot, 'package.json'), ...sources, path.join(here, 'build-native.ts')]) {
    hash.update(path.basename(file)).update(readFileSync(file));
  }
  return hash.digest('hex').slice(0, 24);
}

function cacheRoot(): string {
  const base = process.env.XDG_CACHE_HOME;
  return path.join(base !== undefined && base !== '' ? base : path.join(homedir(), '.cache'), 'anneal', 'tfjs');
}

/** A hard link costs nothing and outlives the cache; a copy where cache and checkout are on different disks. */
function place(from: string, to: string): void {
  mkdirSync(path.dirname(to), { recursive: true });
  rmSync(to, { force: true });
  try {
    linkSync(from, to);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && ['EXDEV', 'EPERM', 'EMLINK'].includes(String(error.code)))) throw error;
    copyFileSync(from, to);
  }
}

/** Builds into a temporary folder and renames it, so that a crash leaves no half-made cache. */
function fillCache(cached: string, requirements: string, mayInstall: boolean): void {
  requireTools(mayInstall, say);
  // What runs that were cut off left; ours is the only one, by the lock.
  for (const left of globSync(`${building}*`, { cwd: path.dirname(cached) })) rmSync(path.join(path.dirname(cached), left), { recursive: true, force: true });
  const work = mkdtempSync(path.join(path.dirname(cached), building));
  try {
    buildNative({ packageRoot, requirements, nodeHeaders: path.dirname(require.resolve('node-api-headers/include/node_api.h')), out: work, say });
    renameSync(work, cached);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function install(cached: string, key: string): void {
  for (const folder of ['deps', 'lib']) rmSync(path.join(packageRoot, folder), { recursive: true, force: true });
  for (const file of globSync(nativeFiles, { cwd: cached })) place(path.join(cached, file), path.join(packageRoot, file));
  execFileSync(process.execPath, [path.join(here, 'check.ts')], { cwd: packageRoot, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' } });
  // Written last: a run that was cut off before does all of this again.
  writeFileSync(path.join(packageRoot, stamp), key);
}

const locked = '--locked';

/** The same again with nobody else at it: tests and image builds may begin together. @returns false where there is no flock */
function runLocked(args: readonly string[]): boolean {
  const { error, status } = spawnSync('flock', [path.join(cacheRoot(), 'lock'), process.execPath, import.meta.filename, ...args, locked], { stdio: ['ignore', 'inherit', 'inherit'] });
  if (error !== undefined) return false;
  process.exitCode = status ?? 1;
  return true;
}

function main(args: readonly string[]): void {
  const requirements = path.join(here, args.includes('--cuda') ? 'libtf-cuda.txt' : 'libtf-cpu.txt');
  const key = nativeKey(requirements);
  const stampFile = path.join(packageRoot, stamp);
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === key) return;
  mkdirSync(cacheRoot(), { recursive: true });
  if (!args.includes(locked) && runLocked(args)) return;
  const cached = path.join(cacheRoot(), key);
  if (!existsSync(cached)) fillCache(cached, requirements, !args.includes('--no-apt'));
  install(cached, key);
}

try {
  main(process.argv.slice(2));
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
