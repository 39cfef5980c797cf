/** Recognises a template: trials of different templates cannot be compared. */
import { createHash } from 'node:crypto';
import type { TrainingJobSpec } from '../../api/index.ts';
import { canonicalJson } from '../node-pool.ts';
import { trialBase } from './trial-spec.ts';

export interface TemplateDigests {
  /** Of what a trial takes over from the template. */
  readonly template: string;
  readonly overrides: string;
}

export function templateDigests(template: TrainingJobSpec, overrides: Readonly<Record<string, unknown>>): TemplateDigests {
  return { template: digestOf(trialBase(template)), overrides: digestOf(overrides) };
}

/** Of what one trial is made; a trial that runs the template unchanged does not depend on the overrides. */
export function fingerprintOf({ template, overrides }: TemplateDigests, kind: 'Template' | 'Sampled'): string {
  return kind === 'Template' ? template : `${template}/${overrides}`;
}

/** Equal for equal JSON, whatever the order of the keys: the API server promises none. */
function digestOf(value: unknown): string {
  return `sha256:${createHash('sha256').update(canonicalJson(value)).digest('hex')}`;
}
