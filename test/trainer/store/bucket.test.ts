import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { CreateMultipartUploadCommand } from '@aws-sdk/client-s3';
import { expect } from 'chai';
import { openBucket } from '../../../trainer-image/src/store/bucket.ts';
import type { Bucket } from '../../../trainer-image/src/store/bucket.ts';
import { copiesIn } from '../../../trainer-image/src/store/copies.ts';
import type { Fence } from '../../../trainer-image/src/train/fence.ts';
import { blobs, codeOf, folder, train, trainerSpec } from '../support.ts';
import type { Folder } from '../support.ts';
import { bucketName, s3Server } from './s3-server.ts';
import type { S3Server } from './s3-server.ts';

const fence = (attempt: number): Fence => ({ jobUid: 'uid', place: 'trainer-0', attempt });
const digest = (content: Buffer): string => createHash('sha256').update(content).digest('hex');

/** A volume with checkpoints of as many epochs. */
async function trained(place: Folder, epochs: number): Promise<string[]> {
  const spec = trainerSpec({ data: { source: { uri: place.write('rows.csv', blobs(203)) }, target: 'colour' }, model: { preset: 'MLP', units: [8] }, fit: { epochs, batchSize: 64 } });
  await train(spec, place.path, { checkpointKeep: 100 });
  return readdirSync(`${place.path}/checkpoints`).sort();
}

describe('a bucket', function suite() {
  this.timeout(300_000);
  let server: S3Server;
  let prefixes = 0;
  const prefix = (): string => `ns/job-${prefixes++}`;
  const open = (at: string): Bucket => openBucket(server.place(at), { ...server.credentials }, 'spec.checkpoint.s3');
  const environment = { ...process.env };

  before(async () => {
    server = await s3Server();
    // The SDK's own chain, as in a pod that has its keys from a Secret.
    Object.assign(process.env, server.credentials);
  });
  after(async () => {
    for (const name of Object.keys(server.credentials)) Reflect.deleteProperty(process.env, name);
    Object.assign(process.env, environment);
    await server[Symbol.asyncDispose]();
  });

  it('takes large files in parts, and gives them back to the byte', async () => {
    await using place = await folder();
    using bucket = open(prefix());
    const content = randomBytes(20 * 1024 * 1024 + 17);
    writeFileSync(`${place.path}/large.bin`, content);
    const stored = await bucket.putFolder('x', place.path, ['large.bin']);
    expect(stored).to.deep.equal([{ name: 'large.bin', sizeBytes: content.length, sha256: digest(content) }]);
    expect(await bucket.download('x/large.bin', `${place.path}/back.bin`)).to.include({ sha256: digest(content) });
    expect(readFileSync(`${place.path}/back.bin`).equals(content)).to.equal(true);
  });

  it('lists and removes more objects than one answer or request holds', async () => {
    using bucket = open(prefix());
    const keys = Array.from({ length: 1005 }, (_, index) => `many/${String(index).padStart(4, '0')}`);
    for (let from = 0; from < keys.length; from += 50) await Promise.all(keys.slice(from, from + 50).map((key) => bucket.putText(key, 'x')));
    expect(await bucket.list('many/')).to.deep.equal(keys);
    await bucket.remove(keys);
    expect(await bucket.list('many/')).to.deep.equal([]);
  });

  it('ends the uploads that a killed attempt left half-done', async () => {
    const at = prefix();
    await server.client.send(new CreateMultipartUploadCommand({ Bucket: bucketName, Key: `${at}/checkpoints/epoch-000001/tensors.bin` }));
    expect(await server.unfinishedUploads()).to.equal(1);
    using bucket = open(at);
    await copiesIn(bucket, '/nowhere', fence(1)).claim();
    expect(await server.unfinishedUploads()).to.equal(0);
  });

  it('that is not there, or refuses the keys, needs the user', async () => {
    using missing = openBucket({ ...server.place('x'), bucket: 'no-such-bucket' }, {}, 'spec.checkpoint.s3');
    const told = await codeOf(() => missing.list(''));
    expect(told).to.include({ code: 'BUCKET_REFUSED', at: 'spec.checkpoint.s3' });
    expect(told.message).to.contain('s3://no-such-bucket/x was refused (NoSuchBucket');
    using locked = openBucket({ ...server.place('x'), credentialsPrefix: 'OTHER_' }, { OTHER_AWS_ACCESS_KEY_ID: 'anneal-test', OTHER_AWS_SECRET_ACCESS_KEY: 'wrong' }, 'spec.checkpoint.s3');
    expect(await codeOf(() => locked.putText('a', 'b'))).to.include({ code: 'BUCKET_REFUSED' });
  });

  it('that cannot be reached may be there again later', async () => {
    using away = openBucket({ ...server.place('x'), endpoint: 'http://127.0.0.1:9' }, {}, 'spec.checkpoint.s3');
    expect(await codeOf(() => away.list(''))).to.include({ code: 'BUCKET_FAILED' });
  });

  describe('with the copies of a job', () => {
    it('keeps the newest of them, each complete, and gives the newest to an empty volume', async () => {
      await using place = await folder();
      await using fresh = await folder();
      const at = prefix();
      using bucket = open(at);
      const names = await trained(place, 4);
      const copies = copiesIn(bucket, place.path, fence(1));
      await copies.claim();
      for (const name of names) await copies.copyCheckpoint(name, 2);
      expect(await server.keys(`${at}/checkpoints`)).to.deep.equal(['epoch-000003', 'epoch-000004'].flatMap((name) => ['checkpoint.json', 'manifest.json', 'tensors.bin'].map((file) => `${name}/${file}`)));
      expect(await copies.bringNewest(fresh.path, () => undefined)).to.equal('epoch-000004');
      for (const file of ['tensors.bin', 'checkpoint.json']) {
        expect(readFileSync(`${fresh.path}/checkpoints/epoch-000004/${file}`).equals(readFileSync(`${place.path}/checkpoints/epoch-000004/${file}`))).to.equal(true);
      }
    });

    it('passes over one that is incomplete or damaged, for the one before', async () => {
      await using place = await folder();
      await using fresh = await folder();
      const at = prefix();
      using bucket = open(at);
      const copies = copiesIn(bucket, place.path, fence(1));
      for (const name of await trained(place, 4)) await copies.copyCheckpoint(name, 10);
      await bucket.remove(['checkpoints/epoch-000004/manifest.json']);
      await bucket.putText('checkpoints/epoch-000003/tensors.bin', 'spoilt');
      const passed: string[] = [];
      expect(await copies.bringNewest(fresh.path, (name, why) => passed.push(`${name}: ${why}`))).to.equal('epoch-000002');
      expect(passed).to.deep.equal(['epoch-000003: tensors.bin is damaged']);
      expect(readdirSync(`${fresh.path}/checkpoints`)).to.deep.equal(['epoch-000002']);
    });

    it('does not count those of another run, however far it went', async () => {
      await using old = await folder();
      await using place = await folder();
      const at = prefix();
      using bucket = open(at);
      for (const name of await trained(old, 5)) await copiesIn(bucket, old.path, fence(1)).copyCheckpoint(name, 2);
      const [first = ''] = await trained(place, 2);
      await copiesIn(bucket, place.path, fence(1)).copyCheckpoint(first, 2);
      expect(await bucket.list('checkpoints/')).to.deep.equal(['checkpoint.json', 'manifest.json', 'tensors.bin'].map((file) => `checkpoints/${first}/${file}`));
    });

    it('takes nothing from an attempt that a later one has followed', async () => {
      await using place = await folder();
      const at = prefix();
      using bucket = open(at);
      const [first = '', second = ''] = await trained(place, 2);
      const stale = copiesIn(bucket, place.path, fence(1));
      await stale.claim();
      await stale.copyCheckpoint(first, 2);
      await copiesIn(bucket, place.path, fence(2)).claim();
      const before = await server.keys(at);
      expect(await codeOf(() => stale.copyCheckpoint(second, 1))).to.include({ code: 'SUPERSEDED' });
      expect(await codeOf(() => stale.copyModel())).to.include({ code: 'SUPERSEDED' });
      expect(await codeOf(() => stale.claim())).to.include({ code: 'SUPERSEDED' });
      expect(await server.keys(at)).to.deep.equal(before);
    });

    it('says of a checkpoint that was removed before it was copied that it is gone, and leaves no half of it', async () => {
      await using place = await folder();
      const at = prefix();
      using bucket = open(at);
      const [name = ''] = await trained(place, 1);
      rmSync(`${place.path}/checkpoints/${name}`, { recursive: true });
      expect((await codeOf(() => copiesIn(bucket, place.path, fence(1)).copyCheckpoint(name, 2))).message).to.contain('not on the volume any more');
      mkdirSync(`${place.path}/checkpoints/${name}`);
      expect(await server.keys(at)).to.deep.equal([]);
    });
  });
});
