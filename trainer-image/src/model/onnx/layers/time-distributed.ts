/** A layer at each step by itself, where its operators do that anyway. */
import { Settings } from '../settings.ts';
import { activationLayers } from './activation.ts';
import { denseLayers } from './dense.ts';
import { refuse } from './layer.ts';
import type { Emitter } from './layer.ts';
import { shapeLayers } from './shape.ts';

const { Dense } = denseLayers;
const { Activation, ReLU, LeakyReLU, ELU } = activationLayers;
const { Dropout } = shapeLayers;
/** They treat all axes but the last alike. */
const stepwise: Readonly<Record<string, Emitter | undefined>> = { Dense, Activation, ReLU, LeakyReLU, ELU, Dropout };

export const timeDistributed: Emitter = (layer) => {
  const { className, config } = layer.settings.inner('layer');
  const emitter = stepwise[className] ?? refuse(layer, `has a ${className} at each step`);
  return emitter({ ...layer, settings: new Settings(layer.name, className, config) });
};
