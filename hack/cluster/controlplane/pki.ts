import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CertificateAuthority, signingKey } from '../certificates.ts';
import type { CertificateRequest, KeyPair } from '../certificates.ts';

/** Files of a cluster's certificates, below one folder that only its owner can read. */
export interface Pki {
  readonly dir: string;
  readonly authority: CertificateAuthority;
  /** Path of NAME.crt or NAME.key; the authority's own is ca. */
  file(name: string): string;
  /** Issues a certificate and writes NAME.crt and NAME.key. */
  issue(name: string, request: CertificateRequest): Promise<KeyPair>;
}

const frontProxy = 'front-proxy-ca';

/** Makes the certificates of a control plane that answers on the given hosts, or loads those that an earlier start made. */
export async function controlPlanePki(dir: string, hosts: readonly string[]): Promise<Pki> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  if (existsSync(join(dir, 'complete'))) return loadPki(dir);
  const authority = await CertificateAuthority.create('anneal-cluster');
  const pki = pkiOf(dir, authority);
  await writePair(pki, 'ca', authority.pair);
  await pki.issue('apiserver', { commonName: 'kube-apiserver', hosts });
  await pki.issue('apiserver-kubelet-client', { commonName: 'kube-apiserver-kubelet-client', organizations: ['system:masters'] });
  await pki.issue('admin', { commonName: 'anneal-admin', organizations: ['system:masters'] });
  await pki.issue('controller-manager', { commonName: 'system:kube-controller-manager' });
  await pki.issue('scheduler', { commonName: 'system:kube-scheduler' });
  await aggregation(pki);
  const tokens = await signingKey();
  await write(pki.file('service-accounts.pub'), tokens.publicKey);
  await write(pki.file('service-accounts.key'), tokens.privateKey);
  await write(join(dir, 'complete'), '');
  return pki;
}

export async function loadPki(dir: string): Promise<Pki> {
  return pkiOf(dir, await CertificateAuthority.load(await readPair(dir, 'ca')));
}

export async function readPair(dir: string, name: string): Promise<KeyPair> {
  const [certificate, key] = await Promise.all([readFile(join(dir, `${name}.crt`), 'utf8'), readFile(join(dir, `${name}.key`), 'utf8')]);
  return { certificate, key };
}

/** An authority of its own: whoever it signs may speak to an aggregated API server in any user's name. */
async function aggregation(pki: Pki): Promise<void> {
  const authority = await CertificateAuthority.create('anneal-front-proxy');
  await write(pki.file(`${frontProxy}.crt`), authority.pair.certificate);
  await writePair(pki, 'front-proxy-client', await authority.issue({ commonName: 'front-proxy-client' }));
}

function pkiOf(dir: string, authority: CertificateAuthority): Pki {
  const pki: Pki = {
    dir,
    authority,
    file: (name) => join(dir, name),
    issue: async (name, request) => {
      const pair = await authority.issue(request);
      await writePair(pki, name, pair);
      return pair;
    },
  };
  return pki;
}

async function writePair(pki: Pki, name: string, pair: KeyPair): Promise<void> {
  await write(pki.file(`${name}.crt`), pair.certificate);
  await write(pki.file(`${name}.key`), pair.key);
}

async function write(file: string, text: string): Promise<void> {
  await writeFile(file, text, { mode: 0o600 });
}
