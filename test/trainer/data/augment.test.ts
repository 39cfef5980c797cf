import { expect } from 'chai';
import * as fc from 'fast-check';
import { augmented } from '../../../trainer-image/src/data/augment.ts';
import type { AugmentSpec, ImageShape } from '../../../trainer-image/src/data/augment.ts';

const shape: ImageShape = [6, 8, 2];
const size = 6 * 8 * 2;
const images = Float32Array.from({ length: 5 * size }, (_, at) => ((at * 7919) % 255) / 255);
const rows = Int32Array.of(3, 17, 4, 99, 0);
const all: AugmentSpec = { flip: 'Both', shift: 0.2, rotate: 30, zoom: 0.2, brightness: 0.2, contrast: 0.3, noise: 0.05, cutout: 0.3 };
const imageOf = (of: Float32Array, at: number): number[] => [...of.subarray(at * size, (at + 1) * size)];

describe('changed images', () => {
  it('depend on seed, epoch and row alone, not on the batch they are in', () => {
    const batch = augmented(images, shape, rows, all, 1, 2);
    expect(augmented(images, shape, rows, all, 1, 2)).to.deep.equal(batch);
    rows.forEach((row, at) => expect([...augmented(images.subarray(at * size, (at + 1) * size), shape, Int32Array.of(row), all, 1, 2)]).to.deep.equal(imageOf(batch, at)));
    for (const other of [augmented(images, shape, rows, all, 2, 2), augmented(images, shape, rows, all, 1, 3), augmented(images, shape, rows.map((row) => row + 1), all, 1, 2)]) expect(imageOf(other, 0)).not.to.deep.equal(imageOf(batch, 0));
  });

  it('leave what they come from as it was, and are equal to it where nothing is asked for', () => {
    const before = images.slice();
    augmented(images, shape, rows, all, 1, 1);
    expect(images).to.deep.equal(before);
    expect(augmented(images, shape, rows, {}, 1, 1)).to.deep.equal(images);
    expect(augmented(images, shape, rows, { shift: 0, rotate: 0, zoom: 0, noise: 0 }, 1, 1)).to.deep.equal(images);
  });

  it('are mirrored, about half of them', () => {
    const mirrored = (of: number[]): number[] => of.map((_, at) => {
      const [y, x, c] = [Math.floor(at / 16), Math.floor(at / 2) % 8, at % 2];
      return of[(y * 8 + 7 - x) * 2 + c] ?? NaN;
    });
    let flips = 0;
    for (let row = 0; row < 200; row++) {
      const [image, done] = [imageOf(images, 0), imageOf(augmented(images.subarray(0, size), shape, Int32Array.of(row), { flip: 'Horizontal' }, 1, 1), 0)];
      const isFlipped = done.join() === mirrored(image).join();
      if (!isFlipped) expect(done).to.deep.equal(image);
      flips += isFlipped ? 1 : 0;
    }
    expect(flips).to.be.within(60, 140);
  });

  it('hold no value that the image had not, where they are only moved', () => {
    fc.assert(fc.property(fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: size, maxLength: size }), fc.nat(), (values, seed) => {
      const image = Float32Array.from(values);
      const [least, greatest] = [Math.min(...image), Math.max(...image)];
      for (const value of augmented(image, shape, Int32Array.of(seed % 50), { flip: 'Both', shift: 0.5, rotate: 180, zoom: 0.5 }, seed, 1)) expect(value).to.be.within(least - 1e-6, greatest + 1e-6);
    }), { numRuns: 50 });
  });

  it('stay as they are where they are all one colour', () => {
    const flat = new Float32Array(size).fill(0.25);
    for (const value of augmented(flat, shape, Int32Array.of(1), { ...all, flip: 'Both' }, 3, 1)) expect(value).to.be.closeTo(0.25, 1e-6);
  });

  it('are turned about their middle', () => {
    // A bright middle stays bright whatever the angle; 90 degrees bring the right edge of a square to its top or bottom.
    const square: ImageShape = [5, 5, 1];
    const lit = new Float32Array(25);
    lit[12] = 1;
    for (let row = 0; row < 20; row++) expect(augmented(lit, square, Int32Array.of(row), { rotate: 180 }, 1, 1)[12]).to.be.closeTo(1, 1e-6);
  });

  it('are blanked in one square of the size asked for', () => {
    const done = augmented(images.subarray(0, size), shape, Int32Array.of(5), { cutout: 0.5 }, 1, 1);
    const changed = [...done.keys()].filter((at) => done[at] !== images[at]);
    expect(changed.length).to.be.within(3 * 4 * 2 - 2, 3 * 4 * 2);
    expect(new Set(changed.map((at) => done[at])).size).to.equal(1);
  });

  it('get brighter or darker, and more or less contrast, within bounds', () => {
    const image = images.subarray(0, size);
    const mean = (of: Float32Array): number => of.reduce((sum, value) => sum + value, 0) / of.length;
    const range = Math.max(...image) - Math.min(...image);
    for (let row = 0; row < 40; row++) {
      const lit = augmented(image, shape, Int32Array.of(row), { brightness: 0.2 }, 1, 1);
      expect(Math.abs(mean(lit) - mean(image))).to.be.at.most(0.2 * range + 1e-5);
      const spread = augmented(image, shape, Int32Array.of(row), { contrast: 0.3 }, 1, 1);
      expect(mean(spread)).to.be.closeTo(mean(image), 1e-5);
      expect((Math.max(...spread) - Math.min(...spread)) / range).to.be.within(0.7 - 1e-4, 1.3 + 1e-4);
    }
  });
});
