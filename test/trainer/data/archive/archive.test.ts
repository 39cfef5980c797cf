import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect } from 'chai';
import fc from 'fast-check';
import { askPython } from '../../../../hack/python/venv.ts';
import { readTar } from '../../../../trainer-image/src/data/archive/tar.ts';
import { readZip } from '../../../../trainer-image/src/data/archive/zip.ts';
import { codeOf, folder } from '../../support.ts';

const limits = { maxBytes: 50_000_000, maxFiles: 100 };
const long = `${'deep/'.repeat(40)}${'n'.repeat(90)}.txt`;

async function zipped(path: string, some = limits): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const file of await readZip(path, 'a.zip', some)) {
    const content = Buffer.concat(await (await file.stream()).toArray() as Buffer[]);
    expect(content.length).to.equal(file.bytes);
    found[file.name] = content.toString('latin1');
  }
  return found;
}

async function tarred(path: string, some = limits, skips: (name: string) => boolean = () => false): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const file of readTar(path, 'a.tar', some)) if (!skips(file.name)) found[file.name] = (await file.read()).toString('latin1');
  return found;
}

const write = `
import io, json, sys, tarfile, zipfile
folder, files = json.load(sys.stdin)
def add(tar, name, content):
    info = tarfile.TarInfo(name); info.size = len(content); tar.addfile(info, io.BytesIO(content))
for name, method, zip64 in [('stored', 0, False), ('deflated', 8, False), ('wide', 8, True)]:
    with zipfile.ZipFile(f'{folder}/{name}.zip', 'w', method) as archive:
        archive.mkdir('folder')
        for file, text in files.items():
            with archive.open(zipfile.ZipInfo(file), 'w', force_zip64=zip64) as member:
                member._compress_type = method
                member.write(text.encode('latin1'))
        archive.comment = b'a comment PK'
for name, format, mode in [('ustar', tarfile.USTAR_FORMAT, 'w'), ('gnu', tarfile.GNU_FORMAT, 'w'), ('pax', tarfile.PAX_FORMAT, 'w:gz')]:
    with tarfile.open(f'{folder}/{name}.tar', mode, format=format) as tar:
        info = tarfile.TarInfo('./folder'); info.type = tarfile.DIRTYPE; tar.addfile(info)
        for file, text in files.items():
            if format != tarfile.USTAR_FORMAT or len(file) < 100: add(tar, './' + file, text.encode('latin1'))
print('null')`;

describe('archives', function suite() {
  this.timeout(300_000);
  const files: Record<string, string> = { 'a.txt': 'a', 'empty.txt': '', 'ü/b.txt': 'x'.repeat(70_000), [long]: 'long', 'blocks.bin': '\xff'.repeat(1024) };

  it('of any kind hold what was packed', async () => {
    await using place = await folder();
    await askPython('science', write, [place.path, files]);
    for (const name of ['stored', 'deflated', 'wide']) expect(await zipped(`${place.path}/${name}.zip`), name).to.deep.equal(files);
    const { [long]: _, ...short } = files;
    expect(await tarred(`${place.path}/ustar.tar`)).to.deep.equal(short);
    for (const name of ['gnu', 'pax']) expect(await tarred(`${place.path}/${name}.tar`), name).to.deep.equal(files);
    expect(await tarred(`${place.path}/pax.tar`, limits, (name) => name !== 'blocks.bin')).to.deep.equal({ 'blocks.bin': files['blocks.bin'] });
  });

  const harmful = `
import io, json, sys, tarfile, zipfile
folder = json.load(sys.stdin)
def tar(name, build):
    with tarfile.open(f'{folder}/{name}', 'w') as archive: build(archive)
def file(archive, name, size=3, type=tarfile.REGTYPE):
    info = tarfile.TarInfo(name); info.size = size if type == tarfile.REGTYPE else 0; info.type = type; info.linkname = '/etc/passwd'
    archive.addfile(info, io.BytesIO(b'x' * size))
tar('up.tar', lambda archive: file(archive, 'a/../../x'))
tar('absolute.tar', lambda archive: file(archive, '/x'))
tar('link.tar', lambda archive: file(archive, 'x', type=tarfile.SYMTYPE))
tar('device.tar', lambda archive: file(archive, 'x', type=tarfile.CHRTYPE))
tar('many.tar', lambda archive: [file(archive, f'{n}') for n in range(101)])
with tarfile.open(f'{folder}/bomb.tar', 'w:gz') as archive: file(archive, 'x', 60_000_000)
for name, inside in [('up.zip', '../x'), ('absolute.zip', '/x'), ('windows.zip', 'a\\\\..\\\\x')]:
    with zipfile.ZipFile(f'{folder}/{name}', 'w') as archive: archive.writestr(zipfile.ZipInfo(inside), b'x')
with zipfile.ZipFile(f'{folder}/bomb.zip', 'w', 8) as archive: archive.writestr('x', b'x' * 60_000_000)
with zipfile.ZipFile(f'{folder}/many.zip', 'w') as archive: [archive.writestr(str(n), b'x') for n in range(101)]
with zipfile.ZipFile(f'{folder}/method.zip', 'w', zipfile.ZIP_BZIP2) as archive: archive.writestr('x', b'x')
print('null')`;

  it('are refused that would write outside of their folder, or fill memory', async () => {
    await using place = await folder();
    await askPython('science', harmful, place.path);
    const table: readonly (readonly [string, string, RegExp])[] = [
      ['up.tar', 'DATA_ARCHIVE', /holds "a\/\.\.\/\.\.\/x", which is no path below/], ['absolute.tar', 'DATA_ARCHIVE', /holds "\/x"/], ['link.tar', 'DATA_ARCHIVE', /"x" in it is a link or a device/],
      ['device.tar', 'DATA_ARCHIVE', /a link or a device/], ['many.tar', 'DATA_TOO_LARGE', /101 files, more than the 100/], ['bomb.tar', 'DATA_TOO_LARGE', /60000000 bytes, more than the 50000000/],
      ['up.zip', 'DATA_ARCHIVE', /holds "\.\.\/x"/], ['absolute.zip', 'DATA_ARCHIVE', /holds "\/x"/], ['windows.zip', 'DATA_ARCHIVE', /no path below/],
      ['bomb.zip', 'DATA_TOO_LARGE', /60000000 bytes/], ['many.zip', 'DATA_TOO_LARGE', /101 files/], ['method.zip', 'DATA_ARCHIVE', /compressed by method 12, and only deflate is known/],
    ];
    for (const [name, code, message] of table) {
      const error = await codeOf(() => (name.endsWith('.zip') ? zipped : tarred)(`${place.path}/${name}`));
      expect(error, name).to.include({ code });
      expect(error.message).to.match(message);
    }
  });

  it('whose directory lies about what is in them are found out', async () => {
    await using place = await folder();
    await askPython('science', write, [place.path, files]);
    const whole = readFileSync(`${place.path}/deflated.zip`);
    // In the directory: size and CRC-32 of what "ü/b.txt" unpacks to.
    const entry = whole.lastIndexOf(Buffer.from('ü/b.txt')) - 46;
    const changed = (change: (bytes: Buffer) => void): string => {
      const bytes = Buffer.from(whole);
      change(bytes);
      writeFileSync(`${place.path}/changed.zip`, bytes);
      return `${place.path}/changed.zip`;
    };
    const table: readonly (readonly [(bytes: Buffer) => void, RegExp])[] = [
      [(bytes) => void bytes.writeUInt32LE(10, entry + 24), /unpacks to more than the 10 bytes that it says/],
      [(bytes) => void bytes.writeUInt32LE(70_001, entry + 24), /unpacks to 70000 of the 70001 bytes/],
      [(bytes) => void bytes.writeUInt32LE(1, entry + 16), /is not what was packed \(CRC-32\)/],
      [(bytes) => void bytes.writeUInt16LE(1, entry + 8), /is encrypted/],
      [(bytes) => void bytes.writeUInt32LE(5, entry + 42), /is not where its directory says/],
      [(bytes) => void bytes.writeUInt32LE(0, entry), /its directory is damaged/],
    ];
    for (const [change, message] of table) expect((await codeOf(() => zipped(changed(change)))).message).to.match(message);
  });

  it('in gzip are read to its checksum', async () => {
    await using place = await folder();
    await askPython('science', write, [place.path, { 'a.txt': 'a' }]);
    const path = `${place.path}/pax.tar`;
    const whole = readFileSync(path);
    for (const at of [whole.length - 8, whole.length - 1]) {
      writeFileSync(path, whole.with(at, (whole[at] ?? 0) ^ 1));
      expect(await codeOf(() => tarred(path))).to.include({ code: 'DATA_ARCHIVE', at: 'a.tar' });
    }
    writeFileSync(path, gzipSync(Buffer.concat([gunzipSync(whole), Buffer.alloc(4_000_000)])));
    expect(await codeOf(() => tarred(path, { ...limits, maxBytes: 1_000_000 }))).to.have.property('message').that.matches(/goes on long after its end/);
  });

  it('that are cut off or damaged anywhere end in one sentence, or give what was packed', async () => {
    await using place = await folder();
    await askPython('science', write, [place.path, { 'a.txt': 'some text that is long enough to be worth compressing, compressing, compressing', 'b.txt': 'b' }]);
    const originals = await Promise.all(['stored.zip', 'deflated.zip', 'gnu.tar', 'pax.tar'].map(async (name) => ({ name, bytes: readFileSync(`${place.path}/${name}`), content: await (name.endsWith('.zip') ? zipped : tarred)(`${place.path}/${name}`) })));
    await fc.assert(fc.asyncProperty(fc.constantFrom(...originals), fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(255), fc.boolean(), async ({ name, bytes, content }, share, byte, cuts) => {
      const at = Math.floor(share * (bytes.length - 1));
      const path = `${place.path}/damaged-${name}`;
      const changed = Buffer.from(bytes);
      changed[at] = byte;
      writeFileSync(path, changed);
      if (cuts) truncateSync(path, at);
      try {
        const found = await (name.endsWith('.zip') ? zipped : tarred)(path);
        // A tar file has no digest of what is in it, and names may be damaged; what a zip file or gzip gives is right.
        if (name !== 'gnu.tar' && !cuts) expect(Object.values(found).every((text) => Object.values(content).includes(text))).to.equal(true);
      } catch (error) {
        expect((error as { code?: string }).code).to.be.oneOf(['DATA_ARCHIVE', 'DATA_TOO_LARGE']);
      }
      expect(statSync(path).size).to.be.at.most(bytes.length);
    }), { numRuns: 300 });
  });
});
