/** Fails unless the native backend loads and multiplies; run by install.ts after it has put the libraries in place. */
import { tf } from '../src/model/backend.ts';

const product = tf.matMul(tf.tensor2d([1, 2], [1, 2]), tf.tensor2d([3, 4], [2, 1]));
const [value] = product.dataSync();
if (value !== 11 || tf.getBackend() !== 'tensorflow') throw new Error(`The native TensorFlow backend does not work: 1x3 + 2x4 gave ${String(value)} on ${tf.getBackend()}.`);
