import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { secretMaterial, type SecretMaterial } from '../../../operator/src/runtime/secret-material.ts';
import { TestClock } from '../../support/clock.ts';

const nowMs = Date.now();
const make = secretMaterial(new TestClock(nowMs));

describe('an SSH key pair', () => {
  it('is read by OpenSSH, whose public line of the private key is ours', async () => {
    const pair = await make({ kind: 'SshKeyPair' });
    const folder = await mkdtemp(join(tmpdir(), 'anneal-ssh-'));
    try {
      const file = join(folder, 'id_ecdsa');
      await writeFile(file, pair['ssh-privatekey'] ?? '', { mode: 0o600 });
      const { stdout } = await promisify(execFile)('ssh-keygen', ['-y', '-f', file]);
      expect(stdout.trim()).to.equal(pair['ssh-publickey']?.trim());
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('is SEC 1 in PEM on P-256, and another each time', async () => {
    const [one, other] = [await make({ kind: 'SshKeyPair' }), await make({ kind: 'SshKeyPair' })];
    expect(one['ssh-privatekey']).to.match(/^-----BEGIN EC PRIVATE KEY-----/);
    expect(createPrivateKey(one['ssh-privatekey'] ?? '').asymmetricKeyDetails).to.deep.equal({ namedCurve: 'prime256v1' });
    expect(one['ssh-privatekey']).not.to.equal(other['ssh-privatekey']);
  });
});

describe('the certificate of peers', () => {
  const dnsNames = ['*.digits-pods-x.team-a.svc'];

  /** What a client that calls a server by this name hears, both showing and trusting what they were given. */
  async function talk(server: SecretMaterial, client: SecretMaterial, servername: string): Promise<string> {
    const options = { requestCert: true, rejectUnauthorized: true } as const;
    const listener = createServer({ cert: server['tls.crt'], key: server['tls.key'], ca: server['tls.crt'], ...options }, (socket) => socket.end('welcome'));
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as AddressInfo;
    const socket: TLSSocket = connect({ host: '127.0.0.1', port, servername, cert: client['tls.crt'], key: client['tls.key'], ca: client['tls.crt'] });
    try {
      const [heard] = await once(socket, 'data') as [Buffer];
      return heard.toString();
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? String(error);
    } finally {
      socket.destroy();
      listener.close();
    }
  }

  it('lets those who have it talk to each other, as server and as client', async () => {
    const material = await make({ kind: 'PeerTls', dnsNames });
    expect(await talk(material, material, 'trainer-1.digits-pods-x.team-a.svc')).to.equal('welcome');
  });

  it('is good for no other host', async () => {
    const material = await make({ kind: 'PeerTls', dnsNames });
    expect(await talk(material, material, 'trainer-1.other-pods-x.team-a.svc')).to.equal('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  it('is good for no other job, not even for one of the same names', async () => {
    const [one, other] = [await make({ kind: 'PeerTls', dnsNames }), await make({ kind: 'PeerTls', dnsNames })];
    expect(await talk(one, other, 'trainer-1.digits-pods-x.team-a.svc')).not.to.equal('welcome');
  });

  it('belongs to its key, and outlives the training', async () => {
    const material = await make({ kind: 'PeerTls', dnsNames });
    const certificate = new X509Certificate(material['tls.crt'] ?? '');
    expect(certificate.checkPrivateKey(createPrivateKey(material['tls.key'] ?? ''))).to.equal(true);
    expect(createPublicKey(material['tls.crt'] ?? '').asymmetricKeyDetails).to.deep.equal({ namedCurve: 'prime256v1' });
    expect(Date.parse(certificate.validFrom)).to.be.below(nowMs);
    expect(Date.parse(certificate.validTo) - nowMs).to.be.above(9 * 365 * 86_400_000);
  });
});
