/** Preprocessing that a saved model brings: nothing is fitted, and the data must be what it was made for. */
import { AnnealError } from '../errors.ts';
import { canonicalJson } from '../files.ts';
import { applyPipeline } from './pipeline/index.ts';
import type { FittedPipeline } from './pipeline/index.ts';
import type { Preprocessing } from './preprocessing.ts';
import type { PrivacyStep } from './privacy/index.ts';
import { upTo } from './random.ts';
import type { Rows } from './rows.ts';
import { pick } from './table.ts';
import type { Column, ColumnInfo } from './table.ts';

const at = 'spec.trainer.model.from';
const words: Readonly<Record<Column['kind'], string>> = { Number: 'numbers', Text: 'text', Time: 'times' };

/**
 * The columns that the model takes, as they are in the data.
 * @param raw  what they were before privacy measures, where there are any
 * @throws AnnealError `SPEC_COLUMN_MISSING`, `SPEC_COLUMN_KIND`, `SPEC_SHAPE_MISMATCH`
 */
export function givenInputs({ inputs }: Preprocessing, data: Rows, raw: readonly ColumnInfo[] | undefined): ColumnInfo[] {
  const [first] = inputs;
  const { vector } = data;
  if (first?.kind === 'Vector' || vector !== undefined) {
    const [wanted, found] = [first?.kind === 'Vector' ? `arrays of shape [${first.shape.join(', ')}]` : 'columns', vector === undefined ? 'columns' : `arrays of shape [${vector.shape.join(', ')}]`];
    if (wanted !== found) throw new AnnealError('SPEC_SHAPE_MISMATCH', { at, message: `The saved model takes rows of ${wanted}, and the data have ${found}. Give data like those that it learnt from.` });
    return [];
  }
  const names = inputs.map(({ name }) => name);
  if (raw !== undefined) requireKinds(inputs, pick(raw, names, at));
  return pick(data.columns, names, at);
}

function requireKinds(inputs: Preprocessing['inputs'], columns: readonly ColumnInfo[]): void {
  for (const [place, { name, kind }] of columns.entries()) {
    const learnt = inputs[place]?.kind;
    if (learnt === kind || learnt === undefined || learnt === 'Vector') continue;
    throw new AnnealError('SPEC_COLUMN_KIND', { at, message: `Column "${name}" has ${words[kind]}, and the saved model learnt it as ${words[learnt]}. Correct the data, or train anew with a preset.` });
  }
}

/** The steps as they were fitted. @param rows  that are trained on; all of them go on */
export function givenPipeline({ steps }: Preprocessing, rows: number): FittedPipeline {
  return { steps, rows: upTo(rows), whileTraining: (table) => applyPipeline(steps, table) };
}

/** A row must come to the steps as those did that they were fitted on. @throws AnnealError `SPEC_CONFLICT` */
export function requireSameMeasures({ privacy = [] }: Preprocessing, measures: readonly PrivacyStep[]): void {
  if (canonicalJson(privacy) === canonicalJson(measures)) return;
  throw new AnnealError('SPEC_CONFLICT', { at: 'spec.trainer.data.privacy', message: `The saved model knows its rows ${privacy.length === 0 ? 'without measures of privacy' : 'by other measures of privacy, or by another key'}. Write data.privacy as it was when that was trained.` });
}
