import { request } from 'node:https';
import { readPair } from './pki.ts';

export interface ApiClient {
  /** Status code of a GET; undefined while nothing answers. */
  status(path: string): Promise<number | undefined>;
}

/** The few questions that starting a cluster asks before kubectl can be used: is the API server there, is a namespace. */
export async function adminClient(pkiDir: string, server: string): Promise<ApiClient> {
  const { certificate: cert, key } = await readPair(pkiDir, 'admin');
  const { certificate: ca } = await readPair(pkiDir, 'ca');
  return {
    status: async (path) => new Promise((resolve, reject) => {
      const asked = request(new URL(path, server), { ca, cert, key, agent: false, timeout: 2000 }, (response) => {
        response.resume();
        response.once('end', () => resolve(response.statusCode));
      });
      asked.once('timeout', () => asked.destroy(Object.assign(new Error('no answer within 2 s'), { code: 'ETIMEDOUT' })));
      asked.once('error', (error: NodeJS.ErrnoException) => (notThereYet.has(error.code ?? '') ? resolve(undefined) : reject(error)));
      asked.end();
    }),
  };
}

const notThereYet = new Set([
  'ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EPIPE',
  // While our network is down, the address may be somebody else's, whose certificate is not our server's.
  'SELF_SIGNED_CERT_IN_CHAIN', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'ERR_TLS_CERT_ALTNAME_INVALID',
]);
