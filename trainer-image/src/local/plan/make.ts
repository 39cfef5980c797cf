/** Makes the plan of a run: everything up to the first epoch as a run does it, and then as little as can be measured. */
import type { TrainerSpec } from '@anneal/operator/api';
import type { Part } from '../../data/part.ts';
import type { Prepared } from '../../data/prepare.ts';
import { readKey } from '../../data/privacy/index.ts';
import type { Log } from '../../log.ts';
import { tensorflowVersion } from '../../model/backend.ts';
import { inputsReference } from '../../reference/inputs.ts';
import type { InputsReference } from '../../reference/profile.ts';
import { guard } from '../../train/guard.ts';
import type { TrainingHooks, TrainingOrder } from '../../train/order.ts';
import { savedModel } from '../../train/saved-model.ts';
import { startRun } from '../../train/start.ts';
import type { Beginning } from '../../train/start.ts';
import { prepareRun } from '../../train/prepare-run.ts';
import { openTrainingData } from '../../train/training-data.ts';
import { calibrate } from './calibrate.ts';
import { columnsOf } from './columns.ts';
import { memoryOf, timeOf, trainingOf } from './estimates.ts';
import type { Calibration, PartPlan, Plan, Warning } from './plan.ts';
import { layersOf, stepsOf, trainableOf } from './steps.ts';
import { warningsOf } from './warnings.ts';

export interface PlanOptions {
  readonly name: string;
  /** On a volume that nobody needs afterwards. */
  readonly order: TrainingOrder;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Milliseconds; only differences are used. */
  readonly now: () => number;
  /** When the work on this plan began, on the same clock. */
  readonly begun: number;
  readonly memory: {
    /** Bytes that the process takes now, and the most that it ever took. */
    readonly resident: () => number;
    readonly peak: () => number;
    readonly total: number;
  };
}

/** @throws AnnealError of what a run would end with before its first epoch */
export async function makePlan(options: PlanOptions): Promise<Plan> {
  const { now, memory } = options;
  const order = quick(options.order);
  const { spec } = order;
  const findings: Warning[] = [];
  const hooks = hooksOf({ ...options, log: (level, message, fields = {}) => {
    if (message === 'Data is not as expected') findings.push({ at: 'spec.trainer.data', message: String(fields.found) });
    else options.log(level, message, fields);
  } });
  // Loads the library, which is part of the program rather than of the run.
  tensorflowVersion();
  const programBytes = memory.resident();
  const saved = savedModel(order);
  await using opened = await openTrainingData(order, hooks);
  const guarded = await guard(order, hooks, opened.rows, order.pseudonymKey === undefined ? undefined : readKey(order.pseudonymKey), saved?.preprocessing);
  const { rows } = guarded;
  // As the run does it, for its time and its memory.
  const inputs = await inputsReference(guarded.subject, spec.data.privacy?.kAnonymity?.k);
  using data = await prepareRun(order, opened.rows, guarded, saved);
  const { preprocessing } = data;
  const prepareSeconds = (now() - options.begun) / 1000;
  const { measured, network } = await inSmall({ order, hooks, data, dataDigest: opened.sha256, ...(saved === undefined ? {} : { saved }) }, inputs, prepareSeconds);
  const peakBytes = memory.peak();
  const columns = await columnsOf(rows, preprocessing);
  const training = trainingOf(spec, data.train.rows);
  const plan: Omit<Plan, 'warnings'> = {
    name: options.name,
    data: { uri: spec.data.source.uri, sha256: opened.sha256, rows: rows.rows, rowsRead: rows.rows, columns },
    target: targetOf(spec, data, columns.find(({ role }) => role === 'Target')),
    split: (['train', 'validation', 'test'] as const).map((part) => partOf(part, data[part], data)),
    pipeline: await stepsOf(spec.data, preprocessing),
    features: { count: preprocessing.features.length, shape: preprocessing.shape, names: preprocessing.features },
    network,
    training,
    estimates: { time: timeOf(spec, training, measured, order.checkpointIntervalSeconds), memory: memoryOf(programBytes, peakBytes) },
  };
  return { ...plan, warnings: [...findings, ...warningsOf({ spec: options.order.spec, data, plan, totalMemoryBytes: memory.total })] };
}

/** Without what takes long at the end of a run, which a plan need not wait for. */
function quick(order: TrainingOrder): TrainingOrder {
  const { importance: _importance, intervals: _intervals, ...evaluation } = order.spec.evaluation ?? {};
  return { ...order, spec: { ...order.spec, ...(order.spec.evaluation === undefined ? {} : { evaluation }) } };
}

function hooksOf({ log, signal, now }: PlanOptions): TrainingHooks {
  return { log, signal, now, stopRequested: () => signal.aborted, checkpointRequested: () => false, checkpointInterval: () => undefined, report: () => undefined };
}

async function inSmall(beginning: Pick<Beginning, 'order' | 'hooks' | 'data' | 'dataDigest' | 'saved'>, inputs: InputsReference, prepareSeconds: number): Promise<{ readonly measured: Calibration; readonly network: Plan['network'] }> {
  const run = await startRun({ ...beginning, runDigest: '', share: { before: 0, of: 1, isFold: false, metrics: {} }, finished: () => undefined });
  try {
    const measured = await calibrate(run, inputs, prepareSeconds, beginning.hooks.now);
    const model = run.learner.model();
    const layers = layersOf(model);
    return { measured, network: { layers, parameters: layers.reduce((sum, { parameters }) => sum + parameters, 0), trainable: trainableOf(model) } };
  } finally {
    run.learner.dispose();
  }
}

function targetOf({ data: { task } }: TrainerSpec, { preprocessing: { target } }: Prepared, column: Plan['data']['columns'][number] | undefined): Plan['target'] {
  if (target.task === 'Reconstruction') return { task: target.task, why: 'since an Autoencoder learns to give back the rows themselves' };
  const distinct = column?.distinct ?? 0;
  const why = task !== undefined ? 'as data.task says'
    : column?.kind === 'Text' ? 'since it is text'
      : target.task === 'Classification' ? `since it has ${distinct} different whole numbers, no more than 50`
        : 'since it has numbers that are not whole, or more than 50 different ones';
  return { name: target.name, task: target.task, why, ...(target.task === 'Classification' ? { classes: target.classes } : {}) };
}

function partOf(name: PartPlan['part'], { rows, targets }: Part, { preprocessing: { target } }: Prepared): PartPlan {
  if (target.task !== 'Classification') return { part: name, rows };
  const counts = target.classes.map(() => 0);
  for (const place of targets) counts[place] = (counts[place] ?? 0) + 1;
  return { part: name, rows, classes: counts };
}
