/**
 * Mutual TLS with one certificate for all replicas of a job. Each side pins that very certificate, so neither names nor dates are
 * looked at: a job may run for longer than a certificate of a shop would last.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { SecureContextOptions, TLSSocket } from 'node:tls';
import { trainerEnv } from '@anneal/operator/api';
import { AnnealError } from '../../errors.ts';

export interface PeerTls {
  readonly options: SecureContextOptions & { readonly rejectUnauthorized: false };
  /** Whether the other side proved that it holds the job's key. */
  isReplica(socket: TLSSocket): boolean;
}

/** @throws AnnealError `SPEC_INVALID` */
export function readPeerTls(folder: string): PeerTls {
  try {
    const cert = readFileSync(path.join(folder, 'tls.crt'));
    const key = readFileSync(path.join(folder, 'tls.key'));
    const { fingerprint256 } = new X509Certificate(cert);
    return {
      // The chain is not checked because the certificate itself is; TLS 1.3 proves that the other side has its key.
      options: { cert, key, minVersion: 'TLSv1.3', rejectUnauthorized: false },
      isReplica: (socket) => socket.getPeerX509Certificate()?.fingerprint256 === fingerprint256,
    };
  } catch (error) {
    throw new AnnealError('SPEC_INVALID', { at: trainerEnv.peerTlsDirectory, message: `${folder} holds no usable tls.crt and tls.key: ${String(error)}. Mount the job's Secret there.`, cause: error });
  }
}
