import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { attempt, exists, run } from './commands.ts';
import { ClusterError } from './errors.ts';
import { families, familyOf, packageOf } from './families.ts';
import type { FamilyName, Program } from './families.ts';
import { withLock } from './lock.ts';
import { cacheDir } from './places.ts';
import { say } from './progress.ts';

const moduleRoot = join(import.meta.dirname, 'go');

/** Path of one program of the cluster; builds it when it is not in the cache yet. */
export async function binary(program: Program): Promise<string> {
  const paths = await binaries([program]);
  return paths[program];
}

/** Paths of several programs; those of one family that are missing are built together, which shares their compilation. */
export async function binaries<P extends Program>(wanted: readonly P[]): Promise<Record<P, string>> {
  const byFamily = Map.groupBy(wanted, familyOf);
  const found: Partial<Record<P, string>> = {};
  for (const [family, members] of byFamily) {
    const dir = await familyDir(family);
    const missing = (): P[] => members.filter((program) => !existsSync(join(dir, program)));
    if (missing().length > 0) {
      await mkdir(dir, { recursive: true });
      // Two commands started together wait for one build instead of doing it twice.
      await withLock(`${dir}.lock`, `another process builds ${family}`, async () => build(family, missing(), dir));
    }
    for (const program of members) found[program] = join(dir, program);
  }
  return found as Record<P, string>;
}

async function familyDir(family: FamilyName): Promise<string> {
  const hash = createHash('sha256');
  const folder = join(moduleRoot, family);
  for (const file of (await readdir(folder)).sort()) hash.update(await readFile(join(folder, file)));
  hash.update(`${families[family].ldflags} ${process.platform} ${process.arch}`);
  return join(cacheDir(), 'bin', `${family}-${hash.digest('hex').slice(0, 12)}`);
}

async function build(family: FamilyName, missing: readonly Program[], dir: string): Promise<void> {
  if (missing.length === 0) return;
  await requireGo();
  const { ldflags, minutes } = families[family];
  const started = performance.now();
  say(`Building ${missing.join(', ')} from pinned Go modules (once; about ${minutes} min on two cores) ...`);
  const scratch = await mkdtemp(`${dir}.building-`);
  try {
    const args = ['build', '-v', '-mod=readonly', '-trimpath', `-ldflags=${ldflags}`, '-o', `${scratch}/`, ...missing.map(packageOf)];
    await compile(family, args, started);
    for (const program of missing) await rename(join(scratch, builtName(packageOf(program))), join(dir, program));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  say(`Built ${missing.join(', ')} in ${seconds(started)} s.`);
}

async function compile(family: FamilyName, args: readonly string[], started: number): Promise<void> {
  let compiled = 0;
  const report = setInterval(() => say(`  ${family}: ${compiled} packages compiled after ${seconds(started)} s`), 20_000);
  try {
    const result = await attempt('go', args, {
      cwd: join(moduleRoot, family),
      env: { CGO_ENABLED: '0', GOWORK: 'off' },
      onStderr: (text) => (compiled += text.split('\n').length - 1),
    });
    if (result.code === 0) return;
    const lines = result.stderr.trimEnd().split('\n').slice(-15).join('\n');
    throw new ClusterError('BUILD_FAILED', `go could not build ${family} (in hack/cluster/go/${family}):\n${lines}`);
  } finally {
    clearInterval(report);
  }
}

/** The name that `go build -o DIR/` gives to a binary: the last part of the path that is no major version. */
function builtName(path: string): string {
  return basename(path.replace(/\/v\d+$/, ''));
}

/** The first Go that fetches the release which a module asks for. */
const oldestGo = 21;

async function requireGo(): Promise<void> {
  const advice = 'Install Go 1.21 or later (https://go.dev/dl); with GOTOOLCHAIN=auto, its default, it fetches the release that the modules ask for.';
  if (!(await exists('go'))) throw new ClusterError('GO_MISSING', `Go is not on the PATH; it builds Kubernetes from source. ${advice}`);
  const version = (await run('go', ['version'])).trim();
  const minor = Number(/go1\.(\d+)/.exec(version)?.[1] ?? oldestGo);
  if (minor < oldestGo) throw new ClusterError('GO_MISSING', `This machine's Go is too old to build Kubernetes (${version}). ${advice}`);
}

const crdFolders = {
  karpenter: { family: 'crds', module: 'sigs.k8s.io/karpenter', folder: 'pkg/apis/crds' },
  snapshotter: { family: 'crds', module: 'github.com/kubernetes-csi/external-snapshotter/client/v8', folder: 'config/crd' },
  kueue: { family: 'kueue', module: 'sigs.k8s.io/kueue', folder: 'config/components/crd/bases' },
  volcano: { family: 'crds', module: 'volcano.sh/volcano', folder: 'config/crd/volcano/bases' },
  coscheduling: { family: 'crds', module: 'sigs.k8s.io/scheduler-plugins', folder: 'config/crd/bases' },
} as const;

/** Files of another project's CustomResourceDefinitions, from the Go module that ships them. */
export async function crdFiles(project: keyof typeof crdFolders): Promise<string[]> {
  const { family, module, folder } = crdFolders[project];
  const dir = join(await moduleDir(family, module), folder);
  const files = (await readdir(dir)).filter((file) => /^[a-z-]+\..*\.yaml$/.test(file));
  return files.map((file) => join(dir, file)).sort();
}

/** Folder of a module in Go's module cache; downloads it when it is not there. */
export async function moduleDir(family: FamilyName | 'crds', module: string): Promise<string> {
  await requireGo();
  const json = await run('go', ['mod', 'download', '-json', module], { cwd: join(moduleRoot, family), env: { GOWORK: 'off' } });
  return (JSON.parse(json) as { Dir: string }).Dir;
}

function seconds(started: number): string {
  return ((performance.now() - started) / 1000).toFixed(0);
}
