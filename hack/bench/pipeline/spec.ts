/** What is asked of the data, in the words of `spec.trainer.data`. */
import type { TrainerSpec } from '../../../operator/src/api/index.ts';
import type { Job } from './contender.ts';
import { categorical, excluded, numeric, target } from './rows.ts';

export function trainerData({ file, format, validation, test, seed }: Job): TrainerSpec['data'] {
  const data = {
    source: { uri: `file://${file}`, format, maxBytes: Number.MAX_SAFE_INTEGER, csv: { delimiter: ',', header: 'Present', missing: [''] } },
    target,
    task: 'Classification',
    features: { exclude: [excluded] },
    pipeline: [
      { impute: { columns: numeric, strategy: 'Median', indicator: false } },
      { impute: { columns: categorical, strategy: 'MostFrequent', indicator: false } },
      { scale: { columns: numeric, method: 'Standard' } },
      { encode: { columns: categorical, method: 'OneHot', unknown: 'Ignore' } },
    ],
    split: { validation, test, seed, stratify: true },
  };
  return data as unknown as TrainerSpec['data'];
}
