import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, lstat, mkdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { copyAtOneMoment } from '../../../hack/cluster/drivers/csi/copy.ts';
import { RpcError } from '../../../hack/cluster/drivers/grpc.ts';
import { temporaryFolder } from '../../support/folder.ts';

describe('a copy of a folder', () => {
  it('keeps content, modes, times, links and hidden files, and nothing that the target held', async () => {
    await using folder = await temporaryFolder();
    const [source, target] = [join(folder.path, 'source'), join(folder.path, 'target')];
    await mkdir(join(source, 'inner'), { recursive: true });
    await mkdir(target);
    await chmod(source, 0o2775);
    await writeFile(join(source, 'inner', '.weights'), 'w');
    await symlink('inner/.weights', join(source, 'latest'));
    await writeFile(join(target, 'stale'), 'x');

    await copyAtOneMoment(source, target);

    expect(await readFile(join(target, 'latest'), 'utf8')).to.equal('w');
    expect(await readlink(join(target, 'latest'))).to.equal('inner/.weights');
    expect((await stat(target)).mode & 0o7777).to.equal(0o2775);
    expect((await stat(join(target, 'inner', '.weights'))).mtimeMs).to.equal((await stat(join(source, 'inner', '.weights'))).mtimeMs);
    expect(await lstat(join(target, 'stale')).catch((error: unknown) => (error as NodeJS.ErrnoException).code)).to.equal('ENOENT');
  });

  it('is of one moment, or refused, while a writer goes on', async () => {
    await using folder = await temporaryFolder();
    const [source, target] = [join(folder.path, 'source'), join(folder.path, 'target')];
    await mkdir(source);
    await mkdir(target);
    await Promise.all(['weights', 'manifest'].map((name) => writeFile(join(source, name), '0\n')));
    // Weights first, then the manifest: at any one moment the manifest is of the same step or of the one before.
    const script = 'i=0; echo go; while :; do i=$((i+1)); echo $i > .w; mv .w weights; echo $i > .m; mv .m manifest; done';
    const child = spawn('sh', ['-c', script], { cwd: source, stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      await once(child.stdout, 'data');
      const outcome = await copyAtOneMoment(source, target).catch((error: unknown) => error);
      if (outcome instanceof RpcError) {
        expect(outcome.code).to.equal('ABORTED');
        return;
      }
      expect(outcome).to.equal(undefined);
      const [weights, manifest] = await Promise.all(['weights', 'manifest'].map(async (name) => Number(await readFile(join(target, name), 'utf8'))));
      expect((weights ?? NaN) - (manifest ?? NaN)).to.be.within(0, 1);
    } finally {
      child.kill('SIGKILL');
      await once(child, 'close');
    }
  });

  it('fails, rather than be partial, when the source cannot be read', async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, 'target'));
    const outcome = await copyAtOneMoment(join(folder.path, 'missing'), join(folder.path, 'target')).catch((error: unknown) => error);
    expect(outcome).to.be.instanceOf(Error);
  });
});
