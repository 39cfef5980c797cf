/**
 * YAML as kubectl reads it. It speaks YAML 1.1, in which 0400 is octal: read as YAML 1.2, each defaultMode of a volume would
 * change on the way. Not part of what the folder's index exports, since only command lines read YAML.
 */
import { boolYaml11Tag, defineScalarTag, FAILSAFE_SCHEMA, floatCoreTag, loadAll, mergeTag, NOT_RESOLVED, nullYaml11Tag, Schema, YAMLException } from 'js-yaml';

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

/** A text that is no YAML; the message says why and where, in one line. */
export class YamlError extends Error {}

/** All documents of a text. @throws YamlError */
export function parseDocuments(text: string): readonly unknown[] {
  try {
    return loadAll(text, { schema });
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    throw new YamlError(error.message.split('\n', 1)[0] ?? '', { cause: error });
  }
}
