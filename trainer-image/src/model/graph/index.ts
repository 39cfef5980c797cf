/** Networks in training as TensorFlow graphs that we write ourselves, and that TensorFlow optimises and runs in one call a step. */
export type { LossName } from './losses.ts';
export type { OptimizerSpec } from './optimizers.ts';
export type { Rows } from './judge.ts';
export { buildTraining } from './training.ts';
export type { Training, TrainingSpec } from './training.ts';
export type { Clip } from './update.ts';
