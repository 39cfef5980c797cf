/** `npm run gen`: writes everything that follows from crds/. `--check` writes nothing and fails where something differs. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { dump } from 'js-yaml';
import { bundle, readCrds, root } from './schema.ts';
import { typesModule } from './types.ts';

/** What `npm run gen` makes, by path. */
export async function generate(): Promise<Map<string, string>> {
  const crds = readCrds();
  const files = new Map<string, string>();
  for (const crd of crds) {
    const text = dump(bundle(crd), { lineWidth: 140, noRefs: true });
    files.set(join(root, 'charts/anneal/files/crds', `${crd.plural}.yaml`), `# Generated from crds/ by \`npm run gen\`. Do not edit.\n${text}`);
  }
  files.set(join(root, 'operator/src/api/generated/types.ts'), await typesModule(crds));
  return files;
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Paths whose content is not what `npm run gen` would write. */
export async function drifted(): Promise<string[]> {
  return [...(await generate())].filter(([file, text]) => read(file) !== text).map(([file]) => relative(root, file));
}

async function main(check: boolean): Promise<void> {
  const stale = await drifted();
  if (check && stale.length > 0) {
    console.error(`Generated files differ from crds/: ${stale.join(', ')}. Run npm run gen and commit what it writes.`);
    process.exitCode = 1;
    return;
  }
  const files = await generate();
  for (const file of stale) {
    const path = join(root, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, files.get(path) ?? '');
    console.log(`wrote ${file}`);
  }
}

if (import.meta.main) await main(process.argv.includes('--check'));
