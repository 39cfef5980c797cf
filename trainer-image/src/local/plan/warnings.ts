/** What a plan shows that is likely not meant, beside what is odd about the data, which every run looks at. */
import type { TrainerSpec } from '@anneal/operator/api';
import type { Prepared } from '../../data/prepare.ts';
import { list } from '../../errors.ts';
import { bytes, grouped, plural } from '../text.ts';
import type { Plan, Warning } from './plan.ts';

export interface Facts {
  readonly spec: TrainerSpec;
  readonly data: Prepared;
  readonly plan: Omit<Plan, 'warnings'>;
  /** Of the machine. */
  readonly totalMemoryBytes: number;
}

const fewRowsOfClass = 5;
const manyParametersForRow = 100;
const largeValue = 100;

export function warningsOf(facts: Facts): Warning[] {
  return [...classWarnings(facts), ...valueWarnings(facts), ...trainingWarnings(facts)];
}

function classWarnings({ plan: { split, target: { name, classes = [] } } }: Facts): Warning[] {
  const rowsOf = (part: string, place: number): number => split.find((each) => each.part === part)?.classes?.[place] ?? 0;
  const rare = classes.filter((_, place) => rowsOf('train', place) < fewRowsOfClass);
  const absentFrom = split.filter(({ part, rows }) => part !== 'train' && rows > 0).flatMap(({ part }) => {
    const absent = classes.filter((_, place) => rowsOf(part, place) === 0);
    return absent.length === 0 ? [] : [{ at: 'spec.trainer.data.split', message: `The ${part} part has no row of ${list(absent)}, so nothing is measured of it. Hold back more rows, or stratify.` }];
  });
  return [...(rare.length === 0 ? [] : [{ at: 'spec.trainer.data.target', message: `Fewer than ${fewRowsOfClass} rows train ${list(rare)} of "${name ?? ''}". Give more rows of it, or leave it out.` }]), ...absentFrom];
}

/** Looks at the first rows only: columns that were not scaled are far off in each of them. */
function valueWarnings({ data: { train, preprocessing: { features } } }: Facts): Warning[] {
  const { width } = train.features;
  const values = train.features.range(0, Math.min(train.rows, 1024));
  const largest = new Float64Array(width);
  values.forEach((value, index) => (largest[index % width] = Math.max(largest[index % width] ?? 0, Math.abs(value))));
  const names = features.filter((_, column) => (largest[column] ?? 0) > largeValue);
  if (names.length === 0) return [];
  return [{ at: 'spec.trainer.data.pipeline', message: `After the pipeline there are values up to ${grouped(Math.round(Math.max(...largest)))} in ${list(names)}, and a network learns best from values near 1. Add a step - scale: {}.` }];
}

function trainingWarnings({ spec: { fit, evaluation }, plan, data: { train }, totalMemoryBytes }: Facts): Warning[] {
  const { network, estimates: { memory, time } } = plan;
  const found: Warning[] = [];
  if (network.trainable > manyParametersForRow * train.rows) {
    found.push({ at: 'spec.trainer.model', message: `The network has ${plural(network.trainable, 'parameter')} for ${plural(train.rows, 'row')} to learn from, and may learn them by heart. Make it smaller, or write dropout or l2.` });
  }
  if (fit.batchSize > train.rows) found.push({ at: 'spec.trainer.fit.batchSize', message: `A batch of ${grouped(fit.batchSize)} rows is more than the ${grouped(train.rows)} there are, so an epoch is one step. Write a smaller batchSize.` });
  if (fit.earlyStopping !== undefined && fit.earlyStopping.patience >= fit.epochs) {
    found.push({ at: 'spec.trainer.fit.earlyStopping.patience', message: `Early stopping waits for ${fit.earlyStopping.patience} epochs, and there are ${fit.epochs}, so it never stops. Write a smaller patience.` });
  }
  if (!Number.isFinite(time.measured.loss)) found.push({ at: 'spec.trainer.fit.optimizer.learningRate', message: `The loss became ${time.measured.loss} within ${time.measured.steps} steps. Lower the learning rate (now ${fit.optimizer.learningRate}), or scale the columns in the pipeline.` });
  if (evaluation?.importance !== undefined || evaluation?.intervals !== undefined) found.push({ at: 'spec.trainer.evaluation', message: 'What importance and intervals take is not part of the estimated time.' });
  if (memory.peakBytes > totalMemoryBytes) found.push({ at: 'spec.trainer.data', message: `The run would take about ${bytes(memory.peakBytes)}, and this machine has ${bytes(totalMemoryBytes)}. Give fewer rows or columns, or a smaller network.` });
  return found;
}
