import { mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { codeOf, folder } from '../../support.ts';
import type { Folder } from '../../support.ts';
import { open, places, sha256 } from './support.ts';

const names = ['b.csv', 'a.csv', 'Z.csv', 'empty.csv', '.hidden.csv', 'notes.txt', '2026/01/x.csv', '2026/02/x.csv', '.git/y.csv'];

/** A volume with the named files; what is in them is their name. */
async function volume(written: readonly string[] = names): Promise<Folder> {
  const place = await folder();
  for (const name of written) {
    mkdirSync(path.join(place.path, path.dirname(name)), { recursive: true });
    place.write(name, name.startsWith('empty') ? '' : name);
  }
  return place;
}

async function namesOf(place: Folder, uri: string, source: object = {}): Promise<string[]> {
  await using opened = await open({ uri, ...source }, places(place));
  return opened.files.map(({ name }) => name);
}

describe('a source on a volume', () => {
  it('is read from where the operator mounted it', async () => {
    await using place = await volume();
    for (const uri of ['configmap://digits/a.csv', 'pvc://lake/a.csv', `file://${place.path}/a.csv`]) {
      await using source = await open({ uri }, places(place));
      expect(source).to.include({ sha256: sha256('a.csv'), bytes: 5 });
      expect(source.files).to.deep.equal([{ path: `${place.path}/a.csv`, name: 'a.csv', bytes: 5, sha256: sha256('a.csv') }]);
    }
  });

  it('is the files that a pattern matches, by code unit, without hidden and empty ones', async () => {
    await using place = await volume();
    expect(await namesOf(place, 'pvc://lake/*.csv')).to.deep.equal(['Z.csv', 'a.csv', 'b.csv']);
    expect(await namesOf(place, 'pvc://lake/?.csv')).to.deep.equal(['Z.csv', 'a.csv', 'b.csv']);
    expect(await namesOf(place, 'pvc://lake/**/x.csv')).to.deep.equal(['2026/01/x.csv', '2026/02/x.csv']);
    expect(await namesOf(place, 'pvc://lake/2026/')).to.deep.equal(['01/x.csv', '02/x.csv']);
    expect(await namesOf(place, `file://${place.path}/2026/*/x.csv`)).to.deep.equal(['01/x.csv', '02/x.csv']);
    expect(await namesOf(place, 'pvc://lake/')).to.deep.equal(['2026/01/x.csv', '2026/02/x.csv', 'Z.csv', 'a.csv', 'b.csv', 'notes.txt']);
  });

  it('has the digest of what sha256sum prints of several files, and of one file its own', async () => {
    await using place = await volume();
    await using several = await open({ uri: 'pvc://lake/2026/' }, places(place));
    expect(several.sha256).to.equal(sha256(`${sha256('2026/01/x.csv')}  01/x.csv\n${sha256('2026/02/x.csv')}  02/x.csv\n`));
    await using one = await open({ uri: 'pvc://lake/[a]*.csv'.replace('[a]', 'a'), sha256: sha256('a.csv') }, places(place));
    expect(one.sha256).to.equal(sha256('a.csv'));
  });

  it('may have blanks, percent signs and marks in its name', async () => {
    await using place = await volume(['a b.csv', '100%.csv', 'x#1?.csv', 'ü.csv']);
    expect(await namesOf(place, 'pvc://lake/a%20b.csv')).to.deep.equal(['a b.csv']);
    expect(await namesOf(place, 'pvc://lake/100%.csv')).to.deep.equal(['100%.csv']);
    expect(await namesOf(place, 'pvc://lake/x#1%3F.csv')).to.deep.equal(['x#1?.csv']);
    expect(await namesOf(place, 'pvc://lake/%C3%BC.csv')).to.deep.equal(['ü.csv']);
  });

  it('follows links to files and folders, but not in a circle', async () => {
    await using place = await volume(['real/a.csv']);
    symlinkSync('real/a.csv', `${place.path}/key.csv`);
    symlinkSync('real', `${place.path}/linked`);
    symlinkSync('..', `${place.path}/real/up`);
    expect(await namesOf(place, 'pvc://lake/key.csv')).to.deep.equal(['key.csv']);
    expect(await namesOf(place, 'pvc://lake/**/*.csv')).to.deep.equal(['key.csv', 'linked/a.csv', 'real/a.csv']);
  });

  const wrong: readonly (readonly [string, string, object, string, RegExp])[] = [
    ['a file that is not there', 'pvc://lake/other.csv', {}, 'DATA_NOT_FOUND', /There is no readable file at pvc:\/\/lake\/other.csv; in pvc:\/\/lake\/ there are "2026\/", "Z.csv", "a.csv", "b.csv"/],
    ['a folder that is not there', 'pvc://lake/2026/13/*.csv', {}, 'DATA_NOT_FOUND', /no file that matches .*; in pvc:\/\/lake\/2026\/ there are "01\/", "02\/"/],
    ['a pattern that matches empty files alone', 'pvc://lake/empty*', {}, 'DATA_NOT_FOUND', /no file that matches/],
    ['a folder', 'pvc://lake/2026', {}, 'DATA_NOT_FOUND', /is a folder.*write a slash behind it/],
    ['too large a file', 'pvc://lake/a.csv', { maxBytes: 3 }, 'DATA_TOO_LARGE', /a.csv has 5 bytes, more than the 3/],
    ['files that are too large together', 'pvc://lake/*.csv', { maxBytes: 10 }, 'DATA_TOO_LARGE', /3 files of pvc:\/\/lake\/\*.csv have 15 bytes.*fewer files/],
    ['too many files', 'pvc://lake/', { maxFiles: 2 }, 'DATA_TOO_LARGE', /more than the 2 files that source.maxFiles allows/],
    ['a digest of several files', 'pvc://lake/*.csv', { sha256: '0'.repeat(64) }, 'SPEC_CONFLICT', /sha256 goes with one file, and .* matches 3/],
    ['a way out of the volume', 'pvc://lake/2026/../../etc/passwd', {}, 'SPEC_SOURCE', /PATH has no "\.\."/],
    ['an escaped way out of the volume', 'pvc://lake/%2E%2E/passwd', {}, 'SPEC_SOURCE', /PATH has no "\.\."/],
    ['a scheme that nobody knows', 'ftp://lake/a.csv', {}, 'SPEC_SOURCE', /Write http:\/\/, https:\/\/, file/],
    ['a file without a path', 'file:///', {}, 'SPEC_SOURCE', /absolute path/],
  ];
  for (const [what, uri, source, code, message] of wrong) {
    it(`refuses ${what}`, async () => {
      await using place = await volume();
      const error = await codeOf(() => open({ uri, ...source }, places(place)));
      expect(error.code).to.equal(code);
      expect(error.at).to.match(/^spec\.trainer\.data\.source\./);
      expect(error.message).to.match(message);
    });
  }

  it('is only in a cluster', async () => {
    await using place = await volume();
    expect((await codeOf(() => open({ uri: 'pvc://lake/a.csv' }, places(place, { mounted: undefined })))).code).to.equal('SPEC_SOURCE');
  });
});
