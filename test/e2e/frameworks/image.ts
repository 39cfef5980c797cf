/** An image with the frameworks that users bring: TensorFlow from its Python package, PyTorch, Open MPI and OpenSSH from Debian's. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeSingleLayerArchive } from '../../../hack/images/archive.ts';
import { aptSources, releaseName } from '../../../hack/images/base.ts';
import { cached, imageCacheFolder, keyOf } from '../../../hack/images/cache.ts';
import { run, type Say } from '../../../hack/images/command.ts';
import { requireTools } from '../../../hack/images/tools.ts';

export const frameworksImage = 'anneal/frameworks:test';

const packages = ['ca-certificates', 'python3', 'python3-distutils', 'python3-mpi4py', 'python3-torch', 'openmpi-bin', 'openssh-client', 'openssh-server'];
const leftOut = ['/usr/share/man/*', '/usr/share/locale/*', '/usr/share/doc/*', '/usr/share/info/*', '/usr/share/icons/*'];
/** Headers, for those who build against TensorFlow. */
const unused = join('tensorflow', 'include');

/** Raised when the recipe below changes, so that a cached image is made again. */
const recipe = '1';
const requirements = join(import.meta.dirname, 'requirements.txt');

/** Path of a docker-archive, made once: about three minutes, most of it downloads. */
export async function frameworksArchive(say: Say): Promise<string> {
  const codename = await releaseName();
  const key = keyOf([recipe, codename, process.arch, unused, ...packages, await readFile(requirements)]);
  return cached({ folder: imageCacheFolder(), name: 'frameworks', key, suffix: '.tar', keep: 1 }, say, async (path, work) => {
    await requireTools([{ program: 'mmdebstrap', debianPackage: 'mmdebstrap' }, { program: 'strip', debianPackage: 'binutils' }], say);
    const site = join(work, 'python');
    say('Getting TensorFlow ...');
    await run('python3', pipArguments(site), { say, doing: 'getting TensorFlow' });
    await rm(join(site, unused), { recursive: true, force: true });
    await run('strip', ['--strip-unneeded', join(site, 'tensorflow', 'libtensorflow_cc.so.2'), join(site, 'tensorflow', 'libtensorflow_framework.so.2')]);
    say('Making a root file system with PyTorch and Open MPI ...');
    const layer = join(work, 'root.tar');
    await run('mmdebstrap', mmdebstrapArguments(codename, site, layer), { env: { ...process.env, SOURCE_DATE_EPOCH: '0' }, input: await aptSources(codename, say), say, doing: 'making the image' });
    await writeSingleLayerArchive(path, layer, { tag: `docker.io/${frameworksImage}`, createdBy: 'mmdebstrap and pip' });
  });
}

/** For Debian's Python 3.11, whatever version runs here. */
function pipArguments(target: string): readonly string[] {
  const tags = ['--implementation', 'cp', '--python-version', '3.11', '--abi', 'cp311', '--abi', 'none', '--platform', 'manylinux2014_x86_64'];
  return ['-m', 'pip', 'install', '--quiet', '--require-hashes', '--no-deps', '--no-compile', '--only-binary=:all:', ...tags, '--target', target, '--requirement', requirements];
}

function mmdebstrapArguments(codename: string, site: string, layer: string): readonly string[] {
  return [
    '--variant=essential',
    `--include=${packages.join(',')}`,
    ...leftOut.map((path) => `--dpkgopt=path-exclude=${path}`),
    `--customize-hook=copy-in ${site} /opt`,
    codename, layer, '-',
  ];
}
