import 'reflect-metadata';
import { createPublicKey, webcrypto } from 'node:crypto';

import { isIP } from 'node:net';
import {
  BasicConstraintsExtension, ExtendedKeyUsage, ExtendedKeyUsageExtension, KeyUsageFlags, KeyUsagesExtension, Name, PemConverter,
  SubjectAlternativeNameExtension, X509Certificate, X509CertificateGenerator,
} from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const lifetimeDays = 365;
const day = 86_400_000;

export interface KeyPair {
  /** Certificate, PEM. */
  readonly certificate: string;
  /** Private key, PKCS#8 PEM. */
  readonly key: string;
}

export interface CertificateRequest {
  /** A user's name in Kubernetes, for a client certificate. */
  readonly commonName: string;
  /** A user's groups in Kubernetes. */
  readonly organizations?: readonly string[];
  /** Addresses and DNS names that a server answers on. */
  readonly hosts?: readonly string[];
}

/** A certificate authority for one cluster. Its key is kept only so that more nodes and users can be added. */
export class CertificateAuthority {
  readonly pair: KeyPair;
  readonly #key: webcrypto.CryptoKey;
  readonly #certificate: X509Certificate;

  private constructor(pair: KeyPair, key: webcrypto.CryptoKey, certificate: X509Certificate) {
    this.pair = pair;
    this.#key = key;
    this.#certificate = certificate;
  }

  static async create(commonName: string): Promise<CertificateAuthority> {
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const certificate = await X509CertificateGenerator.createSelfSigned({
      name: subject({ commonName }), keys, signingAlgorithm: algorithm, ...validity(),
      extensions: [new BasicConstraintsExtension(true, undefined, true), new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.digitalSignature, true)],
    });
    return new CertificateAuthority({ certificate: certificate.toString('pem'), key: await privatePem(keys) }, keys.privateKey, certificate);
  }

  static async load(pair: KeyPair): Promise<CertificateAuthority> {
    const certificate = new X509Certificate(pair.certificate);
    const der = PemConverter.decodeFirst(pair.key);
    const privateKey = await webcrypto.subtle.importKey('pkcs8', der, algorithm, true, ['sign']);
    return new CertificateAuthority(pair, privateKey, certificate);
  }

  async issue(request: CertificateRequest): Promise<KeyPair> {
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const certificate = await X509CertificateGenerator.create({
      subject: subject(request), issuer: this.#certificate.subject, publicKey: keys.publicKey, signingKey: this.#key,
      signingAlgorithm: algorithm, ...validity(), extensions: extensions(request),
    });
    return { certificate: certificate.toString('pem'), key: await privatePem(keys) };
  }
}

/** Signing key of service account tokens. */
export async function signingKey(): Promise<{ readonly publicKey: string; readonly privateKey: string }> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const privateKey = await privatePem(keys);
  return { privateKey, publicKey: createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString() };
}

function extensions(request: CertificateRequest): (KeyUsagesExtension | ExtendedKeyUsageExtension | SubjectAlternativeNameExtension)[] {
  const usages = [ExtendedKeyUsage.clientAuth, ...(request.hosts === undefined ? [] : [ExtendedKeyUsage.serverAuth])];
  const names = (request.hosts ?? []).map((host) => ({ type: isIP(host) === 0 ? 'dns' as const : 'ip' as const, value: host }));
  return [
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension(usages),
    ...(names.length === 0 ? [] : [new SubjectAlternativeNameExtension(names)]),
  ];
}

/** In parts rather than as text: a name such as system:node:a,b would need escaping. */
function subject(request: CertificateRequest): Name {
  return new Name([...(request.organizations ?? []).map((organization) => ({ O: [organization] })), { CN: [request.commonName] }]);
}

function validity(): { readonly notBefore: Date; readonly notAfter: Date } {
  // An hour back, for machines whose clock was set back since.
  return { notBefore: new Date(Date.now() - 3_600_000), notAfter: new Date(Date.now() + lifetimeDays * day) };
}

async function privatePem(keys: webcrypto.CryptoKeyPair): Promise<string> {
  return PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
}
