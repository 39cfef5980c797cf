import { join } from 'node:path';

import { attempt, run } from '../cluster/commands.ts';
import type { CommandResult } from '../cluster/commands.ts';
import { binary } from '../cluster/index.ts';

export const repository = join(import.meta.dirname, '..', '..');
export const chart = join(repository, 'charts', 'anneal');

/** A Helm that we built ourselves takes the oldest version for granted when it renders without a cluster. */
const kubeVersion = 'v1.35.0';

export interface RenderOptions {
  readonly release?: string;
  readonly namespace?: string;
  /** `name=value` pairs, as after `--set`. */
  readonly set?: readonly string[];
  readonly valuesFiles?: readonly string[];
}

export function renderArguments(options: RenderOptions = {}): readonly string[] {
  const { release = 'anneal', namespace = 'anneal-system', set = [], valuesFiles = [] } = options;
  return [
    'template', release, chart, '--namespace', namespace, '--kube-version', kubeVersion, '--skip-tests',
    ...set.flatMap((pair) => ['--set', pair]), ...valuesFiles.flatMap((file) => ['--values', file]),
  ];
}

/** The chart's manifests as one YAML stream. */
export async function renderChart(options: RenderOptions = {}): Promise<string> {
  return run(await binary('helm'), renderArguments(options));
}

/** Runs helm and returns what came of it, for commands that may fail. */
export async function helm(args: readonly string[]): Promise<CommandResult> {
  return attempt(await binary('helm'), args);
}
