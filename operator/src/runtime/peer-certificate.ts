/** A certificate that is server, client and its own authority in one: whoever has its key is a peer. */
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import {
  BasicConstraintsExtension, ExtendedKeyUsage, ExtendedKeyUsageExtension, KeyUsageFlags, KeyUsagesExtension, PemConverter, SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import type { Instant } from '../kube/clock.ts';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const hourMs = 3_600_000;
/** Longer than any training: there is nobody to renew it, and the key goes with the job. */
const lifetimeMs = 10 * 365 * 24 * hourMs;

/** `tls.crt` and `tls.key` in PEM. */
export async function peerCertificate(dnsNames: readonly string[], now: Instant): Promise<Readonly<Record<string, string>>> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=anneal-peers', keys, signingAlgorithm: algorithm,
    // An hour back, for nodes whose clock is behind.
    notBefore: new Date(now - hourMs), notAfter: new Date(now + lifetimeMs),
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyCertSign, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
      new SubjectAlternativeNameExtension(dnsNames.map((value) => ({ type: 'dns', value }))),
    ],
  });
  const key = PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
  return { 'tls.crt': certificate.toString('pem'), 'tls.key': key };
}
