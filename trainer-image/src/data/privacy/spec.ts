/** What is done to personal data before anything else sees it; `spec.trainer.data.privacy`. */

import type { TrainerSpec } from '@anneal/operator/api';
import { AnnealError } from '../../errors.ts';

type Written = NonNullable<TrainerSpec['data']['privacy']>;

/** As the manifest has it, each method with what goes with it. @throws AnnealError `SPEC_INVALID` for a method without, or with an edge twice */
export function privacySpec(written: Written | undefined): PrivacySpec {
  if (written === undefined) return {};
  const { generalise, ...rest } = written;
  return { ...rest, ...(generalise === undefined ? {} : { generalise: generalise.map((each, index) => ({ column: each.column, ...generalisation(each, `spec.trainer.data.privacy.generalise[${index}]`) })) }) };
}

function generalisation({ method, width, edges, to, length, unit }: NonNullable<Written['generalise']>[number], at: string): Generalisation {
  if (method === 'Bin' && width !== undefined) return { method, width };
  if (method === 'Bin' && edges !== undefined) {
    const twice = edges.find((edge, index) => edge === edges[index - 1]);
    if (twice !== undefined) throw new AnnealError('SPEC_INVALID', { at: `${at}.edges`, message: `edges hold ${twice} twice, and no number lies between. Write each once.` });
    return { method, edges };
  }
  if (method === 'Round' && to !== undefined) return { method, to };
  if (method === 'Prefix' && length !== undefined) return { method, length };
  if (method === 'TruncateTime' && unit !== undefined) return { method, unit };
  throw new AnnealError('SPEC_INVALID', { at, message: `method: ${method} lacks how coarse. Write width or edges with Bin, to with Round, length with Prefix, unit with TruncateTime.` });
}

export interface PrivacySpec {
  /** Texts or numbers whose place a keyed hash takes. The key is a file that the operator mounts. */
  readonly pseudonymise?: { readonly columns: readonly string[] };
  readonly drop?: readonly string[];
  readonly generalise?: readonly GeneraliseSpec[];
  readonly suppress?: readonly SuppressSpec[];
  readonly kAnonymity?: KAnonymitySpec;
  readonly lDiversity?: LDiversitySpec;
}

/** A column, and how coarse it becomes. */
export type GeneraliseSpec = { readonly column: string } & Generalisation;

export type Generalisation =
  /** The lower end of the stretch of this width, counted from 0, that a number lies in. */
  | { readonly method: 'Bin'; readonly width: number }
  /** The greatest edge that is not above the number; the first for what is below all. Ascending. */
  | { readonly method: 'Bin'; readonly edges: readonly number[] }
  /** The nearest multiple. */
  | { readonly method: 'Round'; readonly to: number }
  /** The first characters (code points) of a text. */
  | { readonly method: 'Prefix'; readonly length: number }
  /** The beginning of the unit, in UTC. */
  | { readonly method: 'TruncateTime'; readonly unit: TimeUnit };

export type TimeUnit = 'Year' | 'Month' | 'Day' | 'Hour';

/** Values that fewer rows have become missing. */
export interface SuppressSpec {
  readonly column: string;
  readonly fewerThan: number;
}

export interface KAnonymitySpec {
  /** Columns that together might point to a person, for example year of birth and postcode. */
  readonly quasiIdentifiers: readonly string[];
  /** Fewest rows that are alike in them. */
  readonly k: number;
  readonly onViolation: 'Fail' | 'Suppress';
}

export interface LDiversitySpec {
  /** What must not be told of a person. */
  readonly sensitive: string;
  /** Those of kAnonymity unless set. */
  readonly quasiIdentifiers?: readonly string[];
  /** Fewest different values among rows that are alike; with Entropy, values as evenly spread as that many would be. */
  readonly l: number;
  readonly method: 'Distinct' | 'Entropy';
  readonly onViolation: 'Fail' | 'Suppress';
}
