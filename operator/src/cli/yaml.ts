/** Manifests in YAML, read as kubectl reads them and written so that it reads the same. */
import { COLLECTION_STYLE, dump, intCoreTag, visit } from 'js-yaml';
import { parseDocuments, YamlError } from '../api/yaml.ts';
import type { Source } from '../domain/convert/index.ts';
import { InputError, type InputFile } from './files.ts';

/** The documents of a file; throws an `InputError` that names file and line. */
export function parseYaml({ name, text }: InputFile): readonly Source[] {
  try {
    const documents = parseDocuments(text);
    return documents.map((content, index) => ({ at: documents.length === 1 ? name : `${name}, document ${index + 1}`, content }));
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    throw new InputError(`${name} is no YAML: ${error.message}.`, { cause: error });
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
