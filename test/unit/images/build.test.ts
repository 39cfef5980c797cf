import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import { writeSingleLayerArchive } from '../../../hack/images/archive.ts';
import { buildImage } from '../../../hack/images/build.ts';
import type { BuildOptions } from '../../../hack/images/build.ts';
import { run } from '../../../hack/images/command.ts';
import type { Engine } from '../../../hack/images/engine.ts';
import type { ImageSource } from '../../../hack/images/sources.ts';
import { temporaryFolder } from '../../support/folder.ts';
import type { TemporaryFolder } from '../../support/folder.ts';

describe('buildImage', () => {
  let folder: TemporaryFolder;

  beforeEach(async () => {
    folder = await temporaryFolder();
  });

  afterEach(async () => {
    await folder[Symbol.asyncDispose]();
  });

  /** An engine that packs one file, so that what is tested here is everything around an engine. */
  class CountingEngine implements Engine {
    readonly name = 'buildah';
    builds = 0;
    fails = false;
    key(): Promise<string> {
      return Promise.resolve('test');
    }

    async build(request: Parameters<Engine['build']>[0]): Promise<void> {
      this.builds += 1;
      await writeFile(join(request.work, 'half-done'), 'x');
      if (this.fails) throw new Error('The engine broke.');
      const layer = join(request.work, 'content.tar');
      await run('tar', ['--create', `--file=${layer}`, `--directory=${request.work}`, 'half-done']);
      await writeSingleLayerArchive(request.archive, layer, { tag: request.tag, createdBy: 'test' });
    }
  }

  async function situation(content = 'one'): Promise<{ engine: CountingEngine; options: (content?: string) => BuildOptions; cache: string; lines: string[] }> {
    const context = join(folder.path, 'context');
    const cache = join(folder.path, 'cache');
    await mkdir(context, { recursive: true });
    await writeFile(join(context, 'Dockerfile'), 'FROM scratch\n');
    const engine = new CountingEngine();
    const lines: string[] = [];
    const source = (text: string): ImageSource => ({ folder: context, key: () => Promise.resolve([text]), place: () => Promise.resolve() });
    return { engine, cache, lines, options: (text = content) => ({ cacheFolder: cache, engine, source: source(text), say: (line) => void lines.push(line) }) };
  }

  it('builds once and then finds the archive in the cache, without a word', async () => {
    const { engine, options, lines } = await situation();
    const first = await buildImage('operator', options());
    const said = lines.length;
    expect(await buildImage('operator', options())).to.deep.equal(first);
    expect(engine.builds).to.equal(1);
    expect(lines).to.have.lengthOf(said);
    expect(first.tag).to.match(/^anneal\/operator:\d+\.\d+\.\d+$/);
    expect(first.digest).to.match(/^sha256:[0-9a-f]{64}$/);
  });

  it('builds again when the content or the Dockerfile changes', async () => {
    const { engine, options } = await situation();
    await buildImage('operator', options('one'));
    await buildImage('operator', options('two'));
    await writeFile(join(folder.path, 'context', 'Dockerfile'), 'FROM scratch\nUSER 1\n');
    await buildImage('operator', options('two'));
    expect(engine.builds).to.equal(3);
  });

  it('keeps the two archives of an image that were used last', async () => {
    const { options, cache } = await situation();
    const archives: string[] = [];
    for (const content of ['one', 'two', 'three']) archives.push((await buildImage('operator', options(content))).archive);
    const kept = (await readdir(cache)).filter((name) => name.endsWith('.tar'));
    expect(kept).to.have.members(archives.slice(1).map((path) => path.slice(cache.length + 1)));
  });

  it('leaves nothing behind when the engine fails, and builds the next time', async () => {
    const { engine, options, cache } = await situation();
    engine.fails = true;
    const failure = await buildImage('operator', options()).then(() => undefined, (error: unknown) => error);
    expect(failure).to.be.instanceOf(Error).with.property('message', 'The engine broke.');
    expect((await readdir(cache)).filter((name) => !name.endsWith('.lock'))).to.deep.equal([]);
    engine.fails = false;
    await buildImage('operator', options());
    expect(engine.builds).to.equal(2);
  });

  it('removes what a killed build left', async () => {
    const { options, cache } = await situation();
    await mkdir(join(cache, '.operator-work-abandoned', 'storage'), { recursive: true });
    await buildImage('operator', options());
    expect((await readdir(cache)).filter((name) => name.includes('work'))).to.deep.equal([]);
  });

  it('builds once for two callers at the same time', async () => {
    const { engine, options } = await situation();
    const [first, second] = await Promise.all([buildImage('operator', options()), buildImage('operator', options())]);
    expect(second).to.deep.equal(first);
    expect(engine.builds).to.equal(1);
  });
});
