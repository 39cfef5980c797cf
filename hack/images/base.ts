import { join } from 'node:path';

import { writeSingleLayerArchive } from './archive.ts';
import { cached, keyOf } from './cache.ts';
import { run } from './command.ts';
import type { Say } from './command.ts';
import { ImageError } from './errors.ts';
import { osRelease, requireTools } from './tools.ts';

/** Name inside the archive of the base, for engines that load it. */
export const baseTag = 'docker.io/anneal/base:local';

/** What the images need besides the essential packages of Debian. */
const packages = ['ca-certificates', 'libstdc++6'];

/** Nobody reads these in an image; together they are 40 MB. Licences stay. */
const leftOut = ['/usr/share/man/*', '/usr/share/locale/*', '/usr/share/info/*', '/usr/share/doc/*'];
const keptAgain = ['/usr/share/doc/*/copyright'];

/** Raised when the recipe below changes, so that cached bases are made again. */
const recipe = '1';

/**
 * A docker-archive with this machine's distribution and Node.js, which stands in for the `node:24-bookworm-slim` of the
 * Dockerfiles where no registry is at hand. Made once, from the machine's own package sources.
 */
export async function baseArchive(folder: string, say: Say): Promise<string> {
  const codename = await releaseName();
  const key = await baseKey();
  return cached({ folder, name: 'base', key, suffix: '.tar', keep: 2 }, say, async (path, work) => {
    await requireTools([{ program: 'mmdebstrap', debianPackage: 'mmdebstrap' }], say);
    say(`Making the base of the images: ${codename} and Node.js ${process.version} (once; about a minute) ...`);
    const layer = join(work, 'root.tar');
    await run('mmdebstrap', mmdebstrapArguments(codename, layer), {
      // Equal packages give equal bytes, on every machine.
      env: { ...process.env, SOURCE_DATE_EPOCH: '0' }, input: await aptSources(codename, say), say, doing: 'making the base',
    });
    await writeSingleLayerArchive(path, layer, { tag: baseTag, createdBy: `mmdebstrap ${codename}, Node.js ${process.version}` });
  });
}

/** Changes whenever the base would come out different for a reason that we know of. */
export async function baseKey(): Promise<string> {
  return keyOf([recipe, await releaseName(), process.arch, process.version, ...packages]);
}

export async function releaseName(): Promise<string> {
  const { VERSION_CODENAME: codename } = await osRelease();
  if (codename === undefined) throw new ImageError('SOURCES_UNKNOWN', 'A base image can only be made on Debian or Ubuntu. Elsewhere, start a Docker engine that can pull node:24-bookworm-slim.');
  return codename;
}

function mmdebstrapArguments(codename: string, layer: string): readonly string[] {
  return [
    '--variant=essential',
    `--include=${packages.join(',')}`,
    ...leftOut.map((path) => `--dpkgopt=path-exclude=${path}`),
    ...keptAgain.map((path) => `--dpkgopt=path-include=${path}`),
    // The running Node is the one that package-lock.json pins.
    `--customize-hook=copy-in ${process.execPath} /usr/local/bin`,
    codename,
    layer,
    '-',
  ];
}

/** The machine's own package sources of its release, in sources.list form: a mirror or a proxy set there serves here too. */
export async function aptSources(codename: string, say: Say): Promise<string> {
  let sources = await knownSources(codename);
  // apt tells only of sources whose lists it has, and container images come without lists.
  if (sources.length === 0 && process.getuid?.() === 0) {
    await run('apt-get', ['update', '-q'], { say, doing: 'reading the package lists' });
    sources = await knownSources(codename);
  }
  if (sources.length === 0) {
    throw new ImageError('SOURCES_UNKNOWN', `apt knows no source of ${codename} main. Add one to /etc/apt/sources.list and run apt-get update.`);
  }
  return `${sources.join('\n')}\n`;
}

async function knownSources(codename: string): Promise<readonly string[]> {
  const targets = await run('apt-get', ['indextargets', '--format', '$(SITE) $(RELEASE) $(COMPONENT)', 'Created-By: Packages']);
  const lines = targets.split('\n').filter((line) => {
    const [, release = '', component] = line.split(' ');
    return component === 'main' && (release === codename || release.startsWith(`${codename}-`));
  });
  return [...new Set(lines)].map((line) => `deb ${line}`);
}
