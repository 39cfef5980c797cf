/** The trainer's own loop over batches: `anneal-rounds.ts TASK FOLDER`. */
import { gather } from '../../../trainer-image/src/train/batches.ts';
import { createLearner } from '../../../trainer-image/src/train/learner.ts';
import { emptyTally, metricsOf } from '../../../trainer-image/src/train/metrics.ts';
import { answerRounds } from './rounds.ts';
import { batchSize, classes, learningRate, models, readTask } from './task.ts';
import type { TaskName } from './task.ts';

const [task, folder] = process.argv.slice(2) as [TaskName, string];
const { part, weights } = readTask(folder);
const target = { task: 'Classification', name: 'label', classes: Array.from({ length: classes }, (_, place) => String(place)) } as const;
const { model, shape } = models[task];
const learner = createLearner({ model, shape, target, fit: { optimizer: { name: 'Adam', learningRate }, seed: 0 } });
learner.setWeights(weights);
/** Of the file, as the others take them; it is read as any other order is. */
const order = Int32Array.from({ length: part.rows }, (_, row) => row);
let step = 0;

await answerRounds(() => {
  const tally = emptyTally(target);
  for (let from = 0; from < part.rows; from += batchSize) learner.learn(gather(part, order, from, Math.min(part.rows, from + batchSize)), step++, tally, learningRate);
  return metricsOf(tally, target).loss ?? NaN;
});
