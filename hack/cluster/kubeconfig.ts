import type { KeyPair } from './certificates.ts';

export interface Access {
  readonly server: string;
  /** Certificate of the authority that signed the server's, PEM. */
  readonly authority: string;
  readonly client: KeyPair;
  readonly name: string;
}

/** A kubeconfig of one context. Written as JSON, which every reader of YAML takes. */
export function kubeconfig({ server, authority, client, name }: Access): string {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  return `${JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    contexts: [{ name, context: { cluster: name, user: name } }],
    clusters: [{ name, cluster: { server, 'certificate-authority-data': base64(authority) } }],
    users: [{ name, user: { 'client-certificate-data': base64(client.certificate), 'client-key-data': base64(client.key) } }],
  }, null, 2)}\n`;
}
