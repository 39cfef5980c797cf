import { readFileSync } from 'node:fs';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { expect } from 'chai';
import { codeOf, folder } from '../../support.ts';
import type { Folder } from '../../support.ts';
import { content, cut, digest, files, open, places, server, sha256 } from './support.ts';
import type { Handler } from './support.ts';

const status = (code: number, headers: Record<string, string> = {}): Handler => (_, response) => void response.writeHead(code, headers).end();
/** A part of the file under another ETag, whatever the client asked for. */
const part = (etag: string): Handler => (request, response) => {
  const from = Number(/\d+/.exec(request.headers.range ?? '')?.[0]);
  response.writeHead(206, { etag, 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` }).end(Buffer.alloc(content.length - from));
};
const whole = files('"one"');

describe('a source by HTTP', () => {
  it('is downloaded and checked', async () => {
    await using place = await folder();
    await using web = await server(whole);
    await using source = await open({ uri: web.uri, sha256: digest }, places(place));
    expect(source).to.include({ sha256: digest, bytes: content.length });
    expect(source.files).to.have.length(1);
    expect(source.files[0]).to.include({ name: 'rows.csv', bytes: content.length, sha256: digest });
    expect(readFileSync(source.files[0]?.path ?? '').equals(content)).to.equal(true);
  });

  it('goes on where it was cut off, by range of the same ETag', async () => {
    await using place = await folder();
    await using web = await server(cut(place, '"one"'), whole);
    await using source = await open({ uri: web.uri }, places(place));
    expect(source.sha256).to.equal(digest);
    expect(web.requests[1]?.headers.range).to.match(/^bytes=\d+-$/);
    expect(web.requests[1]?.headers['if-range']).to.equal('"one"');
  });

  const begunAgain: readonly (readonly [string, (place: Folder) => readonly Handler[]])[] = [
    ['the file has changed in between', (place) => [cut(place, '"one"'), files('"two"')]],
    ['the server sends another part than the one asked for', (place) => [cut(place, '"one"'), (_, response) => void response.writeHead(206, { 'content-range': 'bytes 5-9/300000' }).end('aaaaa'), whole]],
    ['a part comes without saying which', (place) => [cut(place, '"one"'), (_, response) => void response.writeHead(206).end('aaaaa'), whole]],
    ['a part comes of another file', (place) => [cut(place, '"one"'), part('"two"'), whole]],
    ['the file has become shorter', (place) => [cut(place, '"one"'), status(416), whole]],
    ['the server has no ETag', (place) => [cut(place, undefined), files(undefined)]],
    ['the ETag is a weak one', (place) => [cut(place, 'W/"one"'), whole]],
  ];
  for (const [why, handlers] of begunAgain) {
    it(`is begun again when ${why}`, async () => {
      await using place = await folder();
      await using web = await server(...handlers(place));
      await using source = await open({ uri: web.uri }, places(place));
      expect(source.sha256).to.equal(digest);
    });
  }

  it('is given up when it never comes further', async () => {
    await using place = await folder();
    await using web = await server(cut(place, undefined));
    const error = await codeOf(() => open({ uri: web.uri }, places(place)));
    expect(error.code).to.equal('DATA_DOWNLOAD');
    expect(error.message).to.match(/rows\.csv could not be downloaded from 127\.0\.0\.1:\d+ after 6 tries: /);
  });

  it('is tried again when a server says that there is more than it sends', async () => {
    await using place = await folder();
    const lying: Handler = (_, response) => {
      response.writeHead(200, { etag: '"one"', 'content-length': content.length + 10 });
      response.write(content, () => setImmediate(() => response.destroy()));
    };
    await using web = await server(lying, status(416), whole);
    await using source = await open({ uri: web.uri }, places(place));
    expect(source.sha256).to.equal(digest);
  });

  it('is tried again when next to nothing comes', async () => {
    await using place = await folder();
    const drip: Handler = (_, response) => {
      response.writeHead(200, { etag: '"one"' });
      const timer = setInterval(() => response.write('x'), 20);
      response.once('close', () => clearInterval(timer));
    };
    await using web = await server(drip, files('"two"'));
    await using source = await open({ uri: web.uri }, places(place, { patience: { firstPauseMs: 1, stallMs: 200 } }));
    expect(source.sha256).to.equal(digest);
  });

  it('is tried again after 408, 425, 429 and 5xx', async () => {
    await using place = await folder();
    await using web = await server(status(503), status(408), status(425), status(429), status(502), whole);
    await using source = await open({ uri: web.uri }, places(place));
    expect(source.sha256).to.equal(digest);
  });

  it('is asked for no sooner than the server wants, in seconds or at a time', async () => {
    await using place = await folder();
    const times: number[] = [];
    const at = new Date(Math.ceil(Date.now() / 1000) * 1000 + 3000);
    const asked = (handler: Handler): Handler => (request, response) => {
      times.push(Date.now());
      handler(request, response);
    };
    await using web = await server(...[status(429, { 'retry-after': '1' }), status(503, { 'retry-after': at.toUTCString() }), whole].map(asked));
    await using source = await open({ uri: web.uri }, places(place));
    expect(source.sha256).to.equal(digest);
    expect((times[1] ?? 0) - (times[0] ?? 0)).to.be.at.least(990);
    expect(times[2]).to.be.at.least(at.getTime());
  });

  for (const [encoding, encode] of [['gzip', gzipSync], ['br', brotliCompressSync], ['zstd', zstdCompressSync]] as const) {
    it(`is decoded where a server sends ${encoding} although it was not asked to`, async () => {
      await using place = await folder();
      const encoded = encode(content);
      await using web = await server((_, response) => void response.writeHead(200, { 'content-encoding': encoding, 'content-length': encoded.length, etag: '"one"' }).end(encoded));
      await using source = await open({ uri: web.uri }, places(place));
      expect(source).to.include({ sha256: digest, bytes: content.length });
      expect(web.requests[0]?.headers['accept-encoding']).to.equal('identity');
    });
  }

  it('that is called .gz is kept as it is', async () => {
    await using place = await folder();
    const packed = gzipSync(content);
    await using web = await server((_, response) => void response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': packed.length }).end(packed));
    await using source = await open({ uri: `${web.origin}/rows.csv.gz` }, places(place));
    expect(source.sha256).to.equal(sha256(packed));
  });

  it('that unpacks to more than it may have is stopped', async () => {
    await using place = await folder();
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    await using web = await server((_, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb));
    const error = await codeOf(() => open({ uri: web.uri, maxBytes: 1_000_000 }, places(place)));
    expect(error.code).to.equal('DATA_TOO_LARGE');
    expect(web.requests).to.have.length(1);
  });

  it('follows a redirect within its own address', async () => {
    await using place = await folder();
    await using web = await server(status(302, { location: '/elsewhere.csv' }), whole);
    await using source = await open({ uri: web.uri }, places(place));
    expect(source.sha256).to.equal(digest);
    expect(web.requests[1]?.url).to.equal('/elsewhere.csv');
    expect(source.files[0]?.name).to.equal('rows.csv');
  });

  const refused: readonly (readonly [string, Handler, object, string, RegExp])[] = [
    ['a file that is not there', status(404), {}, 'DATA_REFUSED', /answered 404 Not Found for rows.csv/],
    ['an expired credential', status(403), {}, 'DATA_REFUSED', /403/],
    ['a file that says it is too large', whole, { maxBytes: 1000 }, 'DATA_TOO_LARGE', /rows\.csv has 300000 bytes, more than the 1000/],
    ['a stream that turns out too large', (_, response) => void response.writeHead(200).end(content), { maxBytes: 1000 }, 'DATA_TOO_LARGE', /more than the 1000/],
    ['another file', whole, { sha256: '0'.repeat(64) }, 'DATA_CHECKSUM', new RegExp(`has the SHA-256 ${digest}`)],
    ['a redirect to another address without TLS', status(302, { location: 'http://localhost:1/rows.csv' }), {}, 'DATA_REFUSED', /on to http:\/\/localhost:1, and only https:\/\/ is followed/],
    ['an encoding that nobody knows', (_, response) => void response.writeHead(200, { 'content-encoding': 'pack200' }).end(content), {}, 'DATA_REFUSED', /content encoding "pack200"/],
  ];
  for (const [what, handler, source, code, message] of refused) {
    it(`refuses ${what} at once`, async () => {
      await using place = await folder();
      await using web = await server(handler);
      const error = await codeOf(() => open({ uri: web.uri, ...source }, places(place)));
      expect(error).to.include({ code });
      expect(error.message).to.match(message);
      expect(web.requests).to.have.length(1);
    });
  }

  it('refuses redirects in a circle', async () => {
    await using place = await folder();
    await using web = await server(status(302, { location: '/again' }));
    expect((await codeOf(() => open({ uri: web.uri }, places(place)))).message).to.contain('on in a circle');
  });

  it('refuses a password in the uri without asking', async () => {
    await using place = await folder();
    await using web = await server(whole);
    const error = await codeOf(() => open({ uri: web.uri.replace('http://', 'http://user:secret@') }, places(place)));
    expect(error.code).to.equal('SPEC_SOURCE');
    expect(error.message).not.to.contain('secret');
    expect(web.requests).to.have.length(0);
  });

  it('ends with the signal that asks for it', async () => {
    await using place = await folder();
    const abort = new AbortController();
    await using web = await server((_, response) => {
      response.writeHead(200);
      response.write(content, () => abort.abort(new Error('enough')));
    });
    expect((await codeOf(() => open({ uri: web.uri }, places(place), abort.signal))).message).to.match(/enough|aborted/);
  });
});
