import { join } from 'node:path';

import { baseArchive, baseKey, baseTag } from './base.ts';
import { run } from './command.ts';
import type { Say } from './command.ts';
import { ImageError } from './errors.ts';
import { has, requireTools } from './tools.ts';

export type EngineName = 'docker' | 'buildah';

export interface BuildRequest {
  readonly dockerfile: string;
  readonly context: string;
  readonly tag: string;
  readonly buildArguments: Readonly<Record<string, string>>;
  /** Where the docker-archive goes. */
  readonly archive: string;
  /** An empty folder for the engine's own files; the caller removes it. */
  readonly work: string;
  /** Where the base of buildah's images is cached. */
  readonly cacheFolder: string;
}

export interface Engine {
  readonly name: EngineName;
  /** What the result depends on besides the request. */
  key(): Promise<string>;
  build(request: BuildRequest, say: Say): Promise<void>;
}

/** Docker where its engine answers, for that is what people have; else buildah, which needs no daemon and no registry. */
export async function chooseEngine(): Promise<Engine> {
  return (await dockerAnswers()) ? docker : buildah;
}

async function dockerAnswers(): Promise<boolean> {
  return (await has('docker')) && succeeds('docker', ['version', '--format', '{{.Server.Version}}']);
}

async function succeeds(program: string, args: readonly string[]): Promise<boolean> {
  try {
    await run(program, args);
    return true;
  } catch (error) {
    if (error instanceof ImageError && error.code === 'COMMAND_FAILED') return false;
    throw error;
  }
}

/** The default of BASE_IMAGE in the Dockerfiles. */
const registryBase = 'node:24-bookworm-slim';

const docker: Engine = {
  name: 'docker',
  key: () => Promise.resolve('docker'),
  async build(request, say) {
    const { dockerfile, context, tag, archive } = request;
    const args = buildArguments({ ...request.buildArguments, ...(await dockerBase(request.cacheFolder, say)) });
    await run('docker', ['build', '--file', dockerfile, '--tag', tag, ...args, context], { say, doing: `building ${tag} with docker` });
    await run('docker', ['save', '--output', archive, tag], { say, doing: `saving ${tag}` });
  },
};

/** The base from the registry; the one from this machine's package sources where no registry answers. */
async function dockerBase(cacheFolder: string, say: Say): Promise<Readonly<Record<string, string>>> {
  if (await succeeds('docker', ['image', 'inspect', registryBase])) return {};
  say(`Pulling ${registryBase} ...`);
  if (await succeeds('docker', ['pull', '--quiet', registryBase])) return {};
  say(`${registryBase} could not be pulled; making a base from this machine's package sources instead.`);
  await run('docker', ['load', '--input', await baseArchive(cacheFolder, say)]);
  return { BASE_IMAGE: baseTag };
}

const buildah: Engine = {
  name: 'buildah',
  key: async () => `buildah ${await baseKey()}`,
  async build(request, say) {
    const { dockerfile, context, tag, archive, work } = request;
    await requireTools([{ program: 'buildah', debianPackage: 'buildah' }], say);
    const base = await baseArchive(request.cacheFolder, say);
    // vfs copies whole layers but works on every file system; a storage of its own leaves nothing behind on the machine.
    const storage = ['--storage-driver', 'vfs', '--root', join(work, 'storage'), '--runroot', join(work, 'run')];
    const image = `docker.io/${tag}`;
    const options = ['--isolation', 'chroot', '--network', 'host', '--pull-never', '--layers=false', '--timestamp', '0', '--file', dockerfile, '--tag', image];
    const args = buildArguments({ ...request.buildArguments, BASE_IMAGE: `docker-archive:${base}` });
    const env = { ...process.env, TMPDIR: work };
    await run('buildah', [...storage, 'bud', ...options, ...args, context], { env, say, doing: `building ${tag}` });
    await run('buildah', [...storage, 'push', '--disable-compression', image, `docker-archive:${archive}:${image}`], { env, say, doing: `writing ${tag}` });
  },
};

function buildArguments(args: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(args).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]);
}

