/**
 * The topology of a saved layers model as one list of calls. Sequential and functional models, also one within another, become the same:
 * a layer, what it is called with, and what it gives.
 */
import { Unsupported } from './unsupported.ts';

export type LayerConfig = Readonly<Record<string, unknown>>;

export interface Call {
  readonly layer: string;
  readonly className: string;
  readonly config: LayerConfig;
  /** Names of values. */
  readonly inputs: readonly string[];
  /** Name of the value that it gives. */
  readonly output: string;
}

export interface Network {
  /** Of each: the name of the value, what a user calls it, and the shape of one row. */
  readonly inputs: readonly { readonly name: string; readonly label: string; readonly shape: readonly number[] }[];
  /** In an order in which they can be computed. */
  readonly calls: readonly Call[];
  readonly outputs: readonly { readonly name: string; readonly value: string }[];
}

interface LayerJson {
  readonly class_name: string;
  readonly config: LayerConfig;
  /** Absent in a Sequential. */
  readonly name?: string;
  readonly inbound_nodes?: readonly Inbound[];
}

/** One call of a layer: [layer, place of the call, place of the tensor, arguments] of each input. */
type Inbound = readonly (readonly [string, number, number, object?])[];
type Reference = readonly [string, number, number];

interface ModelJson {
  readonly class_name: string;
  readonly config: { readonly name: string; readonly layers: readonly LayerJson[]; readonly input_layers?: readonly Reference[]; readonly output_layers?: readonly Reference[] };
}

/** What a model gives, and what it does on the way. */
interface Flow {
  readonly inputs: Network['inputs'];
  readonly calls: Call[];
  readonly outputs: readonly { readonly name: string; readonly value: string }[];
}

/** @param topology  `modelTopology` of a model.json. @throws Unsupported for a graph that no list of calls can say */
export function readTopology(topology: unknown): Network {
  const json = topology as ModelJson | { readonly model_config: ModelJson };
  return flowOf('model_config' in json ? json.model_config : json, '', undefined);
}

const modelClasses = ['Sequential', 'Model', 'Functional'];

/** @param scope  before the names of values, so that those of a model within another are its own. @param bound  values that it is called with */
function flowOf(json: ModelJson, scope: string, bound: readonly string[] | undefined): Flow {
  return json.class_name === 'Sequential' ? sequential(json, scope, bound) : functional(json, scope, bound);
}

function sequential({ config }: ModelJson, scope: string, bound: readonly string[] | undefined): Flow {
  const layers = config.layers.filter(({ class_name }) => class_name !== 'InputLayer');
  const [first] = config.layers;
  if (first === undefined) throw new Unsupported(config.name, 'Sequential', 'has no layers');
  const inputName = `${scope}input`;
  const inputs = bound === undefined ? [{ name: inputName, label: inputLabel(config.layers), shape: inputShape(first) }] : [];
  const calls: Call[] = [];
  let [value] = bound ?? [inputName];
  for (const layer of layers) {
    if (value === undefined) throw new Unsupported(config.name, 'Sequential', 'is called without an input');
    value = call(layer, [value], `${scope}${nameOf(layer)}`, calls);
  }
  return { inputs, calls, outputs: [{ name: nameOf(config.layers.at(-1) ?? first), value: value ?? inputName }] };
}

/** The first layer of a Sequential may be no InputLayer, and then has the input's shape with it. */
function inputLabel([first]: readonly LayerJson[]): string {
  return first?.class_name === 'InputLayer' ? nameOf(first) : 'features';
}

function functional({ class_name, config }: ModelJson, scope: string, bound: readonly string[] | undefined): Flow {
  const calls: Call[] = [];
  const values = new Map<string, string>();
  const inputs = (config.input_layers ?? []).map(([layer], place) => {
    const value = bound === undefined ? `${scope}${layer}` : bound[place];
    if (value === undefined) throw new Unsupported(config.name, class_name, 'is called with fewer inputs than it has');
    values.set(keyOf([layer, 0, 0]), value);
    return { label: layer, name: value, shape: inputShape(config.layers.find((other) => nameOf(other) === layer)) };
  });
  // A layer may be called before the layers that stand above it in the list, so calls are taken as their inputs are there.
  let open = config.layers.flatMap((layer) => (layer.inbound_nodes ?? []).map((inbound, place) => ({ layer, inbound, place })));
  while (open.length > 0) {
    const left = open.filter(({ layer, inbound, place }) => {
      const known = inbound.map(([name, node, tensor]) => values.get(keyOf([name, node, tensor])));
      if (known.some((value) => value === undefined)) return true;
      // A model holds one call of its own layers already, so that its first call from outside has the number 1.
      const node = modelClasses.includes(layer.class_name) ? place + 1 : place;
      if (inbound.some(([, , , args]) => args !== undefined && Object.keys(args).length > 0)) throw new Unsupported(nameOf(layer), layer.class_name, 'is called with more than its inputs');
      const value = call(layer, known.filter((name) => name !== undefined), `${scope}${nameOf(layer)}${place === 0 ? '' : `_call_${place + 1}`}`, calls);
      values.set(keyOf([nameOf(layer), node, 0]), value);
      return false;
    });
    if (left.length === open.length) throw new Unsupported(config.name, class_name, 'uses more than the first output of a layer');
    open = left;
  }
  const outputs = (config.output_layers ?? []).map((reference) => {
    const value = values.get(keyOf(reference));
    if (value === undefined) throw new Unsupported(config.name, class_name, 'uses more than the first output of a layer');
    return { name: reference[0], value };
  });
  return { inputs: bound === undefined ? inputs : [], calls, outputs };
}

/** Appends what the layer does. @returns the name of the value that it gives */
function call(layer: LayerJson, inputs: readonly string[], output: string, calls: Call[]): string {
  if (!modelClasses.includes(layer.class_name)) {
    calls.push({ layer: nameOf(layer), className: layer.class_name, config: layer.config, inputs, output });
    return output;
  }
  const inner = flowOf(layer as unknown as ModelJson, `${output}/`, inputs);
  calls.push(...inner.calls);
  const [only] = inner.outputs;
  if (only === undefined || inner.outputs.length > 1) throw new Unsupported(nameOf(layer), layer.class_name, 'is a model with several outputs within another');
  return only.value;
}

const keyOf = ([layer, node, tensor]: Reference): string => JSON.stringify([layer, node, tensor]);
const nameOf = ({ name, config }: LayerJson): string => name ?? String(config.name);

function inputShape(layer: LayerJson | undefined): readonly number[] {
  if (layer === undefined) throw new Unsupported('input', 'InputLayer', 'is not there');
  // A model as the first layer of another has the input of its own first layer.
  if (modelClasses.includes(layer.class_name)) {
    const inner = layer as unknown as ModelJson;
    const [reference] = inner.config.input_layers ?? [];
    return inputShape(reference === undefined ? inner.config.layers[0] : inner.config.layers.find((other) => nameOf(other) === reference[0]));
  }
  const shape = layer.config.batch_input_shape;
  if (!Array.isArray(shape)) throw new Unsupported(nameOf(layer), layer.class_name, 'does not say the shape of its input');
  const row: readonly unknown[] = shape.slice(1);
  return row.map((length) => {
    if (typeof length !== 'number') throw new Unsupported(nameOf(layer), layer.class_name, 'takes inputs of any length; give features.shape');
    return length;
  });
}
