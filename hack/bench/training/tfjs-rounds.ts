/** TensorFlow.js by itself: `tfjs-rounds.ts TASK FOLDER`. */
import '../../../trainer-image/src/model/node24.ts';
import tf from '@tensorflow/tfjs-node-gpu';
import { toLayersModel } from '../../../trainer-image/src/model/layers-model.ts';
import { answerRounds } from './rounds.ts';
import { batchSize, classes, learningRate, models, networkOf, readTask } from './task.ts';
import type { TaskName } from './task.ts';

const [task, folder] = process.argv.slice(2) as [TaskName, string];
const { part, weights } = readTask(folder);
const model = toLayersModel(networkOf(task), weights);
model.compile({ optimizer: tf.train.adam(learningRate), loss: 'categoricalCrossentropy' });
const features = tf.tensor(part.features.range(0, part.rows), [part.rows, ...models[task].shape]);
const truth = tf.oneHot(tf.tensor1d(part.targets, 'int32'), classes).cast('float32');

await answerRounds(async () => {
  // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- the package does not export the enum.
  const { history } = await model.fit(features, truth, { batchSize, epochs: 1, shuffle: false, verbose: 0 });
  return Number(history.loss?.[0]);
});
