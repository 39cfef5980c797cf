/** What the exporter knows: for each class of TensorFlow.js' layers the operators that compute it. */
import { activationLayers } from './activation.ts';
import { convolutionLayers } from './convolution.ts';
import { denseLayers } from './dense.ts';
import type { Emitter } from './layer.ts';
import { mergeLayers } from './merge.ts';
import { normalisationLayers } from './normalisation.ts';
import { poolingLayers } from './pooling.ts';
import { recurrentLayers } from './recurrent.ts';
import { shapeLayers } from './shape.ts';
import { timeDistributed } from './time-distributed.ts';

export type { Layer } from './layer.ts';

export const emitters: Readonly<Record<string, Emitter | undefined>> = {
  ...denseLayers, ...convolutionLayers, ...poolingLayers, ...normalisationLayers, ...activationLayers, ...shapeLayers, ...mergeLayers, ...recurrentLayers,
  TimeDistributed: timeDistributed,
};
