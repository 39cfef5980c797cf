import { Readable } from 'node:stream';
import { createGunzip, gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { chain } from '../../trainer-image/src/chain.ts';

describe('a chain of streams', () => {
  const packed = gzipSync('some text');

  it('passes everything on', async () => {
    expect(Buffer.concat(await chain(Readable.from([packed]), createGunzip()).toArray() as Buffer[]).toString()).to.equal('some text');
  });

  it('keeps an error that comes before anyone reads for whoever does', async () => {
    const unpacked = chain(Readable.from([packed.with(packed.length - 1, 1)]), createGunzip());
    await new Promise((resolve) => unpacked.once('close', resolve));
    let met: unknown;
    await unpacked.toArray().catch((error: unknown) => (met = error));
    expect(met).to.have.property('code', 'Z_DATA_ERROR');
  });

  it('gives the error of its source', async () => {
    const broken = new Readable({ read() { this.destroy(new Error('the disk is gone')); } });
    let met: unknown;
    await chain(broken, createGunzip()).toArray().catch((error: unknown) => (met = error));
    expect(met).to.have.property('message', 'the disk is gone');
  });
});
