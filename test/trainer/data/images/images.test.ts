import { globSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { askPython } from '../../../../hack/python/venv.ts';
import { readImages } from '../../../../trainer-image/src/data/images/index.ts';
import { firstFrame, headerOf } from '../../../../trainer-image/src/data/images/header.ts';
import type { ImageSize } from '../../../../trainer-image/src/data/images/decode.ts';
import type { LocalFile } from '../../../../trainer-image/src/data/source.ts';
import { textAt } from '../../../../trainer-image/src/data/table.ts';
import type { Table, TextColumn } from '../../../../trainer-image/src/data/table.ts';
import { loadPredictor } from '../../../../trainer-image/src/serve/predictor.ts';
import { codeOf, folder, succeeded, train, trainerSpec } from '../../support.ts';

const limits = { maxBytes: 1e9, maxFiles: 1000 };
const local = (root: string, name: string): LocalFile => ({ path: path.join(root, name), name, bytes: statSync(path.join(root, name)).size, sha256: name });
const filesIn = (root: string): LocalFile[] => globSync('**/*.*', { cwd: root }).sort().map((name) => local(root, name));
const read = (files: readonly LocalFile[], size: ImageSize, some = limits): Promise<Table> => readImages(files, { size, limits: some, classes: true, signal: new AbortController().signal });
const labels = ({ columns: [label] }: Table): (string | null)[] => Array.from((label as TextColumn).codes, (_, row) => textAt(label as TextColumn, row));

/** Images of every kind in folders of two classes, an archive of each sort of them, and what TensorFlow's Python makes of each at two sizes. */
const make = `
import base64, io, json, os, struct, sys, tarfile, zipfile
import numpy as np, tensorflow as tf
root = json.load(sys.stdin)
rng = np.random.default_rng(3)
def smooth(h, w, c): return np.clip(tf.image.resize(rng.integers(0, 256, (5, 7, c)), (h, w)).numpy(), 0, 255).astype('u1')
def bmp(x):
    h, w, _ = x.shape; pad = (-3 * w) % 4
    rows = b''.join(x[r, :, ::-1].tobytes() + b'\\0' * pad for r in range(h - 1, -1, -1))
    return b'BM' + struct.pack('<IHHI', 54 + len(rows), 0, 0, 54) + struct.pack('<IiiHHIIiiII', 40, w, h, 1, 24, 0, len(rows), 0, 0, 0, 0) + rows
def gif(frames):
    h, w = frames[0].shape
    out = b'GIF89a' + struct.pack('<HHBBB', w, h, 0xf7, 0, 0) + bytes(v for i in range(256) for v in (i, 255 - i, i // 2))
    for x in frames:
        codes = [c for at, v in enumerate(x.ravel()) for c in ([256] if at % 100 == 0 else []) + [int(v)]] + [257]
        bits = sum(c << (9 * at) for at, c in enumerate(codes)); data = bits.to_bytes((9 * len(codes) + 7) // 8, 'little')
        out += b'\\x21\\xf9\\x04\\0\\5\\0\\0\\0' + b'\\x2c' + struct.pack('<HHHHB', 0, 0, w, h, 0) + b'\\x08' + b''.join(bytes([len(data[at:at + 255])]) + data[at:at + 255] for at in range(0, len(data), 255)) + b'\\0'
    return out + b';'
files = {
    'cats/colour.png': tf.io.encode_png(smooth(31, 45, 3)).numpy(), 'cats/grey.png': tf.io.encode_png(smooth(20, 20, 1)).numpy(),
    'cats/alpha.png': tf.io.encode_png(smooth(17, 9, 4)).numpy(), 'cats/deep.png': tf.io.encode_png(smooth(12, 12, 3).astype('u2') * 257).numpy(),
    'cats/photo.jpg': tf.io.encode_jpeg(smooth(64, 48, 3), quality=90).numpy(), 'dogs/grey.jpg': tf.io.encode_jpeg(smooth(33, 21, 1)).numpy(),
    'dogs/progressive.jpeg': tf.io.encode_jpeg(smooth(40, 40, 3), progressive=True).numpy(), 'dogs/bitmap.bmp': bmp(smooth(13, 11, 3)),
    'dogs/print.jpg': base64.b64decode('/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwAQCwwODAoQDg0OEhEQExgoGhgWFhgxIyUdKDozPTw5Mzg3QEhcTkBEV0U3OFBtUVdfYmdoZz5NcXlwZHhcZWdj/8AAFAgACAAIBEMRAE0RAFkRAEsRAP/EABYAAQEBAAAAAAAAAAAAAAAAAAYAB//EABwQAAEDBQAAAAAAAAAAAAAAAAAGF0RlgqTC4v/aAA4EQwBNAFkASwAAPwCbKr43YgVUW/U0AWH/2Q=='),
    'dogs/below/moving.gif': gif([smooth(10, 14, 1)[..., 0], smooth(10, 14, 1)[..., 0]]),
}
for name, content in files.items():
    os.makedirs(os.path.dirname(f'{root}/tree/{name}'), exist_ok=True)
    open(f'{root}/tree/{name}', 'wb').write(content)
os.makedirs(f'{root}/packed')
with zipfile.ZipFile(f'{root}/packed/flat.zip', 'w') as a:
    for n, c in files.items(): a.writestr(n, c)
with zipfile.ZipFile(f'{root}/packed/wrapped.zip', 'w', 8) as a:
    a.writestr('__MACOSX/pets/cats/._colour.png', b'x'); a.writestr('pets/.DS_Store', b'x')
    for n, c in files.items(): a.writestr(f'pets/{n}', c)
for n, mode in [('plain.tar', 'w'), ('packed.tar.gz', 'w:gz'), ('short.tgz', 'w:gz')]:
    with tarfile.open(f'{root}/packed/{n}', mode) as a: a.add(f'{root}/tree', arcname='pets')
def seen(content, h, w, c):
    kind = content[:2]
    x = tf.io.decode_image(content, channels=3 if kind in (b'BM', b'GI') or content == files['dogs/print.jpg'] else c, expand_animations=False)
    x = tf.cast(x, tf.float32) if x.shape[:2] == (h, w) else tf.image.resize(x, (h, w), method='bilinear')
    if c == 1 and x.shape[2] == 3: x = tf.image.rgb_to_grayscale(x)
    return np.rint(x.numpy()).astype(int).ravel().tolist()
print(json.dumps({f'{h},{w},{c}': [seen(files[n], h, w, c) for n in sorted(files)] for h, w, c in [(16, 24, 3), (12, 12, 1), (31, 45, 3)]}))`;

describe('images', function suite() {
  this.timeout(400_000);

  it('of every kind are to the byte what Keras makes of them, as files and in archives', async () => {
    await using place = await folder();
    const seen = await askPython('keras', make, place.path) as Record<string, number[][]>;
    const files = filesIn(`${place.path}/tree`);
    for (const [key, expected] of Object.entries(seen)) {
      const [height = 0, width = 0, channels = 3] = key.split(',').map(Number);
      const size: ImageSize = { height, width, channels: channels === 1 ? 1 : 3 };
      const table = await read(files, size);
      expect(labels(table)).to.deep.equal([...Array<string>(5).fill('cats'), ...Array<string>(5).fill('dogs')]);
      expect(table.vector).to.include({ kind: 'Vector', name: 'image', width: height * width * channels }).and.to.deep.include({ shape: [height, width, channels] });
      for (const [row, values] of expected.entries()) {
        const found = [...table.vector?.values.subarray(row * values.length, (row + 1) * values.length) ?? []];
        // Grey of colours is a sum, whose last digit may fall to either side of a half.
        const most = channels === 1 ? 1 : 0;
        expect(found.every((value, at) => Math.abs(value - (values[at] ?? NaN)) <= most), `${files[row]?.name ?? ''} at ${key}`).to.equal(true);
        expect(found.filter((value, at) => value !== values[at]).length).to.be.at.most(values.length / 100);
      }
    }
    const size: ImageSize = { height: 16, width: 24, channels: 3 };
    const whole = await read(files, size);
    for (const name of ['flat.zip', 'wrapped.zip', 'plain.tar', 'packed.tar.gz', 'short.tgz']) expect(await read([local(`${place.path}/packed`, name)], size), name).to.deep.equal(whole);
    expect((await read([...files, local(`${place.path}/packed`, 'flat.zip')], size)).rows).to.equal(20);

    await brokenOnes(place.path, files);
    await trained(place.path);
  });

  async function brokenOnes(root: string, files: readonly LocalFile[]): Promise<void> {
    const photo = readFileSync(`${root}/tree/cats/photo.jpg`);
    const png = readFileSync(`${root}/tree/cats/colour.png`);
    const huge = Buffer.from(png);
    huge.writeUInt32BE(100_000, 16);
    huge.writeUInt32BE(100_000, 20);
    const table: readonly (readonly [string, Buffer, RegExp])[] = [
      ['cats/a text.jpg', Buffer.from('no image'), /^cats\/a text.jpg is no PNG, JPEG, BMP or GIF\. Remove it, or write a pattern/],
      ['cats/half.jpg', photo.subarray(0, photo.length / 2), /cats\/half.jpg cannot be decoded/],
      ['cats/cut.png', png.subarray(0, 60), /cats\/cut.png cannot be decoded/],
      ['cats/huge.png', huge, /cats\/huge.png says that it has 100000 × 100000 pixels/],
      ['cats/head.gif', readFileSync(`${root}/tree/dogs/below/moving.gif`).subarray(0, 900), /ends within its first frame/],
      ['image.png', png, /image.png lies in no folder, and its folder is its class/],
    ];
    for (const [name, content, message] of table) {
      writeFileSync(`${root}/broken`, content);
      const error = await codeOf(() => read([...files, { ...local(root, 'broken'), name }], { height: 8, width: 8, channels: 3 }));
      expect(error).to.include({ code: 'DATA_IMAGE', at: name });
      expect(error.message).to.match(message);
    }
    const two = await codeOf(() => read([...files, { ...local(root, 'broken'), path: import.meta.filename, name: 'cats/x.ts' }, { ...local(root, 'broken'), path: import.meta.filename, name: 'cats/y.ts' }], { height: 8, width: 8, channels: 3 }));
    expect(two.message).to.contain('cats/x.ts is no PNG').and.to.contain('"cats/y.ts" cannot be read either: 2 of 12 images in all. Remove them');
    expect((await codeOf(() => read([local(`${root}/packed`, 'flat.zip')], { height: 8, width: 8, channels: 3 }, { ...limits, maxFiles: 3 }))).code).to.equal('DATA_TOO_LARGE');
  }

  /** From a folder of images to an answer about one. */
  async function trained(root: string): Promise<void> {
    const spec = trainerSpec({
      data: {
        source: { uri: `file://${root}/tree/`, format: 'Images', images: { height: 8, width: 8, channels: 3 } }, target: 'label', split: { validation: 0, test: 0 }, pipeline: [{ scale: { method: 'MinMax' } }],
      },
      model: { preset: 'CNN', filters: 4, units: [8] }, fit: { epochs: 3, batchSize: 4 },
    });
    const result = succeeded(await train(spec, `${root}/volume`));
    expect(result.epochs).to.equal(3);
    const predictor = await loadPredictor(`${root}/volume/model`, 1);
    expect(predictor.preprocessing).to.deep.include({ inputs: [{ name: 'image', kind: 'Vector', shape: [8, 8, 3] }], shape: [8, 8, 3] });
    const [label] = await predictor.predict({ rows: 1, columns: [], vector: { kind: 'Vector', name: 'image', shape: [8, 8, 3], width: 192, values: new Uint8Array(192) } });
    expect(label?.data[0]).to.be.oneOf(['cats', 'dogs']);
  }
});

describe('the first bytes of an image', () => {
  it('say its size, or nothing where they end', () => {
    const png = Buffer.from('89504e470d0a1a0a0000000d494844520000000700000005', 'hex');
    expect(headerOf(png)).to.deep.equal({ kind: 'PNG', width: 7, height: 5 });
    expect(headerOf(Buffer.from('474946383961070005', 'hex'))).to.equal(undefined);
    expect(headerOf(Buffer.from('4749463839610700050000000000', 'hex'))).to.deep.equal({ kind: 'GIF', width: 7, height: 5 });
    expect(headerOf(Buffer.from('ffd8ffe000040000ffc20008080005000703', 'hex'))).to.deep.equal({ kind: 'JPEG', width: 7, height: 5 });
    for (let length = 0; length < 24; length++) expect(headerOf(png.subarray(0, length))).to.equal(undefined);
    expect(headerOf(Buffer.from('ffd8ffda0000', 'hex'))).to.equal(undefined);
    expect(firstFrame(Buffer.from('474946383961070005000000003b', 'hex'))).to.equal(undefined);
  });
});
