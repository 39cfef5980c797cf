import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { binary } from '../../../hack/cluster/binaries.ts';
import { csiUnderTest, isRoot } from '../../support/drivers.ts';

const run = promisify(execFile);

describe('csi-sanity, the conformance tests of kubernetes-csi', () => {
  it('finds no fault with the directory CSI driver', async function () {
    this.timeout('10m'); // the first run builds csi-sanity
    const sanity = await binary('csi-sanity');
    await using csi = await csiUnderTest();
    // Publishing needs bind mounts, hence root; the Controller and Identity services are judged for everybody.
    const skip = isRoot ? [] : ['--ginkgo.skip', 'Node Service|NodePublish|should work'];
    const { stdout } = await run(sanity, [
      '--csi.endpoint', csi.socketPath,
      '--csi.mountdir', join(csi.folder, 'mount'),
      '--csi.stagingdir', join(csi.folder, 'staging'),
      '--ginkgo.no-color',
      ...skip,
    ]).catch((error: unknown) => ({ stdout: (error as { stdout: string }).stdout }));
    expect(stdout).to.match(/SUCCESS! -- \d{2} Passed \| 0 Failed/);
  });
});
