/** What is random in the Secrets that we create: made in the moment of writing, kept nowhere, and never read again. */
import { generateKeyPair, webcrypto, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { Clock } from '../kube/clock.ts';
import type { SecretRecipe } from './plan.ts';

/** Fields of a Secret's `stringData`. */
export type SecretMaterial = Readonly<Record<string, string>>;
export type MakeSecretMaterial = (recipe: SecretRecipe) => Promise<SecretMaterial>;

export function secretMaterial(clock: Clock): MakeSecretMaterial {
  return (recipe) => {
    switch (recipe.kind) {
      case 'SshKeyPair':
        return sshKeyPair();
      case 'PeerTls':
        return peerTls(recipe.dnsNames, clock.now());
    }
  };
}

const generate = promisify(generateKeyPair);

/** ECDSA on P-256. The private key is SEC 1 in PEM, which OpenSSH reads; the public one a line of `authorized_keys`. */
async function sshKeyPair(): Promise<SecretMaterial> {
  const { publicKey, privateKey } = await generate('ec', { namedCurve: 'prime256v1' });
  return {
    'ssh-privatekey': privateKey.export({ type: 'sec1', format: 'pem' }).toString(),
    'ssh-publickey': `ecdsa-sha2-nistp256 ${sshBlob(publicKey).toString('base64')}\n`,
  };
}

/** RFC 5656 §3.1: the algorithm, the curve, and the point Q, each after its length in four bytes. */
function sshBlob(publicKey: KeyObject): Buffer {
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const point = Buffer.concat([Buffer.of(0x04), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
  return Buffer.concat([Buffer.from('ecdsa-sha2-nistp256'), Buffer.from('nistp256'), point].flatMap((field) => [lengthOf(field), field]));
}

function lengthOf(field: Buffer): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(field.length);
  return bytes;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const hourMs = 3_600_000;
/** Longer than any training: there is nobody to renew it, and the key goes with the job. */
const lifetimeMs = 10 * 365 * 24 * hourMs;

/** A certificate that is server, client and its own authority in one: whoever has its key is a peer. */
async function peerTls(dnsNames: readonly string[], nowMs: number): Promise<SecretMaterial> {
  // Most operators never make a certificate, and need not hold what makes one in memory.
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=anneal-peers', keys, signingAlgorithm: algorithm,
    // An hour back, for nodes whose clock is behind.
    notBefore: new Date(nowMs - hourMs), notAfter: new Date(nowMs + lifetimeMs),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyCertSign, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
      new x509.SubjectAlternativeNameExtension(dnsNames.map((value) => ({ type: 'dns', value }))),
    ],
  });
  const key = x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
  return { 'tls.crt': certificate.toString('pem'), 'tls.key': key };
}
