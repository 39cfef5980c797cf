/** Runs a graph: TensorFlow optimises it for what is asked for, and does it in one call. */
import { threadId } from 'node:worker_threads';
import { AnnealError } from '../../errors.ts';
import { native } from '../backend.ts';
import { savedModelTag } from './graph.ts';
import type { Graph, Shape, Value } from './graph.ts';

export type Numbers = Float32Array | Int32Array;

/** One way to run a graph: numbers for its inputs in their order, to those of its outputs. */
export type Run = (...inputs: readonly Numbers[]) => Numbers[];

let sessions = 0;

/** Holds the values of the graph's variables until it is disposed of. */
export class Session {
  private readonly id: number;

  constructor(graph: Graph) {
    // TensorFlow loads a SavedModel by its path; ram:// is its file system in memory, so that no disk has to be writable. A file in
    // it can only grow, so each graph has its own.
    sessions += 1;
    const folder = `ram://anneal-${threadId}-${sessions}`;
    writeRamFile(`${folder}/saved_model.pb`, graph.savedModel());
    this.id = failing(() => native().binding.loadSavedModel(folder, savedModelTag));
  }

  /** @param inputs  with at most one unknown size each. @throws AnnealError `OUT_OF_MEMORY`; Error for what TensorFlow refuses */
  prepare(inputs: readonly Value[], outputs: readonly Value[]): Run {
    const { binding } = native();
    const types = { float32: binding.TF_FLOAT, int32: binding.TF_INT32 };
    const kinds = inputs.map(({ name, dtype }) => {
      if (dtype === 'float32' || dtype === 'int32') return types[dtype];
      throw new Error(`${name} cannot be fed.`);
    });
    const [names, asked] = [inputs, outputs].map((values) => values.map(outputName).join(','));
    return (...given) => {
      const held: number[] = [];
      try {
        inputs.forEach((input, index) => {
          const numbers = given[index] ?? new Float32Array(0);
          held.push(binding.createTensor(filledIn(input.shape, numbers.length), kinds[index] ?? NaN, numbers));
        });
        const results = failing(() => binding.runSavedModel(this.id, held, names ?? '', asked ?? ''));
        held.push(...results.map(({ id }) => id));
        return results.map(({ id }) => binding.tensorDataSync(id));
      } finally {
        for (const id of held) binding.deleteTensor(id);
      }
    };
  }

  dispose(): void {
    native().binding.deleteSavedModel(this.id);
  }
}

const outputName = ({ name }: Value): string => (name.includes(':') ? name : `${name}:0`);

function filledIn(shape: Shape, length: number): number[] {
  const known = shape.reduce<number>((product, size) => product * (size ?? 1), 1);
  return shape.map((size) => size ?? length / known);
}

function writeRamFile(path: string, content: Uint8Array): void {
  const { binding } = native();
  const held: number[] = [];
  try {
    for (const text of [Buffer.from(path), content]) held.push(binding.createTensor([], binding.TF_STRING, [text]));
    binding.executeOp('WriteFile', [], held, 0);
  } finally {
    for (const id of held) binding.deleteTensor(id);
  }
}

function failing<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    if (/\bOOM\b|out of memory|RESOURCE_EXHAUSTED/i.test(words)) {
      const instead = native().isUsingGpuDevice ? 'or take a GPU with more memory' : 'or raise the memory limit';
      throw new AnnealError('OUT_OF_MEMORY', { at: 'spec.trainer.fit.batchSize', message: `A step of the training does not fit into memory. Lower batchSize, make the network smaller, ${instead}.`, cause: error });
    }
    throw new Error(`TensorFlow could not run the training graph: ${reasonIn(words)}`, { cause: error });
  }
}

/** One line for people: TensorFlow's words say also which node failed, where each number comes from, and more than once. */
function reasonIn(words: string): string {
  const [first = '', ...others] = words.split('\n');
  return others.map((line) => /^\s*\(0\) (.+)/.exec(line)?.[1]).find((cause) => cause !== undefined) ?? first;
}
