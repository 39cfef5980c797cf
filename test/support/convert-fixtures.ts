/** Manifests of other operators, each with the fields that a conversion loses or changes, as comments. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseYaml } from '../../operator/src/cli/yaml.ts';
import { convert, type Outcome, type Source } from '../../operator/src/domain/convert/index.ts';

const folder = join(import.meta.dirname, 'convert-fixtures');

export interface ConvertFixture {
  readonly name: string;
  readonly path: string;
  readonly lost: readonly string[];
  readonly changed: readonly string[];
  readonly sources: readonly Source[];
  readonly outcome: () => Outcome;
}

export const convertFixtures: readonly ConvertFixture[] = readdirSync(folder).sort().map((file) => {
  const path = join(folder, file);
  const text = readFileSync(path, 'utf8');
  const sources = parseYaml({ name: file, text });
  return {
    name: file.replace('.yaml', ''),
    path,
    lost: listed(text, 'lost'),
    changed: listed(text, 'changed'),
    sources,
    outcome: () => convert(sources),
  };
});

function listed(text: string, kind: string): readonly string[] {
  return [...text.matchAll(new RegExp(`^# ${kind}: (.*)$`, 'gm'))].map((match) => match[1] ?? '').sort();
}
