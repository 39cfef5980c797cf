/** Checks a sweep's overrides against its parameters before anything is made from them. */
import { overlap, parsePath, type Path } from './paths.ts';
import { referencesIn } from './placeholders.ts';

/** What each trial sets, by dotted path. */
export type Overrides = Readonly<Record<string, unknown>>;

export interface Override {
  readonly path: Path;
  readonly value: unknown;
}

/** `code` for programs, `message` for a person: what is wrong, where, and what to write instead. */
export interface OverrideProblem {
  readonly code: 'BadPath' | 'ReservedPath' | 'OverlappingPaths' | 'BadPlaceholder' | 'UnknownParameter' | 'UnusedParameter' | 'NoSuchItem' | 'PathThroughValue';
  readonly message: string;
}

/** Fields of a trial that are the sweep's own. */
export const reservedFields: ReadonlySet<string> = new Set(['suspend', 'backup', 'ttlSecondsAfterFinished']);

/** In the order of their paths, since the API server promises none. */
export function parseOverrides(overrides: Overrides): Override[] {
  return Object.entries(overrides)
    .map(([path, value]) => ({ path: parsePath(path), value }))
    .sort((a, b) => (a.path.text < b.path.text ? -1 : 1));
}

/** The first thing that is wrong whatever the template is; undefined when nothing is. */
export function problemOf(overrides: readonly Override[], parameters: readonly string[]): OverrideProblem | undefined {
  for (const override of overrides) {
    const problem = pathProblem(override) ?? placeholderProblem(override, parameters);
    if (problem !== undefined) return problem;
  }
  return overlapProblem(overrides) ?? unusedProblem(overrides, parameters);
}

function pathProblem({ path }: Override): OverrideProblem | undefined {
  if (path.segments.includes('')) {
    return { code: 'BadPath', message: `The override "${path.text}" has an empty part. Write the fields' names with one dot between them, for example trainer.fit.epochs.` };
  }
  const [first = ''] = path.segments;
  if (!reservedFields.has(first)) return undefined;
  return { code: 'ReservedPath', message: `The override ${path.text} sets ${first}, which a sweep leaves out of its trials. Remove the override.` };
}

function placeholderProblem({ path, value }: Override, parameters: readonly string[]): OverrideProblem | undefined {
  const { names, unclosed } = referencesIn(value);
  if (unclosed !== undefined) {
    return { code: 'BadPlaceholder', message: `The override ${path.text} has a \${ without a } in ${JSON.stringify(unclosed)}. Write \${name} for a parameter, or $\${ for the characters themselves.` };
  }
  const unknown = [...names].find((name) => !parameters.includes(name));
  if (unknown === undefined) return undefined;
  const message = `The override ${path.text} refers to the parameter "${unknown}", which the sweep does not have; it has ${parameters.join(', ')}. Write one of them, or $\${ for the characters themselves.`;
  return { code: 'UnknownParameter', message };
}

function overlapProblem(overrides: readonly Override[]): OverrideProblem | undefined {
  for (const [place, { path }] of overrides.entries()) {
    const other = overrides.slice(place + 1).find((later) => overlap(path, later.path))?.path;
    if (other !== undefined) return { code: 'OverlappingPaths', message: `The overrides ${path.text} and ${other.text} set the same field. Keep one of them.` };
  }
  return undefined;
}

function unusedProblem(overrides: readonly Override[], parameters: readonly string[]): OverrideProblem | undefined {
  const used = new Set(overrides.flatMap(({ value }) => [...referencesIn(value).names]));
  const unused = parameters.find((name) => !used.has(name));
  if (unused === undefined) return undefined;
  return { code: 'UnusedParameter', message: `No override uses the parameter ${unused}, so its values would change nothing. Write "\${${unused}}" where it belongs, or remove the parameter.` };
}
