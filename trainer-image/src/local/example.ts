/** A request that a model can answer, made from what its directory holds: a row of typical values. */
import type { FittedStep } from '../data/pipeline/index.ts';
import { preprocess } from '../data/prepare.ts';
import type { Preprocessing } from '../data/prepare.ts';
import { textColumn } from '../data/table.ts';
import type { Column } from '../data/table.ts';
import { AnnealError } from '../errors.ts';
import type { Manifest } from '../model/directory.ts';

/** Body of an inference request for one row; undefined where no such row can be made up. */
export async function exampleRequest({ signature }: Pick<Manifest, 'signature'>, preprocessing: Preprocessing): Promise<object | undefined> {
  // An image in JSON is no example that a person would read.
  if (preprocessing.inputs.some(({ kind }) => kind === 'Vector')) return undefined;
  const columns = preprocessing.inputs.map(({ name, kind }): Column => {
    const typical = typicalValue(preprocessing, name);
    return kind === 'Number' ? { kind, name, values: Float64Array.of(Number(Number(typical ?? 0).toPrecision(6))) } : textColumn(name, [typical === undefined ? null : String(typical)]);
  });
  try {
    await preprocess(preprocessing, { rows: 1, columns });
  } catch (error) {
    if (error instanceof AnnealError) return undefined;
    throw error;
  }
  const data = columns.map((column): string | number | null => (column.kind === 'Text' ? column.dictionary[0] ?? null : column.values[0] ?? null));
  const [all] = signature.inputs;
  return { inputs: all?.shape.length === 2 ? [{ ...all, shape: [1, data.length], data }] : signature.inputs.map((input, index) => ({ ...input, shape: [1], data: [data[index] ?? null] })) };
}

function typicalValue({ steps }: Preprocessing, name: string): number | string | undefined {
  for (const step of steps) {
    const value = knownTo(step, name);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** What a step that was fitted knows of a column: what fills it, its first category, or where its scale begins. */
function knownTo(step: FittedStep, name: string): number | string | undefined {
  const isMeant = (column: { readonly name: string }): boolean => column.name === name;
  switch (step.kind) {
    case 'Impute': return step.columns.find(isMeant)?.fill;
    case 'Encode': return step.method === 'Hash' ? undefined : step.columns.find(isMeant)?.categories[0];
    case 'Scale': return step.columns.find(isMeant)?.shift;
    default: return undefined;
  }
}
