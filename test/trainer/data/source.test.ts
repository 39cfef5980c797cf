import { createHash } from 'node:crypto';
import { globSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { openSource } from '../../../trainer-image/src/data/source.ts';
import type { LocalFile } from '../../../trainer-image/src/data/source.ts';
import { codeOf, folder, trainerSpec, until } from '../support.ts';
import type { Folder } from '../support.ts';

const content = Buffer.from(Array.from({ length: 300_000 }, (_, at) => at % 251));
const digest = createHash('sha256').update(content).digest('hex');

/** Answers request number 1, 2, … with the first, second, … handler, and all later ones with the last. */
async function server(...handlers: ((request: IncomingMessage, response: ServerResponse) => void)[]) {
  const requests: IncomingMessage[] = [];
  const http = createServer((request, response) => {
    requests.push(request);
    handlers[Math.min(requests.length, handlers.length) - 1]?.(request, response);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    requests,
    uri: `http://127.0.0.1:${(http.address() as AddressInfo).port}/lake/rows.csv?v=1`,
    [Symbol.asyncDispose]: async () => {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

const whole = (_: IncomingMessage, response: ServerResponse): void => void response.writeHead(200, { etag: '"one"', 'content-length': content.length }).end(content);

/** Sends the head of the file and cuts the connection once some of it is on disk. */
const cut = (place: Folder) => (_: IncomingMessage, response: ServerResponse): void => {
  response.writeHead(200, { etag: '"one"', 'content-length': content.length });
  response.write(content.subarray(0, 200_000));
  const written = (): boolean => globSync(`${place.path}/data/*.partial`).some((file) => statSync(file).size > 0);
  void until(written, 'a part of the file is on disk').then(() => response.destroy());
};

const rest = (request: IncomingMessage, response: ServerResponse): void => {
  const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1]);
  const body = content.subarray(from);
  response.writeHead(206, { 'content-length': body.length, 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` }).end(body);
};

function open(place: Folder, source: object): Promise<LocalFile> {
  const { data } = trainerSpec({ data: { source, target: 'y' }, model: { preset: 'MLP' } });
  return openSource(data.source, { mounted: place.path, downloads: `${place.path}/data` }, new AbortController().signal, () => undefined);
}

describe('a source by HTTP', () => {
  it('is downloaded and checked', async () => {
    await using place = await folder();
    await using web = await server(whole);
    const file = await open(place, { uri: web.uri, sha256: digest });
    expect(file).to.include({ name: 'rows.csv', bytes: content.length, sha256: digest });
    expect(readFileSync(file.path).equals(content)).to.equal(true);
  });

  it('goes on where it was cut off, by range of the same ETag', async () => {
    await using place = await folder();
    await using web = await server(cut(place), rest);
    expect(await open(place, { uri: web.uri })).to.include({ sha256: digest });
    expect(web.requests[1]?.headers.range).to.match(/^bytes=\d+-$/);
    expect(web.requests[1]?.headers['if-range']).to.equal('"one"');
  });

  it('begins again when the file has changed in between', async () => {
    await using place = await folder();
    await using web = await server(cut(place), whole);
    expect(await open(place, { uri: web.uri })).to.include({ sha256: digest });
  });

  it('tries again after 503 and 429', async () => {
    await using place = await folder();
    const busy = (status: number) => (_: IncomingMessage, response: ServerResponse): void => void response.writeHead(status, { 'retry-after': '0' }).end();
    await using web = await server(busy(503), busy(429), whole);
    expect(await open(place, { uri: web.uri })).to.include({ sha256: digest });
    expect(web.requests).to.have.length(3);
  });

  it('is not downloaded twice for a second attempt', async () => {
    await using place = await folder();
    await using web = await server(whole);
    await open(place, { uri: web.uri });
    await open(place, { uri: web.uri });
    expect(web.requests).to.have.length(1);
  });

  const refused: readonly (readonly [string, (request: IncomingMessage, response: ServerResponse) => void, object, string, RegExp])[] = [
    ['a file that is not there', (_, response) => void response.writeHead(404).end(), {}, 'DATA_REFUSED', /answered 404 Not Found for rows.csv/],
    ['an expired credential', (_, response) => void response.writeHead(403).end(), {}, 'DATA_REFUSED', /403/],
    ['a file that says it is too large', whole, { maxBytes: 1000 }, 'DATA_TOO_LARGE', /has 300000 bytes, more than the 1000/],
    ['a stream that turns out too large', (_, response) => void response.writeHead(200).end(content), { maxBytes: 1000 }, 'DATA_TOO_LARGE', /more than the 1000/],
    ['another file', whole, { sha256: '0'.repeat(64) }, 'DATA_CHECKSUM', new RegExp(`has the SHA-256 ${digest}`)],
  ];
  for (const [what, handler, source, code, message] of refused) {
    it(`refuses ${what} at once`, async () => {
      await using place = await folder();
      await using web = await server(handler);
      const error = await codeOf(() => open(place, { uri: web.uri, ...source }));
      expect(error.code).to.equal(code);
      expect(error.message).to.match(message);
      expect(web.requests).to.have.length(1);
    });
  }
});

describe('a source on a volume', () => {
  it('is read from where the operator mounted it', async () => {
    await using place = await folder();
    place.write('rows.csv', 'a\n1\n');
    for (const uri of ['configmap://digits/rows.csv', 'pvc://lake/rows.csv', `file://${place.path}/rows.csv`]) {
      expect(await open(place, { uri })).to.include({ name: 'rows.csv', bytes: 4 });
    }
  });

  it('is refused when it is not there, a folder, or too large', async () => {
    await using place = await folder();
    place.write('rows.csv', 'a\n1\n');
    expect(await codeOf(() => open(place, { uri: 'pvc://lake/other.csv' }))).to.include({ code: 'DATA_NOT_FOUND', at: 'spec.trainer.data.source.uri' });
    expect(await codeOf(() => open(place, { uri: `file://${place.path}` }))).to.include({ code: 'DATA_NOT_FOUND' });
    expect(await codeOf(() => open(place, { uri: 'pvc://lake/rows.csv', maxBytes: 3 }))).to.include({ code: 'DATA_TOO_LARGE' });
  });
});
