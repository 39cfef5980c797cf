/** `sh hack/run.sh hack/manifests.ts`: renders the chart to dist/anneal.yaml, for clusters without Helm. */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { dump } from 'js-yaml';

import { renderChart, repository } from './chart/helm.ts';

export const namespaceName = 'anneal-system';

/** Helm makes the namespace when told to; a plain manifest has to bring it. */
const namespace = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: namespaceName, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
};

/** The namespace, then what `helm install anneal charts/anneal -n anneal-system` would create. */
export async function manifests(): Promise<string> {
  return `# Rendered from charts/anneal. Apply with: kubectl apply --server-side -f anneal.yaml\n${dump(namespace)}${await renderChart({ namespace: namespaceName })}`;
}

if (import.meta.main) {
  const path = join(repository, 'dist', 'anneal.yaml');
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${String(process.pid)}`;
  await writeFile(draft, await manifests());
  await rename(draft, path);
  console.log(`Wrote dist/anneal.yaml. Next: kubectl apply --server-side -f dist/anneal.yaml`);
}
