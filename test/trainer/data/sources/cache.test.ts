import { spawn } from 'node:child_process';
import { globSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { folder, root, until } from '../../support.ts';
import { content, digest, files, open, places, server, sha256 } from './support.ts';
import type { Handler, Web } from './support.ts';

const other = Buffer.from('other rows');
const bodies = (web: Web): number => web.requests.filter(({ headers }) => headers['if-none-match'] === undefined).length;

/** Opens a source and gives its digest, having released it. */
async function digestOf(uri: string, at: Parameters<typeof open>[1], source: object = {}): Promise<string> {
  await using opened = await open({ uri, ...source }, at);
  return opened.sha256;
}

function opening(uri: string, cache: string) {
  const child = spawn(process.execPath, [path.join(root, 'test/trainer/data/sources/stub/open-source.ts'), uri, cache], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  const ended = new Promise<string>((resolve) => child.once('close', () => resolve(said.trim())));
  return { child, ended };
}

describe('the cache of a source', function suite() {
  this.timeout(60_000);

  it('spares the download of a file that the server says is unchanged', async () => {
    await using place = await folder();
    await using web = await server(files('"one"'));
    for (let trial = 0; trial < 3; trial++) expect(await digestOf(web.uri, places(place))).to.equal(digest);
    expect(web.requests.map(({ headers }) => headers['if-none-match'])).to.deep.equal([undefined, '"one"', '"one"']);
  });

  it('brings a changed file anew', async () => {
    await using place = await folder();
    await using web = await server(files('"one"'), files('"two"', other), files('"two"', other), files('"two"', other));
    expect(await digestOf(web.uri, places(place))).to.equal(digest);
    expect(await digestOf(web.uri, places(place))).to.equal(sha256(other));
    expect(await digestOf(web.uri, places(place))).to.equal(sha256(other));
    expect(web.requests.at(-1)?.headers['if-none-match']).to.equal('"two"');
  });

  const aged = (minutes: number): Handler => (_, response) => {
    const date = new Date();
    response.writeHead(200, { 'content-length': content.length, date: date.toUTCString(), 'last-modified': new Date(date.getTime() - minutes * 60_000 - date.getTime() % 60_000).toUTCString() }).end(content);
  };
  const written = (when: string): Handler => (_, response) => void response.writeHead(200, { 'content-length': content.length, 'last-modified': when }).end(content);

  it('goes by length and time of the last change where there is no ETag, if that is a while ago', async () => {
    await using place = await folder();
    await using old = await server(written('Thu, 01 Jan 2026 00:00:00 GMT'));
    await using young = await server(aged(0));
    for (const web of [old, young]) for (let trial = 0; trial < 2; trial++) await digestOf(web.uri, places(place));
    // All ask by the same request; whether the body was read shows in the partial file, which is gone at once where it was not.
    expect(globSync(`${place.path}/data/files/refs/*`).map((file) => JSON.parse(readFileSync(file, 'utf8')) as { version?: string }).filter(({ version }) => version !== undefined)).to.have.length(1);
  });

  it('asks nobody for a file whose digest is known', async () => {
    await using place = await folder();
    await using web = await server(files('"one"'));
    await digestOf(web.uri, places(place));
    expect(await digestOf('http://127.0.0.1:1/elsewhere.csv', places(place), { sha256: digest })).to.equal(digest);
  });

  it('notices a file that is not what it was', async () => {
    await using place = await folder();
    await using web = await server(files('"one"'));
    await digestOf(web.uri, places(place));
    writeFileSync(`${place.path}/data/files/blobs/${digest}`, 'damaged');
    expect(await digestOf(web.uri, places(place))).to.equal(digest);
    expect(bodies(web)).to.equal(2);
  });

  it('takes a file whose times were lost, once its digest is found right', async () => {
    await using place = await folder();
    await using web = await server(files('"one"'));
    await digestOf(web.uri, places(place));
    const blob = `${place.path}/data/files/blobs/${digest}`;
    utimesSync(blob, 1e9, 1e9);
    expect(await digestOf(web.uri, places(place))).to.equal(digest);
    expect(bodies(web)).to.equal(1);
    expect(statSync(blob).mtimeMs).not.to.equal(1e12);
  });

  it('writes no uri down, which may hold a signature', async () => {
    await using place = await folder();
    await using web = await server(files('"one"'));
    await digestOf(`${web.uri}&X-Amz-Signature=c0ffee`, places(place));
    for (const file of globSync(`${place.path}/data/files/{refs,partial}/*`)) expect(`${file}${readFileSync(file, 'utf8')}`).not.to.match(/c0ffee|127\.0\.0\.1/);
  });

  it('lets one of several processes bring a file for all', async () => {
    await using place = await folder();
    const slow: Handler = (request, response) => {
      if (request.headers['if-none-match'] !== undefined) files('"one"')(request, response);
      else setTimeout(() => files('"one"')(request, response), 1500);
    };
    await using web = await server(slow);
    const started = [1, 2, 3].map(() => opening(web.uri, `${place.path}/data`));
    expect(await Promise.all(started.map(({ ended }) => ended))).to.deep.equal([digest, digest, digest]);
    expect(bodies(web)).to.equal(1);
    expect(globSync(`${place.path}/data/files/{uses,partial}/*`)).to.deep.equal([]);
  });

  it('goes on with what a killed process had brought', async () => {
    await using place = await folder();
    const stuck: Handler = (_, response) => {
      response.writeHead(200, { etag: '"one"', 'content-length': content.length });
      response.write(content.subarray(0, 200_000));
    };
    await using web = await server(stuck, files('"one"'));
    const killed = opening(web.uri, `${place.path}/data`);
    const partial = (): string | undefined => globSync(`${place.path}/data/files/partial/*[0-9]`).find((file) => statSync(file).size > 0);
    await until(() => partial() !== undefined, 'a part of the file is on disk');
    killed.child.kill('SIGKILL');
    await killed.ended;
    // As if half a minute had gone by.
    utimesSync(partial() ?? '', 1e9, 1e9);
    expect(await digestOf(web.uri, places(place))).to.equal(digest);
    expect(web.requests[1]?.headers.range).to.match(/^bytes=[1-9]\d*-$/);
    expect(globSync(`${place.path}/data/files/partial/*`)).to.deep.equal([]);
  });

  describe('and the note of a job', () => {
    const noteOf = (place: { path: string }, jobUid: string) => ({ note: { folder: `${place.path}/data`, jobUid } });

    it('give a later attempt what the first one read, without asking', async () => {
      await using place = await folder();
      await using web = await server(files('"one"'), files('"two"', other));
      expect(await digestOf(web.uri, places(place, noteOf(place, 'a')))).to.equal(digest);
      expect(await digestOf(web.uri, places(place, noteOf(place, 'a')))).to.equal(digest);
      expect(web.requests).to.have.length(1);
      expect(await digestOf(web.uri, places(place, noteOf(place, 'b')))).to.equal(sha256(other));
      expect(await digestOf(web.uri, places(place, noteOf(place, 'a')), { maxBytes: 1e9 })).to.equal(sha256(other));
    });

    it('give all replicas what the first of them noted, though the source changed between them', async () => {
      await using place = await folder();
      let asked = 0;
      // No validators, so that each would bring what it finds.
      await using web = await server((_, response) => void response.writeHead(200).end(`rows as of request ${asked++}`));
      const digests = await Promise.all([1, 2, 3].map(() => digestOf(web.uri, places(place, noteOf(place, 'a')))));
      expect(new Set(digests).size).to.equal(1);
    });
  });
});
