/**
 * From raw columns to numbers. `fitPipeline` looks at training rows and gives steps as plain data, which the model directory stores;
 * `applyPipeline` is the only code that runs them, on a million rows or on one.
 */
import type { TrainerSpec } from '@anneal/operator/api';
import { AnnealError } from '../../errors.ts';
import type { Table } from '../table.ts';
import { applyEncode, fitEncode } from './encode.ts';
import type { FittedEncode } from './encode.ts';
import { applyImpute, fitImpute } from './impute.ts';
import type { FittedImpute } from './impute.ts';
import { applyScale, fitScale } from './scale.ts';
import type { FittedScale } from './scale.ts';

export type FittedStep = FittedImpute | FittedScale | FittedEncode;
type Step = TrainerSpec['data']['pipeline'][number];

/** Fits each step on what the steps before it make of the training rows. */
export function fitPipeline(steps: readonly Step[], training: Table): FittedStep[] {
  let table = training;
  return steps.map((step, index) => {
    const fitted = fitStep(step, table, `spec.trainer.data.pipeline[${index}]`);
    table = applyStep(fitted, table);
    return fitted;
  });
}

export function applyPipeline(steps: readonly FittedStep[], table: Table): Table {
  return steps.reduce((done, step) => applyStep(step, done), table);
}

function fitStep(step: Step, table: Table, at: string): FittedStep {
  if (step.impute !== undefined) return fitImpute(step.impute, table, `${at}.impute`);
  if (step.scale !== undefined) return fitScale(step.scale, table, `${at}.scale`);
  if (step.encode !== undefined) return fitEncode(step.encode, table, `${at}.encode`);
  throw new AnnealError('SPEC_INVALID', { at, message: 'The step is empty. Write one of impute, scale and encode.' });
}

function applyStep(step: FittedStep, table: Table): Table {
  switch (step.kind) {
    case 'Impute': return applyImpute(step, table);
    case 'Scale': return applyScale(step, table);
    case 'Encode': return applyEncode(step, table);
  }
}
