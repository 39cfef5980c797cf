/** The gRPC contracts of the kubelet and of CSI, read from the Go modules that define them: pinned in go/go.mod, verified by go/go.sum. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { ServiceDefinition } from '@grpc/grpc-js';
import { load } from '@grpc/proto-loader';
import { cacheDir } from '../places.ts';

const run = promisify(execFile);
const pins = join(import.meta.dirname, 'go');

const contracts = {
  csi: { module: 'github.com/container-storage-interface/spec', file: 'csi.proto' },
  pluginRegistration: { module: 'k8s.io/kubelet', file: 'pkg/apis/pluginregistration/v1/api.proto' },
  devicePlugin: { module: 'k8s.io/kubelet', file: 'pkg/apis/deviceplugin/v1beta1/api.proto' },
} as const;

type Contract = keyof typeof contracts;
type ModuleFolders = Record<string, string>;

class ProtoError extends Error {
  readonly code: 'GO_MISSING' | 'MODULE_UNAVAILABLE' | 'SERVICE_MISSING';

  constructor(code: ProtoError['code'], message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'ProtoError';
    this.code = code;
  }
}

/**
 * Loads one service of a contract, for example `csi.v1.Node` of `csi`.
 * @throws {ProtoError} GO_MISSING, MODULE_UNAVAILABLE or SERVICE_MISSING
 */
export async function loadService(contract: Contract, service: string): Promise<ServiceDefinition> {
  const { module, file } = contracts[contract];
  const folder = (await moduleFolders())[module];
  if (folder === undefined) throw new ProtoError('MODULE_UNAVAILABLE', `go/go.mod does not require ${module}. Add it there, with its version.`);
  const definitions = await load(join(folder, file), { longs: Number, enums: String, defaults: true, oneofs: true });
  const definition = definitions[service];
  if (definition === undefined || 'format' in definition) throw new ProtoError('SERVICE_MISSING', `${module}/${file} defines no service "${service}".`);
  return definition;
}

let resolved: Promise<ModuleFolders> | undefined;

function moduleFolders(): Promise<ModuleFolders> {
  resolved ??= resolveFolders().catch((error: unknown) => {
    resolved = undefined; // the next call may find Go installed
    throw error;
  });
  return resolved;
}

/** The answer of `go mod download` is kept by the hash of the pins; it is asked again when the module cache was emptied since. */
async function resolveFolders(): Promise<ModuleFolders> {
  const digest = createHash('sha256');
  for (const name of ['go.mod', 'go.sum']) digest.update(await readFile(join(pins, name)));
  const cached = join(cacheDir(), 'protos', `${digest.digest('hex')}.json`);
  const known = await readJson(cached);
  if (known !== undefined && (await allExist(known))) return known;

  const folders = await downloadModules();
  await mkdir(dirname(cached), { recursive: true });
  const unfinished = `${cached}.${process.pid}`;
  await writeFile(unfinished, JSON.stringify(folders));
  await rename(unfinished, cached);
  return folders;
}

async function downloadModules(): Promise<ModuleFolders> {
  const pinned = JSON.parse(await go('mod', 'edit', '-json')) as { Require: { Path: string; Version: string }[] };
  const answer = await go('mod', 'download', '-json', ...pinned.Require.map(({ Path, Version }) => `${Path}@${Version}`));
  // One JSON document a module, one after the other.
  const modules = JSON.parse(`[${answer.trim().replaceAll(/\}\s*\{/g, '},{')}]`) as { Path: string; Dir: string }[];
  return Object.fromEntries(modules.map(({ Path, Dir }) => [Path, Dir]));
}

async function go(...args: string[]): Promise<string> {
  try {
    // readonly: go.sum is the judge of what came, never something to be updated on the way.
    const { stdout } = await run('go', args, { cwd: pins, env: { ...process.env, GOWORK: 'off', GOFLAGS: '-mod=readonly' } });
    return stdout;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new ProtoError('GO_MISSING', 'The test drivers read the CSI and kubelet contracts from Go modules, but "go" is not on the PATH. Install Go 1.25 or later (https://go.dev/dl, or: apt-get install golang).', error);
    }
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new ProtoError('MODULE_UNAVAILABLE', `"go ${args.join(' ')}" failed in ${pins}: ${[stderr, stdout].filter(Boolean).join('\n').trim()}`, error);
  }
}

async function readJson(file: string): Promise<ModuleFolders | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as ModuleFolders;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function allExist(folders: ModuleFolders): Promise<boolean> {
  const files = Object.values(contracts).map(({ module, file }) => join(folders[module] ?? '', file));
  const found = await Promise.allSettled(files.map((file) => access(file)));
  return found.every(({ status }) => status === 'fulfilled');
}
