/**
 * The layers JSON of Keras 3 in the form of Keras 2, which TensorFlow.js reads. They describe the same layers; what differs is how objects are
 * named, how the input is, and how calls of layers on tensors are written down. JSON of Keras 2 stays as it is.
 */
import { AnnealError } from '../errors.ts';

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** @param written  of a model, or the file model.json of TensorFlow.js. @throws AnnealError `SPEC_INVALID` for what describes no model */
export function asKeras2(written: object): object {
  const topology = 'modelTopology' in written ? written.modelTopology : written;
  const model = isObject(topology) && isObject(topology.model_config) ? topology.model_config : topology;
  if (isObject(model) && typeof model.class_name === 'string' && model.config !== undefined) return object(model);
  throw new AnnealError('SPEC_INVALID', { at: 'spec.trainer.model.layers', message: 'The layers are no model: there is no class_name with a config. Write them as model.to_json() of Keras gives them.' });
}

function converted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(converted);
  if (!isObject(value)) return value;
  if (value.class_name === 'DTypePolicy' && isObject(value.config)) return value.config.name;
  // A function of Keras itself, by its name.
  if (value.class_name === 'function' && typeof value.config === 'string') return value.config;
  return typeof value.class_name === 'string' && 'config' in value ? object(value) : mapped(value);
}

const mapped = (value: Json): Json => Object.fromEntries(Object.entries(value).map(([key, held]) => [key, converted(held)]));

/** Regularisers that TensorFlow.js has only as one. */
const penalties: Readonly<Record<string, 'l1' | 'l2'>> = { L1: 'l1', L2: 'l2' };

/** One that has a class: model, layer, initialiser, regulariser. What Keras 3 adds about where its classes come from, and how it was built, is not needed. */
function object(value: Json): Json {
  const { class_name: name, config, inbound_nodes: nodes, module: _module, registered_name: _registered, build_config: _build, compile_config: _compile, ...rest } = value;
  const penalty = typeof name === 'string' ? penalties[name] : undefined;
  if (penalty !== undefined && isObject(config)) return { class_name: 'L1L2', config: { l1: 0, l2: 0, [penalty]: config[penalty] } };
  return {
    ...mapped(rest),
    class_name: name,
    config: isObject(config) ? renamed(String(name), configOf(config), value.module !== undefined) : converted(config),
    ...(Array.isArray(nodes) ? { inbound_nodes: nodes.map(inboundNode) } : {}),
  };
}

/** Functions that TensorFlow.js has by another name. */
const functions: Readonly<Record<string, string>> = { silu: 'swish' };

/** What is called otherwise, or meant otherwise under the same name. */
function renamed(className: string, { negative_slope: slope, ...config }: Json, isKeras3: boolean): Json {
  const named = Object.fromEntries(['activation', 'recurrent_activation'].filter((option) => option in config).map((option) => {
    const name = config[option];
    // relu6(x + 3) / 6 there, 0.2 x + 0.5 from 0 to 1 in Keras 2 and in TensorFlow.js.
    if (isKeras3 && name === 'hard_sigmoid') {
      throw new AnnealError('SPEC_INVALID', { at: 'spec.trainer.model.layers', message: `Layer ${String(config.name)} has ${option}: hard_sigmoid, which Keras 3 computes otherwise than TensorFlow.js. Write sigmoid.` });
    }
    return [option, typeof name === 'string' ? functions[name] ?? name : name] as const;
  }));
  const ofSlope = slope === undefined ? {} : className === 'LeakyReLU' ? { alpha: slope } : { negative_slope: slope };
  return { ...config, ...named, ...ofSlope };
}

function configOf({ batch_shape: shape, axis, input_layers: inputs, output_layers: outputs, ...rest }: Json): Json {
  return {
    ...mapped(rest),
    ...(shape === undefined ? {} : { batch_input_shape: shape }),
    ...(axis === undefined ? {} : { axis: Array.isArray(axis) && axis.length === 1 ? (axis[0] as unknown) : axis }),
    ...(inputs === undefined ? {} : { input_layers: references(inputs) }),
    ...(outputs === undefined ? {} : { output_layers: references(outputs) }),
  };
}

/** One alone stands without a list around it. */
const references = (value: unknown): unknown => (Array.isArray(value) && typeof value[0] === 'string' ? [value] : value);

/** Of a call of a layer, the tensors that it was called on: `[layer, node, tensor, {}]` each. */
function inboundNode(node: unknown): unknown {
  if (!isObject(node) || !('args' in node)) return node;
  return tensorsIn(node.args).map((history) => [...history, {}]);
}

function tensorsIn(value: unknown): readonly (readonly unknown[])[] {
  if (Array.isArray(value)) return value.flatMap(tensorsIn);
  if (!isObject(value) || value.class_name !== '__keras_tensor__' || !isObject(value.config) || !Array.isArray(value.config.keras_history)) return [];
  return [value.config.keras_history as unknown[]];
}
