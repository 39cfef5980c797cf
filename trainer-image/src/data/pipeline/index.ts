/**
 * From raw columns to numbers. `fitPipeline` looks at training rows and gives steps as plain data, which the model directory stores;
 * `applyPipeline` is the only code that runs them, on a million rows or on one.
 */
import { AnnealError } from '../../errors.ts';
import { changed, chosenRows, frameOf } from '../frame.ts';
import type { Frame } from '../frame.ts';
import { upTo } from '../random.ts';
import type { ColumnInfo, Table } from '../table.ts';
import { dates } from './dates.ts';
import { derive } from './derive.ts';
import { discretise } from './discretise.ts';
import { drop } from './drop.ts';
import { encode } from './encode.ts';
import { impute } from './impute.ts';
import { blamed } from './blame.ts';
import type { StepDone } from './blame.ts';
import { outliers } from './outliers.ts';
import { pca } from './pca.ts';
import { polynomial } from './polynomial.ts';
import { scale } from './scale.ts';
import { select } from './select.ts';
import { text } from './text.ts';
import { transform } from './transform.ts';
import { targetOfRows } from './step.ts';
import type { Apply, StepKind, Target } from './step.ts';

/** A kind's field in the manifest is its name with a small first letter. */
const kinds = {
  Impute: impute,
  Outliers: outliers,
  Derive: derive,
  Dates: dates,
  Text: text,
  Encode: encode,
  Discretise: discretise,
  Transform: transform,
  Scale: scale,
  Polynomial: polynomial,
  Select: select,
  Pca: pca,
  Drop: drop,
};

type Kinds = typeof kinds;
type Kind = keyof Kinds;
export type FittedStep = { [K in Kind]: Parameters<Kinds[K]['apply']>[0] }[Kind];
/** One step as the manifest has it, defaults filled in: exactly one of the fields. */
export type Step = { readonly [K in Kind as Uncapitalize<K>]?: Parameters<Kinds[K]['fit']>[0] };

const fieldOf = (kind: Kind): keyof Step => `${kind.charAt(0).toLowerCase()}${kind.slice(1)}` as keyof Step;
const fields = new Map((Object.keys(kinds) as Kind[]).map((kind) => [fieldOf(kind), kind]));

/** A step and its spec only ever meet the kind that they are of. */
const kindOf = (kind: Kind): StepKind<unknown, FittedStep> => kinds[kind];

export interface FittedPipeline {
  readonly steps: readonly FittedStep[];
  /** Which of the training rows are left to train on, ascending. */
  readonly rows: Int32Array;
  /** What becomes of the data while the network learns from them; as `applyPipeline` but for rows that a step must not see itself in. */
  readonly whileTraining: (table: Table) => Promise<Table>;
}

/**
 * Fits each step on what the steps before it make of the training rows.
 * @param target    of the same rows; undefined where the rows themselves are learnt
 * @param remember  whether what a step makes may stay in memory until all are fitted
 * @throws AnnealError `SPEC_…` or `DATA_…` of the step that cannot be fitted
 */
export async function fitPipeline(steps: readonly Step[], training: Frame, target: Target | undefined, remember: boolean): Promise<FittedPipeline> {
  let frame = training;
  let seen = target;
  let rows = upTo(training.rows);
  const fitted: FittedStep[] = [];
  const applies: Apply[] = [];
  for (const [index, step] of steps.entries()) {
    const { kind, field } = kindIn(step, index);
    const at = `spec.trainer.data.pipeline[${index}].${field}`;
    const done = await kindOf(kind).fit(step[field], { frame, target: seen, at }).catch(async (error: unknown) => {
      throw await blamed(error, { steps: fitted.map(doneOf), before: training, remember });
    });
    // What is used from here on is what can be stored: a -0 of the fit is a 0 in the file.
    const stored = JSON.parse(JSON.stringify(done.step)) as FittedStep;
    const apply = done.whileTraining?.(applyOf(stored)) ?? applyOf(stored);
    fitted.push(stored);
    applies.push(apply);
    if (done.keep !== undefined) {
      const { keep } = done;
      [frame, seen, rows] = [chosenRows(frame, keep), seen && targetOfRows(seen, keep), keep.map((row) => rows[row] ?? 0)];
    }
    frame = await changed(frame, { ...doneOf(stored).change, apply }, remember);
    requireDistinct(frame.columns, at);
  }
  return { steps: fitted, rows, whileTraining: (table) => applied(applies, table) };
}

export function applyPipeline(steps: readonly FittedStep[], table: Table): Promise<Table> {
  return applied(steps.map(applyOf), table);
}

async function applied(applies: readonly Apply[], table: Table): Promise<Table> {
  let done = table;
  for (const apply of applies) done = await apply(done);
  return done;
}

/** @param error  that was met in a row of what the steps made of the table. @returns the error of the step that made the number, where one did */
export function blamedStep(error: unknown, steps: readonly FittedStep[], table: Table, row: number | undefined): Promise<unknown> {
  return blamed(error, { steps: steps.map(doneOf), before: frameOf(table), remember: true, ...(row === undefined ? {} : { row }) });
}

function doneOf(step: FittedStep): StepDone {
  const kind = kindOf(step.kind);
  return { field: fieldOf(step.kind), change: { reads: kind.reads(step), joint: kind.joint, apply: applyOf(step) } };
}

/** What a step looks things up in is made once and lives as long as the step. */
const applies = new WeakMap<FittedStep, Apply>();

function applyOf(step: FittedStep): Apply {
  const known = applies.get(step);
  if (known !== undefined) return known;
  const apply = kindOf(step.kind).apply(step);
  applies.set(step, apply);
  return apply;
}

function kindIn(step: Step, index: number): { kind: Kind; field: keyof Step } {
  for (const [field, kind] of fields) if (step[field] !== undefined) return { kind, field };
  throw new AnnealError('SPEC_INVALID', { at: `spec.trainer.data.pipeline[${index}]`, message: `The step is empty. Write one of ${[...fields.keys()].join(', ')}.` });
}

function requireDistinct(columns: readonly ColumnInfo[], at: string): void {
  const names = new Set<string>();
  for (const { name } of columns) {
    if (names.has(name)) throw new AnnealError('SPEC_CONFLICT', { at, message: `After this step there are two columns named "${name}". Rename one in the data, or drop it in a step before.` });
    names.add(name);
  }
}
