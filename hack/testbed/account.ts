import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderChart } from '../chart/helm.ts';
import type { TestControlPlane } from '../cluster/index.ts';

/** The operator's service account as the chart makes it, with no right beyond the chart's roles. */
export interface OperatorAccount {
  /** Where its Lease lies. */
  readonly namespace: string;
  readonly server: string;
  /** For an operator that runs outside of a pod. */
  readonly kubeconfig: string;
  /** What a pod finds below /var/run/secrets/kubernetes.io/serviceaccount. */
  readonly folder: string;
}

const namespace = 'anneal-system';

/** Installs the chart, CRDs and all, but for the operator's own pods. */
export async function installAccount(plane: TestControlPlane): Promise<OperatorAccount> {
  await plane.kubectl(['create', 'namespace', namespace]);
  await plane.kubectl(['apply', '--server-side', '-f', '-'], { input: await renderChart({ namespace }) });
  await plane.kubectl(['delete', 'deployment', 'anneal', '--namespace', namespace]);
  await plane.kubectl(['wait', '--for=condition=Established', '--timeout=60s', 'crd', '-l', 'app.kubernetes.io/part-of=anneal']);
  const token = (await plane.kubectl(['create', 'token', 'anneal', '--namespace', namespace, '--duration', '6h'])).trim();
  const authority = plane.plane.pki.authority.pair.certificate;
  const folder = join(plane.dir, 'service-account');
  await mkdir(folder, { mode: 0o700 });
  await writeFile(join(folder, 'token'), token);
  await writeFile(join(folder, 'ca.crt'), authority);
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, kubeconfigOf(plane.server, authority, token));
  return { namespace, server: plane.server, kubeconfig, folder };
}

/** JSON is YAML too. */
function kubeconfigOf(server: string, authority: string, token: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'plane', cluster: { server, 'certificate-authority-data': Buffer.from(authority).toString('base64') } }],
    users: [{ name: 'operator', user: { token } }],
    contexts: [{ name: 'operator', context: { cluster: 'plane', user: 'operator' } }],
    'current-context': 'operator',
  });
}
