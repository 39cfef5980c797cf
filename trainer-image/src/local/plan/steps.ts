/** What each step of the pipeline makes of the columns, and each layer of the network of a row. */
import type { LayersModel } from '@tensorflow/tfjs-node-gpu';
import type { TrainerSpec } from '@anneal/operator/api';
import { emptyTable } from '../../data/frame.ts';
import { applyPipeline } from '../../data/pipeline/index.ts';
import type { FittedStep } from '../../data/pipeline/index.ts';
import type { Preprocessing } from '../../data/prepare.ts';
import type { Table } from '../../data/table.ts';
import type { LayerPlan, StepPlan } from './plan.ts';
import { sizeOf } from '../../shape.ts';

/** @param preprocessing  with the steps as they were fitted */
export async function stepsOf({ pipeline }: TrainerSpec['data'], { inputs, steps }: Preprocessing): Promise<StepPlan[]> {
  let table = noRows(inputs);
  const plans: StepPlan[] = [];
  for (const [index, fitted] of steps.entries()) {
    const [[step, settings] = ownStep(fitted)] = Object.entries(pipeline[index] ?? {});
    const columnsIn = namesOf(table);
    table = await applyPipeline([fitted], table);
    plans.push({ step, settings: settings as object, columnsIn, columnsOut: namesOf(table) });
  }
  return plans;
}

/** What the trainer adds to the steps of the manifest. */
function ownStep(fitted: FittedStep): [string, object] {
  if (fitted.kind === 'Drop') return ['drop', { columns: fitted.columns }];
  throw new Error(`The manifest has no step for the ${fitted.kind} that was fitted.`);
}

const namesOf = ({ columns, vector }: Table): string[] => [...columns, ...(vector === undefined ? [] : [vector])].map(({ name }) => name);

function noRows(inputs: Preprocessing['inputs']): Table {
  const vector = inputs.find((input) => input.kind === 'Vector');
  if (vector === undefined) return emptyTable(inputs.filter((input) => input.kind !== 'Vector'));
  const width = sizeOf(vector.shape);
  return { rows: 0, columns: [], vector: { ...vector, width, values: new Float32Array(0) } };
}

/** As Keras' summary tells them; what a layer gives has any number of rows as its first dimension, which is left out. */
export function layersOf(model: LayersModel): LayerPlan[] {
  return model.layers.map((layer) => ({ name: layer.name, type: layer.getClassName(), shape: rowShape(layer.outputShape), parameters: layer.countParams() }));
}

function rowShape(shape: LayersModel['outputShape']): number[] {
  const [, ...row] = (Array.isArray(shape[0]) ? shape[0] : shape) as (number | null)[];
  return row.map((length) => length ?? -1);
}

export const trainableOf = (model: LayersModel): number => model.trainableWeights.reduce((sum, { shape }) => sum + shape.reduce<number>((product, length) => product * (length ?? 1), 1), 0);
