/** A training in small: a few steps, one validation, one checkpoint and the model, by the code of a whole one, on the clock. */
import { selection } from '../../data/matrix.ts';
import type { Part } from '../../data/part.ts';
import type { InputsReference } from '../../reference/profile.ts';
import { epochOrder, gather } from '../../train/batches.ts';
import { writeCheckpoint } from '../../train/checkpoint.ts';
import type { Run } from '../../train/epochs.ts';
import { finish } from '../../train/finish.ts';
import { judge } from '../../train/judging.ts';
import type { Calibration } from './plan.ts';

/** TensorFlow chooses its kernels, and Node.js compiles, in the first steps. */
const warmUpSteps = 3;
const mostSteps = 50;
const mostSeconds = 2;
/** Validation rows that are timed; more take as much longer. */
const mostValidationRows = 8192;

/**
 * Leaves the run's network half-learnt and a model on its volume.
 * @param now  milliseconds, on the same clock as `prepareSeconds`
 */
export async function calibrate(run: Run, inputs: InputsReference, prepareSeconds: number, now: () => number): Promise<Calibration> {
  const timed = <T>(work: () => T): { readonly done: T; readonly seconds: number } => {
    const begin = now();
    const done = work();
    return { done, seconds: (now() - begin) / 1000 };
  };
  const steps = learnSome(run, timed);
  const validationSeconds = validate(run, timed);
  const { seconds: checkpointSeconds } = timed(() => writeCheckpoint(run.store, run.state, run.learner.save()));
  const begin = now();
  // A network that gives no numbers cannot be evaluated, and the run would end before it came to that.
  if (Number.isFinite(steps.loss)) await finish(run, { specDigest: '', dataDigest: '', folds: [], inputs });
  return {
    threads: run.order.threads,
    prepareSeconds,
    steps: steps.seconds.length,
    stepSeconds: median(steps.seconds),
    validationSeconds,
    checkpointSeconds,
    finishSeconds: (now() - begin) / 1000,
    loss: steps.loss,
  };
}

type Timed = <T>(work: () => T) => { readonly done: T; readonly seconds: number };

/** Batch after batch as the first epoch has them, from the first again where there are too few. */
function learnSome({ order: { spec: { fit } }, data: { train }, learner, state: { tally } }: Run, timed: Timed): { readonly seconds: readonly number[]; readonly loss: number } {
  const order = epochOrder(train.rows, fit.seed, 0);
  const batches = Math.ceil(train.rows / fit.batchSize);
  const seconds: number[] = [];
  let [spent, loss] = [0, NaN];
  for (let step = 0; step < warmUpSteps + mostSteps && (seconds.length === 0 || spent < mostSeconds); step++) {
    const from = (step % batches) * fit.batchSize;
    const learnt = timed(() => learner.learn(gather(train, order, from, Math.min(train.rows, from + fit.batchSize)), step, tally, fit.optimizer.learningRate));
    loss = learnt.done;
    if (step < warmUpSteps) continue;
    seconds.push(learnt.seconds);
    spent += learnt.seconds;
  }
  return { seconds, loss };
}

function validate({ data: { validation, preprocessing: { target } }, learner, metrics }: Run, timed: Timed): number {
  if (validation.rows === 0) return 0;
  const some = firstRows(validation, Math.min(validation.rows, mostValidationRows));
  const { seconds } = timed(() => judge(learner, some, target, metrics, 'val_'));
  return seconds * (validation.rows / some.rows);
}

function firstRows(part: Part, rows: number): Part {
  return {
    rows,
    features: selection(part.features, Int32Array.from({ length: rows }, (_, row) => row)),
    targets: part.targets.subarray(0, rows),
    ...(part.weights === undefined ? {} : { weights: part.weights.subarray(0, rows) }),
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
