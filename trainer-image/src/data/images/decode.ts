/** An image as the network sees it, by TensorFlow's own decoders and resizing, so that it is to the last digit what Keras makes of it, then rounded to bytes. */
import type { Tensor3D } from '@tensorflow/tfjs-node-gpu';
import { tf } from '../../model/backend.ts';
import { firstFrame, headerOf } from './header.ts';

export interface ImageSize {
  readonly height: number;
  readonly width: number;
  /** 1 is grey, 3 is red, green and blue. An alpha channel is left out. */
  readonly channels: 1 | 3;
}

/** More than a good camera takes; a decoder needs 16 bytes for each. */
const mostPixels = 64_000_000;

/**
 * Writes height × width × channels bytes.
 * @throws Error with what is wrong, as the end of a sentence
 */
export function decodeImage(content: Buffer, { height, width, channels }: ImageSize, to: Uint8Array): void {
  const header = headerOf(content);
  if (header === undefined) throw new Error('is no PNG, JPEG, BMP or GIF');
  const pixels = header.height * header.width;
  if (pixels <= 0 || pixels > mostPixels) throw new Error(`says that it has ${header.width} × ${header.height} pixels, of which at most ${mostPixels} are decoded`);
  const bytes = header.kind === 'GIF' ? firstFrame(content) : content;
  if (bytes === undefined) throw new Error('ends within its first frame');
  const done = tf.tidy(() => {
    const image = decoded(bytes, header.kind === 'PNG' || (header.kind === 'JPEG' && header.isCmyk !== true) ? channels : 3);
    const resized = image.shape[0] === height && image.shape[1] === width ? image : tf.image.resizeBilinear(image, [height, width], false, true);
    return channels === 1 && resized.shape[2] === 3 ? grey(resized.toFloat()) : resized.toFloat();
  });
  const values = done.dataSync<'float32'>();
  done.dispose();
  // Rounds to the nearest, ties to even.
  new Uint8ClampedArray(to.buffer, to.byteOffset, to.byteLength).set(values);
}

function decoded(bytes: Buffer, channels: 1 | 3): Tensor3D {
  try {
    return tf.node.decodeImage(bytes, channels, 'int32', false) as Tensor3D;
  } catch (error) {
    // What TensorFlow says is a number.
    throw new Error('cannot be decoded, since it is damaged or cut off', { cause: error });
  }
}

/** As TensorFlow's rgb_to_grayscale (ITU-R BT.601). */
function grey(image: Tensor3D): Tensor3D {
  return image.mul(tf.tensor1d([0.2989, 0.587, 0.114])).sum(2, true);
}
