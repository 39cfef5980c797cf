import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { idOf, openStore } from '../../../hack/cluster/drivers/csi/store.ts';
import type { VolumeRecord } from '../../../hack/cluster/drivers/csi/store.ts';
import { temporaryFolder } from '../../support/folder.ts';

const volume: VolumeRecord = { id: 'pvc-1', name: 'pvc-1', capacityBytes: 10, source: undefined };

describe('the store of volumes', () => {
  it('shows no volume whose content could not be written, and makes it whole at the next call', async () => {
    await using folder = await temporaryFolder();
    const store = openStore<VolumeRecord>(folder.path, 'volumes');
    const broken = store.add(volume, async (data) => {
      await writeFile(join(data, 'half'), 'x');
      throw new Error('disk full');
    });
    expect(await broken.catch(String)).to.equal('Error: disk full');
    expect(await store.find('pvc-1')).to.equal(undefined);

    await store.add(volume, (data) => writeFile(join(data, 'whole'), 'x'));
    expect(await readdir(store.dataOf('pvc-1'))).to.deep.equal(['whole']);
    expect(await store.list()).to.deep.equal([{ id: 'pvc-1', name: 'pvc-1', capacityBytes: 10 }]);
  });

  it('removes a volume twice without complaint, and leaves no file of it', async () => {
    await using folder = await temporaryFolder();
    const store = openStore<VolumeRecord>(folder.path, 'volumes');
    await store.add(volume, (data) => writeFile(join(data, 'file'), 'x'));
    await store.remove('pvc-1');
    await store.remove('pvc-1');
    const left = await readdir(folder.path, { recursive: true, withFileTypes: true });
    expect(left.filter((entry) => entry.isFile())).to.deep.equal([]);
    expect(await store.find('pvc-1')).to.equal(undefined);
  });

  it('never leaves its folder, whatever id it is asked for', async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, 'record.json'), JSON.stringify(volume));
    const store = openStore<VolumeRecord>(folder.path, 'volumes');
    for (const id of ['..', '../..', '.', '', 'a/../..']) {
      expect(await store.find(id), id).to.equal(undefined);
      await store.remove(id);
    }
    expect(await readFile(join(folder.path, 'record.json'), 'utf8')).to.contain('pvc-1');
  });

  it('gives every name an id of its own that a folder can bear', () => {
    const names = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 128 }), fc.stringMatching(/^[a-z.:-]{0,20}$/));
    fc.assert(fc.property(names, names, (one, other) => {
      expect(idOf(one)).to.match(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/);
      if (one !== other) expect(idOf(one)).to.not.equal(idOf(other));
    }));
    expect(idOf('pvc-1f0c')).to.equal('pvc-1f0c');
  });
});
