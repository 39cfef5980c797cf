import { gzipSync, zstdCompressSync } from 'node:zlib';
import { expect } from 'chai';
import { blobs } from '../support.ts';
import { s3Server } from '../store/s3-server.ts';
import type { S3Server } from '../store/s3-server.ts';
import { brokenBinaries } from './broken/binary.ts';
import { brokenBuckets, brokenPlaces } from './broken/places.ts';
import { brokenText } from './broken/text.ts';
import { brokenValues } from './broken/values.ts';
import { expectTold, outcomeOf } from './broken/input.ts';

describe('a run is told in a sentence, and leaves nothing behind, of', function suite() {
  this.timeout(120_000);
  const table = [...brokenText, ...brokenValues, ...brokenBinaries, ...brokenPlaces, ...brokenBuckets];
  let server: S3Server;
  before(async () => {
    server = await s3Server();
    await server.put('lake/rows.csv', blobs(60));
  });
  after(() => server[Symbol.asyncDispose]());

  for (const input of table) {
    it(`${input.what} (${input.code})`, async () => {
      const before = process.resourceUsage().maxRSS;
      await expectTold(input, server);
      expect((process.resourceUsage().maxRSS - before) / 1024, 'MiB of memory').to.be.below(700);
    });
  }

  it('more than forty inputs, each another', () => {
    expect(table).to.have.length.above(40);
    expect(new Set(table.map(({ what }) => what)).size).to.equal(table.length);
  });
});

describe('a run learns from', function suite() {
  this.timeout(120_000);
  const rows = blobs(60);
  const taken: Readonly<Record<string, Readonly<Record<string, string | Buffer>>>> = {
    'a byte-order mark': { 'rows.csv': `\ufeff${rows}` },
    'lines that end as those of Windows': { 'rows.csv': rows.replaceAll('\n', '\r\n') },
    'a last line without an end': { 'rows.csv': rows.trimEnd() },
    'names and classes of any script': { 'rows.csv': rows.replace('x,y', 'größe,重さ').replaceAll('red', 'красный 🙂') },
    'delimiters and line breaks between quotes': { 'rows.csv': rows.replaceAll('red', '"red, or\n""rot"""') },
    'what gzip packed': { 'rows.csv': gzipSync(rows) },
    'what zstd packed': { 'rows.csv': zstdCompressSync(rows) },
  };
  for (const [what, files] of Object.entries(taken)) {
    it(what, () => outcomeOf({ files }, (outcome) => expect(outcome, JSON.stringify(outcome)).to.include({ kind: 'Succeeded' })));
  }
});
