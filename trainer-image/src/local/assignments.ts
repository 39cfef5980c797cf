/** `--set PATH=VALUE`: fields that are changed before anything looks at them. */
import { parseDocuments, YamlError } from '@anneal/operator/yaml';
import { trainerSchema } from '../spec/crd.ts';
import { isList, isObject } from '../spec/schema.ts';
import type { Json, JsonObject } from '../spec/schema.ts';
import { invalid } from './flags.ts';

/**
 * A copy of the object with each field set. A path is a field's name in the API, its parts with dots between them: `spec.trainer.fit.epochs`; what stands
 * before `trainer`, or `data`, `model` and `fit`, may be left out. `\.` is a dot within a name. A value is YAML; nothing is the default.
 * @throws AnnealError `COMMAND_INVALID`
 */
export function withAssignments(object: JsonObject, assignments: readonly string[]): JsonObject {
  return assignments.reduce((done, text) => {
    const at = text.indexOf('=');
    if (at <= 0) throw invalid(`--set ${text} is not PATH=VALUE. Write for example --set fit.epochs=3.`);
    const changed = assigned(done, pathOf(text.slice(0, at)), valueOf(text, text.slice(at + 1)), text);
    return isObject(changed) ? changed : done;
  }, object);
}

function pathOf(text: string): readonly string[] {
  const segments = text.split(/(?<!\\)\./).map((segment) => segment.replaceAll('\\.', '.'));
  if (segments.includes('')) throw invalid(`--set ${text} has an empty part. Write names with one dot between them, for example fit.epochs.`);
  const [first = ''] = segments;
  if (first === 'spec' || first === 'metadata') return segments;
  return Object.hasOwn(trainerSchema().properties ?? {}, first) ? ['spec', 'trainer', ...segments] : ['spec', ...segments];
}

function valueOf(assignment: string, text: string): Json {
  try {
    const [value = null] = parseDocuments(text) as readonly Json[];
    return value;
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    throw invalid(`The value of --set ${assignment} is no YAML: ${error.message}. Put a text into quotes.`, error);
  }
}

function assigned(container: Json | undefined, path: readonly string[], value: Json, assignment: string): Json {
  const [segment, ...rest] = path;
  if (segment === undefined) return value;
  if (isList(container)) {
    const index = Number(segment);
    if (/^\d+$/.test(segment) && index < container.length) return container.map((item, place) => (place === index ? assigned(item, rest, value, assignment) : item));
    throw invalid(`--set ${assignment} names item "${segment}" of a list ${container.length === 0 ? 'that is empty' : `with the items 0 to ${container.length - 1}`}. Set the whole list, or correct the path.`);
  }
  if (container !== undefined && container !== null && !isObject(container)) throw invalid(`--set ${assignment} goes through ${JSON.stringify(container)}, which has no fields. Correct the path.`);
  // A computed key makes an own field even of `__proto__`.
  return { ...container, [segment]: assigned(container?.[segment], rest, value, assignment) };
}
