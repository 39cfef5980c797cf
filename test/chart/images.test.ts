import { link, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { expect } from 'chai';

import { baseArchive } from '../../hack/images/base.ts';
import { buildImage } from '../../hack/images/build.ts';
import type { BuiltImage } from '../../hack/images/build.ts';
import { imageCacheFolder } from '../../hack/images/cache.ts';
import { run } from '../../hack/images/command.ts';
import { chooseEngine } from '../../hack/images/engine.ts';
import { operatorSource, repository } from '../../hack/images/sources.ts';
import { temporaryFolder } from '../support/folder.ts';
import type { TemporaryFolder } from '../support/folder.ts';

interface Configuration {
  readonly config: { readonly User: string; readonly Entrypoint: readonly string[]; readonly Env: readonly string[]; readonly Labels: Readonly<Record<string, string>> };
  readonly rootfs: { readonly diff_ids: readonly string[] };
}

describe("the operator's image", function imageSuite() {
  this.timeout(600_000);
  let folder: TemporaryFolder;
  let image: BuiltImage;
  const said: string[] = [];

  before(async () => {
    folder = await temporaryFolder();
    const say = (line: string): void => void said.push(line);
    // The base takes a minute to make and is the same for every cache, so this one borrows it.
    const base = (await chooseEngine()).name === 'buildah' ? await baseArchive(imageCacheFolder(), say) : undefined;
    if (base !== undefined) await link(base, join(folder.path, basename(base))).catch(ignoreOtherDisk);
    image = await buildImage('operator', { cacheFolder: folder.path, say, source: operatorSource(join(import.meta.dirname, 'stub', 'main.ts'), join(repository, 'operator')) });
  });

  after(async () => {
    await folder[Symbol.asyncDispose]();
  });

  async function fileIn(archive: string, path: string): Promise<string> {
    return run('tar', ['--extract', '--to-stdout', `--file=${archive}`, path]);
  }

  async function manifest(): Promise<{ readonly Config: string; readonly RepoTags: readonly string[]; readonly Layers: readonly string[] }> {
    const [first] = JSON.parse(await fileIn(image.archive, 'manifest.json')) as Awaited<ReturnType<typeof manifest>>[];
    if (first === undefined) throw new Error('The archive holds no image.');
    return first;
  }

  it('says what it waits for', () => {
    expect(said.join('\n')).to.match(/Building anneal\/operator:.* with (buildah|docker) \(about \d+ s\) \.\.\./);
  });

  it('carries the tag that the chart asks for', async () => {
    const { version } = JSON.parse(await readFile(join(repository, 'package.json'), 'utf8')) as { version: string };
    expect(image.tag).to.equal(`anneal/operator:${version}`);
    for (const tag of (await manifest()).RepoTags) expect(tag.replace('docker.io/', '')).to.equal(image.tag);
  });

  it('runs as a user without rights and needs no shell to start', async () => {
    const { config } = JSON.parse(await fileIn(image.archive, (await manifest()).Config)) as Configuration;
    expect(config.User).to.equal('65532:65532');
    expect(config.Entrypoint).to.deep.equal(['node', '/app/main.js']);
    expect(config.Labels).to.include({ 'org.opencontainers.image.licenses': 'Apache-2.0' });
  });

  it('holds one bundle, no source map, and the compile cache of the user that it runs as', async () => {
    const files: string[] = [];
    for (const layer of (await manifest()).Layers) {
      const list = await run('sh', ['-c', 'tar --extract --to-stdout --file="$1" "$2" | tar --list', 'sh', image.archive, layer]);
      files.push(...list.split('\n').filter((name) => name.startsWith('app/') && !name.endsWith('/')));
    }
    expect(files).to.have.lengthOf(3);
    expect(files).to.include.members(['app/main.js', 'app/package.json']);
    expect(files.find((name) => name.includes('compile-cache'))).to.match(/^app\/compile-cache\/v24\.[^/]*-65532\/[0-9a-f]+$/);
  });

  it('leaves no storage of the engine behind', async () => {
    const left = await run('find', [folder.path, '-maxdepth', '1', '-name', '*work*']);
    expect(left).to.equal('');
  });
});

/** Where the cache is on another disk the base is made again: slower, but right. */
function ignoreOtherDisk(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EXDEV') throw error;
}
