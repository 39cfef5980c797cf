/** The certificate by which the replicas of the built-in trainer know each other. */
import { childName, trainerEnv } from '../../api/index.ts';
import type { Job } from '../job.ts';
import type { PodSpec } from '../pod.ts';
import { needsService, serviceName } from './network.ts';
import type { JobSecret } from './secret.ts';

const mountPath = '/var/run/secrets/anneal-peers';

/** One certificate for all replicas, which is also the only one that they trust. */
export function peersSecret(job: Job): JobSecret {
  const hosts = `*.${serviceName(job)}.${job.namespace}.svc`;
  return { name: childName(job, 'peers'), type: 'kubernetes.io/tls', generate: { kind: 'PeerTls', dnsNames: [hosts] }, files: {} };
}

export function peersPod(job: Job, pod: PodSpec): PodSpec {
  const [main, ...others] = pod.containers;
  if (main === undefined || !needsService(job.spec)) return pod;
  const trainer = {
    ...main,
    env: [...(main.env ?? []), { name: trainerEnv.peerTlsDirectory, value: mountPath }],
    volumeMounts: [...(main.volumeMounts ?? []), { name: 'anneal-peers', mountPath, readOnly: true }],
  };
  return { ...pod, containers: [trainer, ...others], volumes: [...(pod.volumes ?? []), { name: 'anneal-peers', secret: { secretName: peersSecret(job).name, defaultMode: 0o440 } }] };
}
