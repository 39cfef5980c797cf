/** What is random in the Secrets that we create: made in the moment of writing, kept nowhere, and never read again. */
import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { Clock, Instant } from '../kube/clock.ts';
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

async function peerTls(dnsNames: readonly string[], now: Instant): Promise<SecretMaterial> {
  // Most operators never make a certificate, and need not hold what makes one in memory. By way of a file of ours, since a bundle gives what is
  // imported late from CommonJS no names.
  const { peerCertificate } = await import('./peer-certificate.ts');
  return peerCertificate(dnsNames, now);
}
