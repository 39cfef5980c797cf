/** A request that a model can answer, made from what its directory holds: a row of typical values. */
import type { FittedStep } from '../data/pipeline/index.ts';
import { preprocess } from '../data/prepare.ts';
import type { Preprocessing } from '../data/prepare.ts';
import type { Column } from '../data/table.ts';
import { formatTime } from '../data/time.ts';
import { AnnealError } from '../errors.ts';
import type { Manifest } from '../model/directory.ts';
import { parseInfer, ProtocolError } from '../serve/request.ts';

/** Body of an inference request for one row; undefined where none can be made up that the model answers. */
export async function exampleRequest({ signature }: Pick<Manifest, 'signature'>, preprocessing: Preprocessing): Promise<object | undefined> {
  // An image in JSON is no example that a person would read.
  const columns = preprocessing.inputs.filter((input) => input.kind !== 'Vector');
  if (columns.length < preprocessing.inputs.length) return undefined;
  const data = columns.map(({ name, kind }) => valueOf(kind, typicalValue(preprocessing, name)));
  const [all] = signature.inputs;
  const inputs = all?.shape.length === 2 ? [{ ...all, shape: [1, data.length], data }] : signature.inputs.map((input, index) => ({ ...input, shape: [1], data: [data[index] ?? null] }));
  try {
    const row = await preprocess(preprocessing, parseInfer({ inputs }, preprocessing, []).table);
    return row.length === preprocessing.features.length ? { inputs } : undefined;
  } catch (error) {
    if (error instanceof AnnealError || error instanceof ProtocolError) return undefined;
    throw error;
  }
}

/** Where nothing is known of a column: nothing, a word, a day. */
function valueOf(kind: Column['kind'], typical: number | string | undefined): number | string {
  switch (kind) {
    case 'Number': return Number(Number(typical ?? 0).toPrecision(6));
    case 'Text': return String(typical ?? 'text');
    case 'Time': return typeof typical === 'number' ? formatTime(typical) : '2026-01-01T00:00:00Z';
  }
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
