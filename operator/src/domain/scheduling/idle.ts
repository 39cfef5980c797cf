/** Whether pods that run do any work, from what the metrics API says that they use. */
import { isRunning, type Pod } from '../pod.ts';
import { thousandths } from './quantity.ts';

/** Of one pod, as metrics.k8s.io/v1beta1 has it. */
export interface PodUsage {
  readonly name: string;
  readonly containers: readonly { readonly usage: { readonly cpu?: string } }[];
}

/** In thousandths of a core; a program that waits in a system call uses less. */
const idleBelow = 10n;

/** True when each running pod of a job was measured and none of them used a hundredth of a core. */
export function areIdle(pods: readonly Pod[], usages: readonly PodUsage[]): boolean {
  const byName = new Map(usages.map((usage) => [usage.name, usage]));
  const running = pods.filter(isRunning);
  return running.length > 0 && running.every(({ metadata: { name } }) => {
    const usage = byName.get(name);
    return usage !== undefined && usage.containers.reduce((all, { usage: { cpu } }) => all + (thousandths(cpu ?? '0') ?? idleBelow), 0n) < idleBelow;
  });
}
