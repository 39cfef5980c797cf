/** Fits steps as a manifest writes them, and shows what they make of rows. */
import { frameOf } from '../../../../trainer-image/src/data/frame.ts';
import { applyPipeline, fitPipeline } from '../../../../trainer-image/src/data/pipeline/index.ts';
import type { FittedPipeline } from '../../../../trainer-image/src/data/pipeline/index.ts';
import type { Target } from '../../../../trainer-image/src/data/pipeline/step.ts';
import type { Table } from '../../../../trainer-image/src/data/table.ts';
import { trainerSpec } from '../../support.ts';
import { cells } from '../tables.ts';

/** Steps with the schema's defaults filled in. */
const steps = (pipeline: readonly object[]) => trainerSpec({ data: { source: { uri: 'file:///x' }, target: 'y', pipeline }, model: { preset: 'MLP' } }).data.pipeline;

/** For steps that do not look at the target. */
const noTarget = ({ rows }: Table): Target => ({ task: 'Regression', values: new Float64Array(rows) });

export const fitted = (table: Table, ...pipeline: object[]): Promise<FittedPipeline> => fittedTo(noTarget(table), table, ...pipeline);

export const fittedTo = (target: Target, table: Table, ...pipeline: object[]): Promise<FittedPipeline> => fitPipeline(steps(pipeline), frameOf(table), target, true);

export const asLists = (table: Table): Record<string, unknown[]> => Object.fromEntries(table.columns.map((column) => [column.name, cells(column)]));

/** Fits and applies to the same rows; columns as plain lists. */
export async function run(table: Table, ...pipeline: object[]): Promise<Record<string, unknown[]>> {
  return asLists(await applyPipeline((await fitted(table, ...pipeline)).steps, table));
}
