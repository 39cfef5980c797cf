/**
 * Images changed at random each time they are trained on, so that a network learns what does not matter: a function of seed, epoch and
 * row alone, so that a resumed run sees the same images. A pixel that comes from beyond the edge has the value at the edge.
 */
import { normalQuantile } from './maths/special.ts';
import { random } from './random.ts';
import type { Random } from './random.ts';

/** Each at most as much as written; what is left out is not done. */
export interface AugmentSpec {
  /** Mirrors every second image, by chance. */
  readonly flip?: 'Horizontal' | 'Vertical' | 'Both';
  /** Share of height and width. */
  readonly shift?: number;
  /** Degrees, either way. */
  readonly rotate?: number;
  /** 0.1 enlarges and shrinks by up to a tenth. */
  readonly zoom?: number;
  /** Share of the value range of the image that is added or taken away. */
  readonly brightness?: number;
  /** 0.2 spreads the values about their mean by 0.8 to 1.2. */
  readonly contrast?: number;
  /** Standard deviation of what is added to each value, as a share of the image's range. */
  readonly noise?: number;
  /** Side of a square that is blanked to the image's mean, as a share of height and width. */
  readonly cutout?: number;
}

export type ImageShape = readonly [height: number, width: number, channels: number];

/**
 * @param images  one after the other, each height × width × channels, the last varying fastest; not changed
 * @param rows    which row of the training part each is
 */
export function augmented(images: Float32Array, shape: ImageShape, rows: Int32Array, spec: AugmentSpec, seed: number, epoch: number): Float32Array {
  const size = shape[0] * shape[1] * shape[2];
  const done = new Float32Array(images.length);
  rows.forEach((row, at) => {
    const to = done.subarray(at * size, (at + 1) * size);
    const source = random(seed, 'augment', epoch, row);
    move(images.subarray(at * size, (at + 1) * size), to, shape, spec, source);
    relight(to, spec, source);
    blank(to, shape, spec, source);
  });
  return done;
}

/** Evenly from -1 to 1. */
const either = (source: Random): number => source.uint32() / 2 ** 31 - 1;
const evenly = (source: Random): number => source.uint32() / 2 ** 32;

/** Flip, zoom, rotation and shift in one, each pixel looked up once between four of the image (bilinear). */
function move(from: Float32Array, to: Float32Array, [height, width, channels]: ImageShape, spec: AugmentSpec, source: Random): void {
  const [acrossFlips, downFlips] = [source.below(2) === 1, source.below(2) === 1];
  const mirrorX = acrossFlips && (spec.flip === 'Horizontal' || spec.flip === 'Both') ? -1 : 1;
  const mirrorY = downFlips && (spec.flip === 'Vertical' || spec.flip === 'Both') ? -1 : 1;
  const angle = (either(source) * (spec.rotate ?? 0) * Math.PI) / 180;
  const scale = 1 / (1 + either(source) * (spec.zoom ?? 0));
  const [moveX, moveY] = [either(source) * (spec.shift ?? 0) * width, either(source) * (spec.shift ?? 0) * height];
  if (mirrorX === 1 && mirrorY === 1 && angle === 0 && scale === 1 && moveX === 0 && moveY === 0) {
    to.set(from);
    return;
  }
  const [cos, sin] = [Math.cos(angle) * scale, Math.sin(angle) * scale];
  const [centreX, centreY] = [(width - 1) / 2, (height - 1) / 2];
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += channels) {
      const [dx, dy] = [x - centreX - moveX, y - centreY - moveY];
      const fromX = clamp(centreX + mirrorX * (cos * dx + sin * dy), width - 1);
      const fromY = clamp(centreY + mirrorY * (cos * dy - sin * dx), height - 1);
      const [left, top] = [Math.floor(fromX), Math.floor(fromY)];
      const [right, bottom] = [Math.min(left + 1, width - 1), Math.min(top + 1, height - 1)];
      const [shareX, shareY] = [fromX - left, fromY - top];
      const [row, next] = [top * width, bottom * width];
      for (let c = 0; c < channels; c++) {
        const above = mix(from[(row + left) * channels + c] ?? 0, from[(row + right) * channels + c] ?? 0, shareX);
        const below = mix(from[(next + left) * channels + c] ?? 0, from[(next + right) * channels + c] ?? 0, shareX);
        to[at + c] = mix(above, below, shareY);
      }
    }
  }
}

const mix = (a: number, b: number, share: number): number => a + share * (b - a);
const clamp = (value: number, most: number): number => Math.min(Math.max(value, 0), most);

function relight(image: Float32Array, spec: AugmentSpec, source: Random): void {
  const { brightness = 0, contrast = 0, noise = 0 } = spec;
  if (brightness === 0 && contrast === 0 && noise === 0) return;
  const { mean, range } = lightOf(image);
  const added = either(source) * brightness * range;
  const spread = 1 + either(source) * contrast;
  for (let at = 0; at < image.length; at++) {
    const grain = noise === 0 ? 0 : noise * range * normalQuantile((source.uint32() + 0.5) / 2 ** 32);
    image[at] = mean + ((image[at] ?? 0) - mean) * spread + added + grain;
  }
}

function lightOf(image: Float32Array): { mean: number; range: number } {
  let [sum, least, greatest] = [0, Infinity, -Infinity];
  for (const value of image) {
    sum += value;
    least = Math.min(least, value);
    greatest = Math.max(greatest, value);
  }
  return { mean: sum / image.length, range: greatest - least };
}

/** DeVries and Taylor (2017), "Improved Regularization of Convolutional Neural Networks with Cutout". */
function blank(image: Float32Array, [height, width, channels]: ImageShape, { cutout = 0 }: AugmentSpec, source: Random): void {
  if (cutout === 0) return;
  const { mean } = lightOf(image);
  const [tall, wide] = [Math.round(cutout * height), Math.round(cutout * width)];
  const [top, left] = [Math.floor(evenly(source) * (height - tall + 1)), Math.floor(evenly(source) * (width - wide + 1))];
  for (let y = top; y < top + tall; y++) image.fill(mean, (y * width + left) * channels, (y * width + left + wide) * channels);
}
