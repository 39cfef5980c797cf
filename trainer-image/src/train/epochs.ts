/** The training loop: epochs of batches, checkpoints between steps, and an ear for the wish to stop. */
import type { CheckpointReport, ProgressReport, TrainerSpec, TrainingResult } from '@anneal/operator/api';
import { volumeLayout } from '@anneal/operator/api';
import type { Prepared } from '../data/prepare.ts';
import { augmented } from '../data/augment.ts';
import type { Part } from '../data/part.ts';
import { AnnealError } from '../errors.ts';
import { removeLeftovers } from '../files.ts';
import { epochOrder, gather } from './batches.ts';
import { writeCheckpoint } from './checkpoint.ts';
import type { CheckpointStore, RunState } from './checkpoint.ts';
import type { Replicas, SharedStep } from './collective/replicas.ts';
import { requireOwnVolume } from './fence.ts';
import { judge } from './judging.ts';
import type { Learner } from './learner.ts';
import { emptyTally, metricsOf } from './metrics.ts';
import type { Metrics } from './metrics.ts';
import type { TrainingHooks, TrainingOrder } from './order.ts';
import { judgePlateau, learningRateAt, startPlateau } from './schedule.ts';
import { judgeStopping, startStopping } from './stopping.ts';

/** Which part of a job a run is: the one that gives the model, or a fold before it. */
export interface Share {
  /** Runs before it, and all. */
  readonly before: number;
  readonly of: number;
  readonly isFold: boolean;
  /** What those before it said; told with each report. */
  readonly metrics: Metrics;
}

export interface Run {
  readonly order: TrainingOrder;
  readonly data: Prepared;
  readonly learner: Learner;
  /** What is measured after each epoch and at the end, without prefix. */
  readonly metrics: readonly string[];
  readonly store: CheckpointStore;
  readonly hooks: TrainingHooks;
  readonly share: Share;
  /** The others, where the job has any. */
  readonly replicas?: Replicas;
  state: RunState;
  lastCheckpoint?: CheckpointReport;
  /** When the newest checkpoint was written, or the loop began. */
  checkpointedAt: number;
  reportedAt: number;
  loggedAt: number;
  startedAt: number;
  /** Steps that earlier attempts, or others before this one joined them, did. */
  startedStep: number;
}

export type EpochsEnd =
  | { readonly kind: 'Finished' }
  | { readonly kind: 'Stopped' }
  /** Another replica wrote the model. */
  | { readonly kind: 'Done'; readonly result: TrainingResult };

export function startState(data: Prepared): RunState {
  return { epoch: 0, position: 0, step: 0, tally: emptyTally(data.preprocessing.target), history: [], stopping: startStopping };
}

/** Trains until the last epoch, early stopping, or the wish to stop. @throws AnnealError `TRAINING_DIVERGED`, `PEER_LOST` */
export async function trainEpochs(run: Run): Promise<EpochsEnd> {
  while (!isOver(run)) {
    const end = await learnEpoch(run);
    switch (end.kind) {
      case 'Learnt':
        endEpoch(run);
        break;
      case 'Moved':
        run.startedAt = run.hooks.now();
        run.startedStep = run.state.step;
        break;
      case 'Stopped':
        if (leads(run)) checkpoint(run);
        return end;
      case 'TooFew':
        checkpoint(run);
        throw run.replicas?.end(end.why) ?? new Error(end.why);
      case 'Done':
        return end;
    }
  }
  // What is made of the run next may take minutes, and is cut off when the grace time is over.
  if (leads(run) && !run.share.isFold && run.state.step > run.startedStep) checkpoint(run);
  return { kind: 'Finished' };
}

/** Of several replicas one writes and reports. */
const leads = ({ replicas }: Run): boolean => replicas?.leads ?? true;

const fitOf = (run: Run): TrainerSpec['fit'] => run.order.spec.fit;

function isOver({ state, order: { spec: { fit } } }: Run): boolean {
  return state.epoch >= fit.epochs || (fit.earlyStopping !== undefined && state.stopping.waited >= fit.earlyStopping.patience);
}

async function learnEpoch(run: Run): Promise<SharedStep> {
  const { learner, hooks } = run;
  const train = seenInEpoch(run);
  const { seed, batchSize, optimizer, schedule } = fitOf(run);
  const order = epochOrder(train.rows, seed, run.state.epoch);
  let loss = NaN;
  while (run.state.position < train.rows) {
    if (hooks.stopRequested()) return { kind: 'Stopped' };
    const { position, step, tally } = run.state;
    const end = Math.min(train.rows, position + batchSize);
    const rate = learningRateAt(optimizer.learningRate, schedule, step, run.state.plateau);
    if (run.replicas === undefined) loss = learner.learn(gather(train, order, position, end), step, tally, rate);
    else {
      const shared = await run.replicas.learn(run, { train, order, from: position, to: end, rate });
      if (shared.kind !== 'Learnt') return shared;
      ({ loss } = shared);
    }
    if (!Number.isFinite(loss)) throw diverged(run, loss);
    run.state = { ...run.state, position: end, step: step + 1 };
    if (!leads(run)) continue;
    if (end < train.rows && isCheckpointDueWithinEpoch(run)) checkpoint(run);
    if (hooks.now() - run.reportedAt >= 1000) report(run, metricsOf(tally, run.data.preprocessing.target));
  }
  return { kind: 'Learnt', loss };
}

/** The training rows as this epoch meets them: images change from epoch to epoch where that is asked for. */
function seenInEpoch({ order: { spec: { data: { augment }, fit: { seed } } }, data: { train, preprocessing: { shape } }, state: { epoch } }: Run): Part {
  if (augment === undefined) return train;
  const [height, width, channels] = shape;
  if (height === undefined || width === undefined || channels === undefined) throw new AnnealError('SPEC_SHAPE_MISMATCH', { at: 'spec.trainer.data.augment', message: 'augment changes images. Write features.shape as [height, width, channels], or remove augment.' });
  const { features } = train;
  return { ...train, features: { ...features, gather: (rows) => augmented(features.gather(rows), [height, width, channels], rows, augment, seed, epoch) } };
}

function endEpoch(run: Run): void {
  const { learner, state, data: { validation, preprocessing: { target } } } = run;
  const { earlyStopping, schedule, optimizer } = fitOf(run);
  const metrics = { ...metricsOf(state.tally, target, '', run.metrics), ...judge(learner, validation, target, run.metrics, 'val_') };
  const epoch = state.epoch + 1;
  const verdict = earlyStopping === undefined ? undefined : judgeStopping(earlyStopping, state.stopping, epoch, metrics);
  const keepsBest = earlyStopping?.restoreBest === true && verdict?.improved === true;
  run.state = {
    ...state,
    epoch,
    position: 0,
    tally: emptyTally(target),
    history: [...state.history, metrics],
    ...(verdict === undefined ? {} : { stopping: verdict.state }),
    ...(keepsBest ? { best: learner.weights() } : {}),
    ...(schedule?.name === 'ReduceLROnPlateau' ? { plateau: judgePlateau(optimizer.learningRate, schedule, state.plateau ?? startPlateau, metrics) } : {}),
  };
  logEpoch(run, epoch, metrics);
  if (!leads(run)) return;
  if (isCheckpointDue(run)) checkpoint(run);
  report(run, metrics);
}

/** Thousands of short epochs would push everything else out of the container's log. */
function logEpoch(run: Run, epoch: number, metrics: Metrics): void {
  const now = run.hooks.now();
  if (epoch > everyEpochUpTo && now - run.loggedAt < 1000) return;
  run.loggedAt = now;
  run.hooks.log('info', 'Epoch ended', { epoch, ...rounded(metrics) });
}

const everyEpochUpTo = 50;

const rounded = (metrics: Metrics): Metrics => Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, Number(value.toPrecision(5))]));

function diverged(run: Run, loss: number): AnnealError {
  const { learningRate } = fitOf(run).optimizer;
  return new AnnealError('TRAINING_DIVERGED', {
    at: 'spec.trainer.fit.optimizer.learningRate',
    message: `The loss became ${loss} in step ${run.state.step + 1} of epoch ${run.state.epoch + 1}. Lower the learning rate (now ${learningRate}), or scale the columns in the pipeline.`,
  });
}

function isCheckpointDue(run: Run): boolean {
  return run.hooks.checkpointRequested() || run.hooks.now() - run.checkpointedAt >= intervalSeconds(run) * 1000;
}

/** Without an interval each epoch ends with one, and within it there is none but by wish. */
function isCheckpointDueWithinEpoch(run: Run): boolean {
  return intervalSeconds(run) > 0 ? isCheckpointDue(run) : run.hooks.checkpointRequested();
}

const intervalSeconds = ({ hooks, order }: Run): number => hooks.checkpointInterval() ?? order.checkpointIntervalSeconds;

/** A checkpoint that cannot be written must not end a run that can go on: the ones before it are still there. */
function checkpoint(run: Run): void {
  if (run.lastCheckpoint?.step === run.state.step) return;
  const begin = run.hooks.now();
  run.checkpointedAt = begin;
  requireOwnVolume(run.order.volume, run.order.fence);
  // Several share the folder, so only the one that writes may take away what another left half-done.
  if (run.replicas !== undefined) removeLeftovers(run.store.folder);
  try {
    const name = writeCheckpoint(run.store, run.state, run.learner.save());
    run.lastCheckpoint = {
      epoch: run.state.epoch,
      step: run.state.step,
      time: new Date(run.hooks.now()).toISOString(),
      path: `${volumeLayout.checkpoints}/${name}`,
      writeSeconds: (run.hooks.now() - begin) / 1000,
    };
    run.replicas?.checkpointed();
    report(run, run.state.history.at(-1) ?? {});
  } catch (error) {
    run.hooks.log('error', 'Checkpoint could not be written', { error: String(error), step: run.state.step });
  }
}

function report(run: Run, metrics: Metrics): void {
  const { state, hooks, share, order: { attempt }, data: { train } } = run;
  const { epochs, batchSize } = fitOf(run);
  const steps = epochs * Math.ceil(train.rows / batchSize);
  const done = state.step - run.startedStep;
  const seconds = (hooks.now() - run.startedAt) / 1000;
  run.reportedAt = hooks.now();
  const progress: ProgressReport = {
    attempt,
    epoch: state.epoch,
    epochs,
    step: state.step,
    percent: (100 * (share.before + Math.min(1, state.step / steps))) / share.of,
    remainingSeconds: done > 0 ? (seconds / done) * ((share.of - share.before) * steps - state.step) : 0,
    metrics: { ...state.history.at(-1), ...metrics, ...share.metrics },
    ...(run.lastCheckpoint === undefined ? {} : { checkpoint: run.lastCheckpoint }),
  };
  hooks.report(progress);
}
