import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { ConfigError, readConfig } from '../../../hack/cluster/drivers/config.ts';
import { temporaryFolder } from '../../support/folder.ts';

async function read(config: unknown): Promise<unknown> {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'drivers.json');
  await writeFile(file, JSON.stringify(config));
  return await readConfig(file).catch((error: unknown) => (error instanceof ConfigError ? error.message.replace(`${file}: `, '') : Promise.reject(error as Error)));
}

const csi = { socketPath: '/a', registrationSocketPath: '/b', dataDir: '/c', nodeId: 'n' };

describe('the config of the test drivers', () => {
  it('may name one driver or both', async () => {
    expect(await read({ csi })).to.deep.equal({ csi });
    expect(await read({ csi: { socketPath: '/a', dataDir: '/c', nodeId: 'n' } })).to.deep.equal({ csi: { socketPath: '/a', dataDir: '/c', nodeId: 'n' } });
    expect(await read({})).to.deep.equal({});
  });

  for (const [config, sentence] of [
    [{ csi: { ...csi, nodeId: '' } }, 'csi.nodeId must be a text that is not empty.'],
    [{ csi: [] }, 'csi must be an object.'],
    [{ devicePlugin: { kubeletDirectory: '/k', resource: 'nvidia.com/gpu', count: 1.5 } }, 'devicePlugin.count must be a whole number, 0 or more.'],
    [{ devicePlugin: { kubeletDirectory: '/k', resource: 'nvidia.com/gpu', count: 1, unhealthy: [0] } }, 'devicePlugin.unhealthy must be a list of device ids.'],
  ] as const) {
    it(`says of ${JSON.stringify(config)} what to write`, async () => {
      expect(await read(config)).to.equal(sentence);
    });
  }
});
