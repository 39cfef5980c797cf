/** The order of a run, from the variables that the operator sets. */
import type { TrainerSpec } from '@anneal/operator/api';
import { trainerEnv } from '@anneal/operator/api';
import { AnnealError } from '../errors.ts';
import type { Fence } from './fence.ts';
import type { TrainingOrder } from './order.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** @param threads  that TensorFlow is given. @throws AnnealError `SPEC_INVALID` that names the variable */
export function orderFrom(environment: Environment, threads: (volume: string) => number): TrainingOrder {
  const sourceDirectory = textOf(environment, trainerEnv.sourceDirectory);
  const accelerator = textOf(environment, trainerEnv.accelerator);
  const volume = required(environment, trainerEnv.volume);
  return {
    spec: specOf(required(environment, trainerEnv.spec)),
    volume,
    threads: threads(volume),
    ...(sourceDirectory === undefined ? {} : { sourceDirectory }),
    attempt: numberOf(environment, trainerEnv.attempt, 1),
    checkpointIntervalSeconds: numberOf(environment, trainerEnv.checkpointIntervalSeconds, 0),
    checkpointKeep: Math.max(1, numberOf(environment, trainerEnv.checkpointKeep, 2)),
    fence: fenceFrom(environment),
    ...(accelerator === undefined ? {} : { accelerator }),
  };
}

export function fenceFrom(environment: Environment): Fence {
  return {
    jobUid: textOf(environment, trainerEnv.jobUid) ?? '',
    place: `${textOf(environment, trainerEnv.role) ?? 'trainer'}-${numberOf(environment, trainerEnv.index, 0)}`,
    attempt: numberOf(environment, trainerEnv.attempt, 1),
  };
}

/** An empty variable is one that is not set. */
export function textOf(environment: Environment, name: string): string | undefined {
  const value = environment[name];
  return value === '' ? undefined : value;
}

function required(environment: Environment, name: string): string {
  const value = textOf(environment, name);
  if (value === undefined) throw new AnnealError('SPEC_INVALID', { at: name, message: `The environment variable ${name} is not set. The operator sets it; set it by hand only to run the image without one.` });
  return value;
}

function numberOf(environment: Environment, name: string, otherwise: number): number {
  const value = Number(textOf(environment, name) ?? otherwise);
  if (!Number.isInteger(value) || value < 0) throw new AnnealError('SPEC_INVALID', { at: name, message: `${name} is "${environment[name] ?? ''}". Set it to a whole number of at least 0.` });
  return value;
}

function specOf(json: string): TrainerSpec {
  try {
    const spec: unknown = JSON.parse(json);
    if (typeof spec === 'object' && spec !== null && 'data' in spec && 'model' in spec && 'fit' in spec) return spec as TrainerSpec;
  } catch (error) {
    throw new AnnealError('SPEC_INVALID', { at: trainerEnv.spec, message: `${trainerEnv.spec} is not JSON. It must hold spec.trainer as the API server defaulted it.`, cause: error });
  }
  throw new AnnealError('SPEC_INVALID', { at: trainerEnv.spec, message: `${trainerEnv.spec} lacks data, model or fit. It must hold spec.trainer as the API server defaulted it.` });
}
