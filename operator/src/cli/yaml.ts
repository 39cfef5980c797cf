/**
 * YAML as kubectl reads it. It speaks YAML 1.1, in which 0400 is octal: read as YAML 1.2, each defaultMode of a volume would
 * change on the way.
 */
import { boolYaml11Tag, COLLECTION_STYLE, defineScalarTag, dump, FAILSAFE_SCHEMA, floatCoreTag, intCoreTag, loadAll, mergeTag, NOT_RESOLVED, nullYaml11Tag, Schema, visit, YAMLException } from 'js-yaml';
import type { Source } from '../domain/convert/index.ts';
import { InputError, type InputFile } from './files.ts';

const integer = /^[-+]?(0b[01_]+|0o?[0-7_]*|0x[0-9a-fA-F_]+|[1-9][0-9_]*)$/;

/** Octal by a leading zero or 0o, no sexagesimal numbers. */
const kubectlInteger = defineScalarTag<number>('tag:yaml.org,2002:int', {
  implicit: true,
  implicitFirstChars: ['-', '+', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
  resolve: (source): number | typeof NOT_RESOLVED => (integer.test(source) ? integerOf(source) : NOT_RESOLVED),
  identify: () => false,
});

function integerOf(source: string): number {
  const digits = source.replace(/[_+-]/g, '').replace(/^0o?(?=[0-7])/, '0o');
  return (source.startsWith('-') ? -1 : 1) * Number(digits);
}

const schema = new Schema([...FAILSAFE_SCHEMA.tags, nullYaml11Tag, boolYaml11Tag, kubectlInteger, floatCoreTag, mergeTag]);

/** The documents of a file; throws an `InputError` that names file and line. */
export function parseYaml({ name, text }: InputFile): readonly Source[] {
  try {
    const documents = loadAll(text, { schema });
    return documents.map((content, index) => ({ at: documents.length === 1 ? name : `${name}, document ${index + 1}`, content }));
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    throw new InputError(`${name} is no YAML: ${error.message.split('\n', 1)[0] ?? ''}.`, { cause: error });
  }
}

/** Texts that YAML 1.1 would take for something else are quoted; lists of numbers stand on one line. */
export function renderYaml(value: unknown): string {
  return dump(value, {
    lineWidth: -1,
    noRefs: true,
    transform: (documents) =>
      visit(documents, (node) => {
        if (node.kind === 'sequence' && node.items.every((item) => item.kind === 'scalar' && item.tag === intCoreTag.tagName)) node.style = COLLECTION_STYLE.FLOW;
      }),
  });
}
