import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { codeOf, folder } from '../../support.ts';
import type { Folder } from '../../support.ts';
import { bucketName, s3Server } from '../../store/s3-server.ts';
import type { S3Server } from '../../store/s3-server.ts';
import { open, places, server as webServer, sha256 } from './support.ts';

/** Passes everything on to the server, but cuts the first connection whose answer has come this far. */
async function cutting(endpoint: string, afterBytes: number, onCut: () => Promise<void> = () => Promise.resolve()) {
  let cuts = 0;
  const proxy = createServer((client) => {
    const upstream = connect(Number(new URL(endpoint).port), '127.0.0.1');
    let bytes = 0;
    client.pipe(upstream).on('error', () => client.destroy());
    client.on('error', () => upstream.destroy());
    upstream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (cuts === 0 && bytes > afterBytes) {
        cuts++;
        upstream.destroy();
        void onCut().then(() => client.destroy());
      } else {
        client.write(chunk);
      }
    });
    upstream.once('close', () => cuts === 0 && client.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    cuts: () => cuts,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => proxy.close(() => resolve())),
  };
}

describe('a source in a bucket', function suite() {
  this.timeout(120_000);
  let server: S3Server;
  before(async () => {
    server = await s3Server();
  });
  after(() => server[Symbol.asyncDispose]());

  const s3 = (endpoint = server.endpoint) => ({ endpoint, region: 'us-east-1', addressing: 'Auto' as const });
  const environmentOf = (credentials: Readonly<Record<string, string>>) => Object.fromEntries(Object.entries(credentials).map(([name, value]) => [`ANNEAL_SOURCE_${name}`, value]));
  const at = (place: Folder, credentials = server.credentials) => places(place, { environment: environmentOf(credentials) });
  const uri = (key: string): string => `s3://${bucketName}/${key}`;

  it('is brought by its key, and again only when it has changed', async () => {
    await using place = await folder();
    await server.put('one/rows.csv', 'a\n1\n');
    const read = async (): Promise<string> => {
      await using source = await open({ uri: uri('one/rows.csv'), s3: s3() }, at(place));
      expect(source.files[0]?.name).to.equal('rows.csv');
      return readFileSync(source.files[0]?.path ?? '', 'utf8');
    };
    expect(await read()).to.equal('a\n1\n');
    expect(await read()).to.equal('a\n1\n');
    await server.put('one/rows.csv', 'a\n2\n');
    expect(await read()).to.equal('a\n2\n');
  });

  it('is all objects that a pattern of keys matches, page after page, without hidden and empty ones', async () => {
    await using place = await folder();
    // More than one answer of a list holds, before and between those that match.
    mkdirSync(`${server.files}/many`, { recursive: true });
    for (let index = 0; index < 1100; index++) writeFileSync(`${server.files}/many/filler-${index}.txt`, 'x');
    for (let index = 0; index < 1100; index++) writeFileSync(`${server.files}/many/part-${index}.txt`, 'x');
    const keys = Array.from({ length: 20 }, (_, index) => `many/part-${String(index).padStart(4, '0')}.csv`);
    for (const key of keys) await server.put(key, key);
    for (const [key, text] of [['many/part-_SUCCESS.csv', ''], ['many/.part-0000.csv', 'x'], ['many/deep/part-1.csv', 'y'], ['many/Part.csv', 'z']] as const) await server.put(key, text);
    await using parts = await open({ uri: uri('many/*-*.csv'), s3: s3() }, at(place));
    expect(parts.files.map(({ name }) => `many/${name}`)).to.deep.equal(keys);
    expect(parts.sha256).to.equal(sha256(keys.map((key) => `${sha256(key)}  ${key.slice(5)}\n`).join('')));
    await using all = await open({ uri: uri('many/**/*.csv'), s3: s3() }, at(place));
    expect(all.files.slice(0, 3).map(({ name }) => name)).to.deep.equal(['Part.csv', 'deep/part-1.csv', 'part-0000.csv']);
    await using below = await open({ uri: uri('many/deep/'), s3: s3() }, at(place));
    expect(below.files.map(({ name }) => name)).to.deep.equal(['part-1.csv']);
  });

  it('takes keys as they are written', async () => {
    await using place = await folder();
    await server.put('odd/at=10%3A00/a b+ü.csv', 'x');
    await using source = await open({ uri: uri('odd/at=10%3A00/a b+ü.csv'), s3: s3() }, at(place));
    expect(source.files[0]?.name).to.equal('a b+ü.csv');
    await using found = await open({ uri: uri('odd/at=10%3A*/*'), s3: s3() }, at(place));
    expect(found.files[0]?.name).to.equal('at=10%3A00/a b+ü.csv');
  });

  it('goes on where it was cut off, as long as the object is the same', async () => {
    await using place = await folder();
    const content = randomBytes(9 * 1024 * 1024);
    await server.put('large.bin', content);
    await using proxy = await cutting(server.endpoint, 4 * 1024 * 1024);
    await using source = await open({ uri: uri('large.bin'), s3: s3(proxy.endpoint) }, at(place));
    expect(source.sha256).to.equal(sha256(content));
    expect(proxy.cuts()).to.equal(1);
  });

  it('is begun again when the object changed while it was cut off', async () => {
    await using place = await folder();
    const [before, after] = [randomBytes(9 * 1024 * 1024), randomBytes(9 * 1024 * 1024)];
    await server.put('changing.bin', before);
    await using proxy = await cutting(server.endpoint, 4 * 1024 * 1024, () => server.put('changing.bin', after));
    await using source = await open({ uri: uri('changing.bin'), s3: s3(proxy.endpoint) }, at(place));
    expect(source.sha256).to.equal(sha256(after));
    expect(proxy.cuts()).to.equal(1);
  });

  it('waits for a server that is away for a moment', async () => {
    await using place = await folder();
    await server.put('later.csv', 'x');
    await server.stop();
    const opening = open({ uri: uri('later.csv'), s3: s3() }, places(place, { environment: environmentOf(server.credentials), patience: { firstPauseMs: 300 } }));
    await server.start();
    await using source = await opening;
    expect(source.sha256).to.equal(sha256('x'));
  });

  const wrong: readonly (readonly [string, string, object, Record<string, string>, string, RegExp])[] = [
    ['a key that is not there', 'lake/other.csv', {}, {}, 'DATA_NOT_FOUND', /There is no readable file at s3:\/\/checkpoints\/lake\/other.csv; in s3:\/\/checkpoints\/lake\/ there are "2026\/", "a.csv"/],
    ['a pattern that matches nothing', 'lake/*.parquet', {}, {}, 'DATA_NOT_FOUND', /no file that matches .*there are "2026\/", "a.csv"/],
    ['a folder that is not there', 'lake/2027/*.csv', {}, {}, 'DATA_NOT_FOUND', /in s3:\/\/checkpoints\/lake\/ there are/],
    ['too large an object', 'lake/a.csv', { maxBytes: 2 }, {}, 'DATA_TOO_LARGE', /a.csv has 3 bytes, more than the 2/],
    ['objects that are too large together', 'lake/', { maxBytes: 4 }, {}, 'DATA_TOO_LARGE', /2 files of .* have 6 bytes/],
    ['too many objects', 'lake/', { maxFiles: 1 }, {}, 'DATA_TOO_LARGE', /more than the 1 files/],
    ['a wrong secret key', 'lake/a.csv', {}, { AWS_SECRET_ACCESS_KEY: 'wrong' }, 'BUCKET_REFUSED', /SignatureDoesNotMatch.*source\.credentials/],
    ['an unknown key', 'lake/*.csv', {}, { AWS_ACCESS_KEY_ID: 'nobody' }, 'BUCKET_REFUSED', /access key ID.*have not expired/],
  ];
  for (const [what, key, source, credentials, code, message] of wrong) {
    it(`refuses ${what}`, async () => {
      await using place = await folder();
      for (const name of ['lake/a.csv', 'lake/2026/a.csv']) await server.put(name, 'abc');
      const error = await codeOf(() => open({ uri: uri(key), s3: s3(), ...source }, at(place, { ...server.credentials, ...credentials })));
      expect(error).to.include({ code });
      expect(error.message).to.match(message);
      expect(error.message).not.to.contain(server.credentials.AWS_SECRET_ACCESS_KEY);
    });
  }

  it('refuses a bucket that is not there', async () => {
    await using place = await folder();
    for (const key of ['a.csv', '*.csv']) {
      const error = await codeOf(() => open({ uri: `s3://no-such-bucket/${key}`, s3: s3() }, at(place)));
      expect(error).to.include({ code: 'BUCKET_REFUSED', at: 'spec.trainer.data.source.uri' });
      expect(error.message).to.contain('NoSuchBucket');
    }
  });

  it('says that credentials have expired, as the service does', async () => {
    await using place = await folder();
    const expired = '<?xml version="1.0"?><Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>';
    await using service = await webServer((_, response) => void response.writeHead(400, { 'content-type': 'application/xml' }).end(expired));
    const error = await codeOf(() => open({ uri: uri('a.csv'), s3: s3(service.origin) }, at(place, { ...server.credentials, AWS_SESSION_TOKEN: 'old' })));
    expect(error.code).to.equal('BUCKET_REFUSED');
    expect(error.message).to.match(/ExpiredToken: The provided token has expired/);
    expect(service.requests).to.have.length(1);
  });
});
