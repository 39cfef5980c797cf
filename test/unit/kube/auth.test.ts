import { expect } from 'chai';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inClusterAuthority, kubeConfigAuthority } from '../../../operator/src/kube/auth.ts';
import type { Authority } from '../../../operator/src/kube/auth.ts';
import { TestClock } from '../../support/clock.ts';

describe('credentials', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'anneal-auth-'));
  });

  afterEach(() => rm(directory, { recursive: true, force: true }));

  async function inPod(clock: TestClock): Promise<Authority> {
    await writeFile(join(directory, 'token'), 'first\n');
    await writeFile(join(directory, 'ca.crt'), 'CA');
    const authority = inClusterAuthority({ KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' }, clock, directory);
    if (authority === undefined) throw new Error('The environment of a pod was not recognised');
    return authority;
  }

  async function tokenOf(authority: Authority): Promise<string | undefined> {
    return (await authority.credentials()).headers.authorization;
  }

  it('are not looked for in a pod outside of one', () => {
    expect(inClusterAuthority({}, new TestClock(), directory)).to.equal(undefined);
  });

  it('of a pod are read again within a minute, since the kubelet rotates them', async () => {
    const clock = new TestClock();
    const authority = await inPod(clock);
    expect(authority.server.href).to.equal('https://[fd00::1]/');
    expect(await tokenOf(authority)).to.equal('Bearer first');
    const { tls } = await authority.credentials();
    await writeFile(join(directory, 'token'), 'second');
    await clock.advance(59_000);
    expect(await tokenOf(authority)).to.equal('Bearer first');
    await clock.advance(1_000);
    expect(await tokenOf(authority)).to.equal('Bearer second');
    expect((await authority.credentials()).tls, 'unchanged TLS options').to.equal(tls);
  });

  it('are read at once when the server refused those in use, and once for many refusals', async () => {
    const authority = await inPod(new TestClock());
    const stale = await authority.credentials();
    await writeFile(join(directory, 'token'), 'second');
    authority.refused(stale);
    authority.refused(stale);
    expect(await tokenOf(authority)).to.equal('Bearer second');
    const fresh = await authority.credentials();
    authority.refused(stale);
    expect(await authority.credentials()).to.equal(fresh);
  });

  it('come from an exec plugin of a kubeconfig, which runs again after a refusal', async () => {
    const counter = join(directory, 'count');
    const script = `echo x >> ${counter}; printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"run-%s"}}' $(wc -l < ${counter} | tr -d ' ')`;
    const path = join(directory, 'kubeconfig');
    await writeFile(path, JSON.stringify({
      apiVersion: 'v1', kind: 'Config', 'current-context': 'c',
      clusters: [{ name: 'c', cluster: { server: 'https://example.test:6443', 'tls-server-name': 'kubernetes' } }],
      users: [{ name: 'u', user: { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'sh', args: ['-c', script] } } }],
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    }));
    const authority = await kubeConfigAuthority({ path }, new TestClock());
    expect(authority.server.host).to.equal('example.test:6443');
    expect(await tokenOf(authority)).to.equal('Bearer run-1');
    expect((await authority.credentials()).tls.servername).to.equal('kubernetes');
    authority.refused(await authority.credentials());
    expect(await tokenOf(authority)).to.equal('Bearer run-2');
  });

  it('are missed with a sentence when the kubeconfig names no cluster', async () => {
    const path = join(directory, 'kubeconfig');
    await writeFile(path, JSON.stringify({ apiVersion: 'v1', kind: 'Config', 'current-context': 'c', clusters: [], users: [], contexts: [] }));
    let message = '';
    await kubeConfigAuthority({ path }, new TestClock()).catch((error: unknown) => {
      message = String(error);
    });
    expect(message).to.contain('The kubeconfig has no cluster for the context "c"');
  });
});
