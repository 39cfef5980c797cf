import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { createVolume, csiUnderTest, manyReaders, manyWriters, refusal, writer } from '../../support/drivers.ts';
import type { CsiUnderTest, VolumeMessage } from '../../support/drivers.ts';

const gib = 1024 ** 3;

interface SnapshotMessage {
  snapshotId: string;
  sourceVolumeId: string;
  sizeBytes: number;
  readyToUse: boolean;
  creationTime: { seconds: number };
}

describe('the directory CSI driver, called by a provisioner', () => {
  let csi: CsiUnderTest;
  beforeEach(async () => {
    csi = await csiUnderTest();
  });
  afterEach(() => csi[Symbol.asyncDispose]());

  const content = (volumeId: string, file: string): string => join(csi.dataDir, 'volumes', volumeId, 'data', file);

  async function createSnapshot(name: string, sourceVolumeId: string): Promise<SnapshotMessage> {
    return (await csi.controller<{ snapshot: SnapshotMessage }>('CreateSnapshot', { name, sourceVolumeId })).snapshot;
  }

  async function listSnapshots(request: object): Promise<{ ids: string[]; nextToken: string }> {
    const { entries, nextToken } = await csi.controller<{ entries: { snapshot: SnapshotMessage }[]; nextToken: string }>('ListSnapshots', request);
    return { ids: entries.map(({ snapshot }) => snapshot.snapshotId), nextToken };
  }

  it('says who it is and that it makes volumes', async () => {
    expect(await csi.identity('GetPluginInfo')).to.include({ name: 'directory.csi.anneal.dev' });
    expect(await csi.identity('GetPluginCapabilities')).to.deep.equal({ capabilities: [{ type: 'service', service: { type: 'CONTROLLER_SERVICE' } }] });
    expect(await csi.identity('Probe')).to.deep.equal({ ready: { value: true } });
  });

  it('answers the same volume to the same name, also after a restart and when asked twice at once', async () => {
    const [first, second] = await Promise.all([createVolume(csi, 'pvc-1'), createVolume(csi, 'pvc-1')]);
    await writeFile(content(first.volumeId, 'model'), 'kept');
    await csi.restart();
    const third = await createVolume(csi, 'pvc-1');
    expect(second).to.deep.equal(first);
    expect(third).to.deep.equal(first);
    expect(first.capacityBytes).to.equal(gib);
    expect(await readFile(content(third.volumeId, 'model'), 'utf8')).to.equal('kept');
  });

  it('refuses the name of a volume of another size', async () => {
    await createVolume(csi, 'pvc-1');
    const bigger = await refusal(createVolume(csi, 'pvc-1', { capacityRange: { requiredBytes: 2 * gib } }));
    const smaller = await refusal(createVolume(csi, 'pvc-1', { capacityRange: { limitBytes: gib / 2 } }));
    expect([bigger.code, smaller.code]).to.deep.equal(['ALREADY_EXISTS', 'ALREADY_EXISTS']);
    expect(bigger.details).to.contain('pvc-1');
  });

  it('accepts the name of a volume whose size lies in the range', async () => {
    const first = await createVolume(csi, 'pvc-1');
    const second = await createVolume(csi, 'pvc-1', { capacityRange: { requiredBytes: gib / 2, limitBytes: 2 * gib } });
    expect(second).to.deep.equal(first);
  });

  it('chooses a size within the limit when none is asked for', async () => {
    expect((await createVolume(csi, 'free', { capacityRange: null })).capacityBytes).to.equal(gib);
    expect((await createVolume(csi, 'limited', { capacityRange: { limitBytes: 1000 } })).capacityBytes).to.equal(1000);
    expect((await refusal(createVolume(csi, 'crossed', { capacityRange: { requiredBytes: 2, limitBytes: 1 } }))).code).to.equal('OUT_OF_RANGE');
  });

  it('refuses what a directory cannot be', async () => {
    const block = { block: {}, accessMode: { mode: 'SINGLE_NODE_WRITER' } };
    const refused = await refusal(createVolume(csi, 'raw', { volumeCapabilities: [block] }));
    expect(refused).to.deep.equal({ code: 'INVALID_ARGUMENT', details: 'The driver offers directories only. Ask for volumeMode Filesystem.' });
    expect((await refusal(createVolume(csi, 'none', { volumeCapabilities: [] }))).code).to.equal('INVALID_ARGUMENT');
    expect((await refusal(createVolume(csi, ''))).code).to.equal('INVALID_ARGUMENT');
  });

  it('removes a volume as often as asked', async () => {
    const { volumeId } = await createVolume(csi, 'pvc-1');
    await csi.controller('DeleteVolume', { volumeId });
    await csi.controller('DeleteVolume', { volumeId });
    await csi.controller('DeleteVolume', { volumeId: '../../etc' });
    expect((await refusal(csi.controller('DeleteVolume', { volumeId: '' }))).code).to.equal('INVALID_ARGUMENT');
    expect((await refusal(csi.controller('ValidateVolumeCapabilities', { volumeId, volumeCapabilities: [writer] }))).code).to.equal('NOT_FOUND');
  });

  it('confirms every access mode of a file system, and says why a device is none', async () => {
    const { volumeId } = await createVolume(csi, 'pvc-1');
    const good = await csi.controller<{ confirmed: object | null }>('ValidateVolumeCapabilities', { volumeId, volumeCapabilities: [writer, manyWriters, manyReaders] });
    const bad = await csi.controller<{ confirmed: object | null; message: string }>('ValidateVolumeCapabilities', { volumeId, volumeCapabilities: [{ block: {}, accessMode: writer.accessMode }] });
    expect(good.confirmed).to.be.an('object');
    expect(bad.confirmed).to.equal(null);
    expect(bad.message).to.contain('Filesystem');
  });

  it('answers UNIMPLEMENTED to what it does not claim', async () => {
    expect((await refusal(csi.controller('GetCapacity'))).code).to.equal('UNIMPLEMENTED');
    expect((await refusal(csi.controller('ControllerExpandVolume', { volumeId: 'pvc-1' }))).code).to.equal('UNIMPLEMENTED');
  });

  describe('a snapshot', () => {
    it('keeps what the volume held, whatever is written later, and outlives it', async () => {
      const { volumeId } = await createVolume(csi, 'pvc-1');
      await mkdir(content(volumeId, 'step-7'));
      await writeFile(content(volumeId, 'step-7/weights'), 'seven');
      const snapshot = await createSnapshot('snap-1', volumeId);
      await writeFile(content(volumeId, 'step-7/weights'), 'overwritten');
      await csi.controller('DeleteVolume', { volumeId });

      const restored = await createVolume(csi, 'pvc-2', { volumeContentSource: { snapshot: { snapshotId: snapshot.snapshotId } } });

      expect(snapshot).to.deep.include({ readyToUse: true, sizeBytes: gib, sourceVolumeId: volumeId });
      expect(Math.abs(snapshot.creationTime.seconds - Date.now() / 1000)).to.be.below(60);
      expect(await readFile(content(restored.volumeId, 'step-7/weights'), 'utf8')).to.equal('seven');
      expect(restored).to.deep.include({ contentSource: { type: 'snapshot', snapshot: { snapshotId: snapshot.snapshotId } } });
    });

    it('is the same when asked for again, with the content of the first time', async () => {
      const { volumeId } = await createVolume(csi, 'pvc-1');
      const first = await createSnapshot('snap-1', volumeId);
      await writeFile(content(volumeId, 'late'), 'x');
      await csi.restart();
      expect(await createSnapshot('snap-1', volumeId)).to.deep.equal(first);
    });

    it('refuses the name of a snapshot of another volume, and a volume that is not there', async () => {
      const [one, other] = await Promise.all([createVolume(csi, 'pvc-1'), createVolume(csi, 'pvc-2')]);
      await createSnapshot('snap-1', one.volumeId);
      expect((await refusal(createSnapshot('snap-1', other.volumeId))).code).to.equal('ALREADY_EXISTS');
      expect((await refusal(createSnapshot('snap-2', 'gone'))).code).to.equal('NOT_FOUND');
    });

    it('is removed as often as asked, and a volume made from it stays', async () => {
      const { volumeId } = await createVolume(csi, 'pvc-1');
      await writeFile(content(volumeId, 'model'), 'm');
      const { snapshotId } = await createSnapshot('snap-1', volumeId);
      const restored = await createVolume(csi, 'pvc-2', { volumeContentSource: { snapshot: { snapshotId } } });
      await csi.controller('DeleteSnapshot', { snapshotId });
      await csi.controller('DeleteSnapshot', { snapshotId });
      expect(await readFile(content(restored.volumeId, 'model'), 'utf8')).to.equal('m');
      expect((await listSnapshots({})).ids).to.deep.equal([]);
    });

    it('cannot fill a volume smaller than its own, nor one that exists with other content', async () => {
      const { volumeId } = await createVolume(csi, 'pvc-1');
      const { snapshotId } = await createSnapshot('snap-1', volumeId);
      const from = { volumeContentSource: { snapshot: { snapshotId } } };
      expect((await refusal(createVolume(csi, 'small', { ...from, capacityRange: { requiredBytes: gib / 2 } }))).code).to.equal('OUT_OF_RANGE');
      expect((await refusal(createVolume(csi, 'pvc-1', from))).code).to.equal('ALREADY_EXISTS');
      expect((await refusal(createVolume(csi, 'lost', { volumeContentSource: { snapshot: { snapshotId: 'gone' } } }))).code).to.equal('NOT_FOUND');
    });

    it('is found by its id, by its volume, and page by page', async () => {
      const [one, other] = await Promise.all([createVolume(csi, 'pvc-1'), createVolume(csi, 'pvc-2')]);
      for (const name of ['snap-1', 'snap-2', 'snap-3']) await createSnapshot(name, one.volumeId);
      await createSnapshot('snap-4', other.volumeId);
      expect((await listSnapshots({ snapshotId: 'snap-2' })).ids).to.deep.equal(['snap-2']);
      expect((await listSnapshots({ snapshotId: 'gone' })).ids).to.deep.equal([]);
      expect((await listSnapshots({ sourceVolumeId: other.volumeId })).ids).to.deep.equal(['snap-4']);
      const page = await listSnapshots({ maxEntries: 3 });
      expect([...page.ids, ...(await listSnapshots({ startingToken: page.nextToken })).ids]).to.deep.equal(['snap-1', 'snap-2', 'snap-3', 'snap-4']);
      expect((await refusal(listSnapshots({ startingToken: 'nonsense' }))).code).to.equal('ABORTED');
    });
  });

  it('clones a volume, after which each has its own files', async () => {
    const { volumeId } = await createVolume(csi, 'pvc-1');
    await writeFile(content(volumeId, 'model'), 'shared');
    const clone: VolumeMessage = await createVolume(csi, 'pvc-2', { volumeContentSource: { volume: { volumeId } } });
    await writeFile(content(volumeId, 'model'), 'changed');
    expect(await readFile(content(clone.volumeId, 'model'), 'utf8')).to.equal('shared');
  });
});
