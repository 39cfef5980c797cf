/** The keys of a bucket, by reference: neither the pod's spec nor ours ever holds one. */
import type { EnvVar } from './pod.ts';

/** @param name  of the Secret; without one the pod's own identity counts. @param prefix  of the variables, which end as the Secret's keys */
export function bucketCredentials(name: string | undefined, prefix: string): EnvVar[] {
  if (name === undefined) return [];
  return (['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'] as const).map((key) => ({
    name: `${prefix}${key}`,
    valueFrom: { secretKeyRef: { name, key, ...(key === 'AWS_SESSION_TOKEN' ? { optional: true } : {}) } },
  }));
}
