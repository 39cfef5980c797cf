/** The keys of a bucket, or of a broker, by reference: neither the pod's spec nor ours ever holds one. */
import type { TrainerSpec } from '../api/index.ts';
import type { EnvVar } from './pod.ts';

/** @param secret  its name; without one the pod's own identity counts. @param prefix  of the variables, which end as the Secret's keys */
export function bucketCredentials(secret: string | undefined, prefix: string): EnvVar[] {
  return referring(secret, prefix, ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'], ['AWS_SESSION_TOKEN']);
}

/** What the connection may need. Without certificates (PEM) of the Secret, those that everyone trusts count, and the trainer shows none. */
export function brokerCredentials(secret: string | undefined, kafka: TrainerSpec['data']['source']['kafka'], prefix: string): EnvVar[] {
  const user = kafka === undefined || kafka.sasl === 'None' ? [] : ['KAFKA_USERNAME', 'KAFKA_PASSWORD'];
  const certificates = kafka?.security === 'TLS' ? ['KAFKA_CA', 'KAFKA_CERTIFICATE', 'KAFKA_CERTIFICATE_KEY'] : [];
  return referring(secret, prefix, user, certificates);
}

/** A pod does not start without the keys that are needed. */
function referring(secret: string | undefined, prefix: string, needed: readonly string[], optional: readonly string[]): EnvVar[] {
  if (secret === undefined) return [];
  return [...needed, ...optional].map((key) => ({
    name: `${prefix}${key}`,
    valueFrom: { secretKeyRef: { name: secret, key, ...(optional.includes(key) ? { optional: true } : {}) } },
  }));
}
