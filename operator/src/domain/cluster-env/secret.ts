/** A Secret that the pods of a job share, and that nobody else ever reads. */
import { labels, managedBy } from '../../api/index.ts';
import type { Job } from '../job.ts';

export interface JobSecret {
  readonly name: string;
  readonly type: 'kubernetes.io/ssh-auth' | 'kubernetes.io/tls';
  readonly generate: { readonly kind: 'SshKeyPair' } | { readonly kind: 'PeerTls'; readonly dnsNames: readonly string[] };
  /** Beside what is generated. */
  readonly files: Readonly<Record<string, string>>;
}

/** The Secret without what is generated. It never changes: pods that run have read it. */
export function secretBody(job: Job, { name, type, files }: JobSecret) {
  return {
    metadata: { name, labels: { [labels.managedBy]: managedBy, [labels.trainingJob]: job.name } },
    type,
    immutable: true,
    ...(Object.keys(files).length === 0 ? {} : { stringData: files }),
  };
}
