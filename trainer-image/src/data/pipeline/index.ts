/**
 * From raw columns to numbers. `fitPipeline` looks at training rows and gives steps as plain data, which the model directory stores;
 * `applyPipeline` is the only code that runs them, on a million rows or on one.
 */
import type { TrainerSpec } from '@anneal/operator/api';
import { AnnealError } from '../../errors.ts';
import { changed } from '../frame.ts';
import type { Frame } from '../frame.ts';
import type { Table } from '../table.ts';
import { applyEncode, fitEncode } from './encode.ts';
import type { FittedEncode } from './encode.ts';
import { applyImpute, fitImpute } from './impute.ts';
import type { FittedImpute } from './impute.ts';
import { applyScale, fitScale } from './scale.ts';
import type { FittedScale } from './scale.ts';

export type FittedStep = FittedImpute | FittedScale | FittedEncode;
type Step = TrainerSpec['data']['pipeline'][number];

/**
 * Fits each step on what the steps before it make of the training rows.
 * @param remember  whether what a step makes may stay in memory until all are fitted
 */
export async function fitPipeline(steps: readonly Step[], training: Frame, remember: boolean): Promise<FittedStep[]> {
  let frame = training;
  const fitted: FittedStep[] = [];
  for (const [index, step] of steps.entries()) {
    const done = await fitStep(step, frame, `spec.trainer.data.pipeline[${index}]`);
    fitted.push(done);
    frame = await changed(frame, { reads: readsOf(done), joint: isJoint(done), apply: (table) => applyStep(done, table) }, remember);
  }
  return fitted;
}

export async function applyPipeline(steps: readonly FittedStep[], table: Table): Promise<Table> {
  let done = table;
  for (const step of steps) done = await applyStep(step, done);
  return done;
}

async function fitStep(step: Step, frame: Frame, at: string): Promise<FittedStep> {
  if (step.impute !== undefined) return fitImpute(step.impute, frame, `${at}.impute`);
  if (step.scale !== undefined) return fitScale(step.scale, frame, `${at}.scale`);
  if (step.encode !== undefined) return fitEncode(step.encode, frame, `${at}.encode`);
  throw new AnnealError('SPEC_INVALID', { at, message: 'The step is empty. Write one of impute, scale and encode.' });
}

function applyStep(step: FittedStep, table: Table): Table | Promise<Table> {
  switch (step.kind) {
    case 'Impute': return applyImpute(step, table);
    case 'Scale': return applyScale(step, table);
    case 'Encode': return applyEncode(step, table);
  }
}

/** Columns that a step looks at or changes. */
function readsOf(step: FittedStep): string[] {
  return step.columns.map(({ name }) => name);
}

/** Whether a step's result depends on several columns together. */
function isJoint(step: FittedStep): boolean {
  switch (step.kind) {
    case 'Impute':
    case 'Scale':
    case 'Encode': return false;
  }
}
