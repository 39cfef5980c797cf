import { access, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { serve } from '../../../hack/cluster/drivers/grpc.ts';
import { askInfo, csiUnderTest } from '../../support/drivers.ts';
import { temporaryFolder } from '../../support/folder.ts';

describe('the registration socket of the CSI driver', () => {
  it('tells the kubelet the driver, where to call it, and which CSI it speaks', async () => {
    await using csi = await csiUnderTest();
    expect(await askInfo(csi.registrationSocketPath)).to.deep.equal({ type: 'CSIPlugin', name: 'directory.csi.anneal.dev', endpoint: csi.socketPath, supportedVersions: ['1.0.0'] });
  });

  it('is gone with the driver, so that the kubelet forgets it', async () => {
    const csi = await csiUnderTest();
    const { registrationSocketPath } = csi;
    await access(registrationSocketPath);
    await csi[Symbol.asyncDispose]();
    expect(await access(registrationSocketPath).catch((error: unknown) => (error as NodeJS.ErrnoException).code)).to.equal('ENOENT');
  });
});

describe('a socket of the drivers', () => {
  it('replaces what a killed driver left', async () => {
    await using folder = await temporaryFolder();
    const socket = join(folder.path, 'stale.sock');
    await writeFile(socket, '');
    await using server = await serve(socket, []);
    expect(server).to.be.an('object');
  });

  it('leaves a living driver its own', async () => {
    await using folder = await temporaryFolder();
    const socket = join(folder.path, 'used.sock');
    const living = createServer().listen(socket);
    try {
      await new Promise((resolve) => living.once('listening', resolve));
      expect(await serve(socket, []).catch(String)).to.contain('Another process already serves');
      await access(socket);
    } finally {
      living.close();
    }
  });

  it('has a path that a Unix socket can have, or says so', async () => {
    expect(await serve(`/tmp/${'x'.repeat(103)}`, []).catch(String)).to.contain('Choose a shorter folder.');
  });
});
