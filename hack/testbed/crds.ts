import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../cluster/places.ts';

/** Files of Anneal's own CustomResourceDefinitions, as the chart installs them. */
export function annealCrds(): string[] {
  const folder = join(projectRoot, 'charts', 'anneal', 'files', 'crds');
  return readdirSync(folder).filter((name) => name.endsWith('.yaml')).sort().map((name) => join(folder, name));
}
