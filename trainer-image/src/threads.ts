/** How many threads TensorFlow should use in this container. */
import { readIfThere } from './files.ts';

/**
 * A CPU limit is a quota of time, which TensorFlow does not see: on a large node it would start a thread for each CPU and be throttled.
 * @param cpus  CPUs that the process may run on. @param cpuMax  content of the cgroup's cpu.max, `QUOTA PERIOD` or `max PERIOD`
 */
export function threadsFor(cpus: number, cpuMax: string): number {
  const [quota, period] = cpuMax.trim().split(' ').map(Number);
  if (quota === undefined || period === undefined || !(quota > 0) || !(period > 0)) return cpus;
  return Math.max(1, Math.min(cpus, Math.ceil(quota / period)));
}

export const readCpuMax = (): string => readIfThere('/sys/fs/cgroup/cpu.max')?.toString() ?? 'max 100000';
