import { execFile } from 'node:child_process';
import { access, chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { createVolume, csiUnderTest, isRoot, manyReaders, manyWriters, refusal, writer } from '../../support/drivers.ts';
import type { CsiUnderTest } from '../../support/drivers.ts';

const run = promisify(execFile);

async function errorCode(work: Promise<unknown>): Promise<string | undefined> {
  return work.then(() => undefined, (error: unknown) => (error as NodeJS.ErrnoException).code);
}

describe('the directory CSI driver, called by a kubelet', () => {
  let csi: CsiUnderTest;
  let volumeId: string;
  let targetPath: string;
  beforeEach(async () => {
    csi = await csiUnderTest();
    ({ volumeId } = await createVolume(csi, 'pvc-1'));
    targetPath = join(csi.folder, 'pods', 'a pod', 'mount');
  });
  afterEach(() => csi[Symbol.asyncDispose]());

  const publish = (more: object = {}): Promise<object> => csi.node('NodePublishVolume', { volumeId, targetPath, volumeCapability: writer, ...more });
  const unpublish = (): Promise<object> => csi.node('NodeUnpublishVolume', { volumeId, targetPath });

  it('tells its node and that it needs no staging', async () => {
    expect(await csi.node('NodeGetInfo')).to.deep.include({ nodeId: 'node-a', accessibleTopology: null });
    const { capabilities } = await csi.node<{ capabilities: { rpc: { type: string } }[] }>('NodeGetCapabilities');
    expect(capabilities.map(({ rpc }) => rpc.type)).to.deep.equal(['GET_VOLUME_STATS', 'SINGLE_NODE_MULTI_WRITER']);
  });

  it('refuses a request with a gap, and a volume that is not there', async () => {
    expect((await refusal(publish({ volumeId: '' }))).code).to.equal('INVALID_ARGUMENT');
    expect((await refusal(publish({ targetPath: '' }))).code).to.equal('INVALID_ARGUMENT');
    expect((await refusal(publish({ volumeCapability: null }))).code).to.equal('INVALID_ARGUMENT');
    expect((await refusal(publish({ volumeId: 'gone' }))).code).to.equal('NOT_FOUND');
  });

  it('answers that there is nothing to unpublish, every time', async () => {
    await unpublish();
    await unpublish();
    await mkdir(targetPath, { recursive: true });
    await unpublish();
    expect(await errorCode(access(targetPath))).to.equal('ENOENT');
  });

  it('never removes files that lie at the target path', async () => {
    await mkdir(targetPath, { recursive: true });
    await writeFile(join(targetPath, 'precious'), 'x');
    expect((await refusal(unpublish())).code).to.equal('INTERNAL');
    expect(await readFile(join(targetPath, 'precious'), 'utf8')).to.equal('x');
  });

  // What a bind mount does can only be seen by who may make one; everybody else sees a clear refusal.
  if (!isRoot) {
    it('says what is missing where the machine does not let it mount', async () => {
      const { code, details } = await refusal(publish());
      expect(code).to.equal('INTERNAL');
      expect(details).to.match(/superuser|permission|not permitted/i);
    });
    return;
  }

  it('shows the files of the volume, and they stay after the pod', async () => {
    await publish();
    await writeFile(join(targetPath, 'checkpoint'), 'step 7');
    await unpublish();
    expect(await errorCode(access(targetPath))).to.equal('ENOENT');
    await publish();
    expect(await readFile(join(targetPath, 'checkpoint'), 'utf8')).to.equal('step 7');
  });

  it('mounts once, however often it is asked, also at once and after a restart', async () => {
    await Promise.all([publish(), publish()]);
    await csi.restart();
    await publish();
    const { stdout } = await run('findmnt', ['--noheadings', '--output', 'TARGET', '--mountpoint', targetPath]);
    expect(stdout.trim().split('\n')).to.have.length(1);
  });

  for (const [why, request] of [['the pod asks for it', { readonly: true }], ['the access mode says so', { volumeCapability: manyReaders }]] as const) {
    it(`lets nobody write when ${why}`, async () => {
      await publish(request);
      expect(await errorCode(writeFile(join(targetPath, 'file'), 'x'))).to.equal('EROFS');
      await publish(request);
    });
  }

  it('shows one volume to two pods, to one of them read-only', async () => {
    await publish({ volumeCapability: manyWriters });
    const other = join(csi.folder, 'pods', 'other', 'mount');
    await publish({ targetPath: other, volumeCapability: manyWriters, readonly: true });
    await writeFile(join(targetPath, 'file'), 'seen by both');
    expect(await readFile(join(other, 'file'), 'utf8')).to.equal('seen by both');
    expect(await errorCode(writeFile(join(other, 'file'), 'x'))).to.equal('EROFS');
  });

  it('refuses to turn a mount from writable to read-only, or to cover another volume', async () => {
    await publish();
    expect((await refusal(publish({ readonly: true }))).code).to.equal('ALREADY_EXISTS');
    const other = await createVolume(csi, 'pvc-2');
    expect((await refusal(publish({ volumeId: other.volumeId }))).code).to.equal('ALREADY_EXISTS');
  });

  it('passes the mount options of the storage class on', async () => {
    await publish({ volumeCapability: { ...writer, mount: { mountFlags: ['noexec'] } } });
    await writeFile(join(targetPath, 'program'), '#!/bin/sh\n', { mode: 0o755 });
    expect(await errorCode(run(join(targetPath, 'program')))).to.equal('EACCES');
  });

  it('lets a group write whose files the kubelet gave to it, as fsGroup does', async () => {
    await publish();
    // What kubelet's SetVolumeOwnership does for fsGroup 65532.
    await run('chgrp', ['65532', targetPath]);
    await run('chmod', ['g+rwxs', targetPath]);
    await chmod(csi.folder, 0o711); // a container reaches the mount without walking the host's folders
    await run('setpriv', ['--reuid=65532', '--regid=65532', '--clear-groups', 'touch', join(targetPath, 'model')]);
    await unpublish();
    await publish();
    expect((await run('stat', ['--format', '%u:%g', join(targetPath, 'model')])).stdout).to.equal('65532:65532\n');
  });

  it('does not delete a volume that a pod still uses', async () => {
    await publish();
    const { code, details } = await refusal(csi.controller('DeleteVolume', { volumeId }));
    expect(code).to.equal('FAILED_PRECONDITION');
    expect(details).to.contain(targetPath);
    await unpublish();
    await csi.controller('DeleteVolume', { volumeId });
  });

  it('tells how full the file system of a mounted volume is', async () => {
    expect((await refusal(csi.node('NodeGetVolumeStats', { volumeId, volumePath: targetPath }))).code).to.equal('NOT_FOUND');
    await publish();
    const { usage } = await csi.node<{ usage: { unit: string; total: number; used: number; available: number }[] }>('NodeGetVolumeStats', { volumeId, volumePath: targetPath });
    expect(usage.map(({ unit }) => unit)).to.deep.equal(['BYTES', 'INODES']);
    for (const { total, used, available } of usage) {
      expect(total).to.be.at.least(used);
      expect(total).to.be.at.least(available);
    }
  });
});
