/** Random histories of a TrainingJob: what happens to its pods and nodes, what its user edits, when the operator looks and when it dies. */
import fc from 'fast-check';
import { endedStatus, role, runningStatus, withRole } from './builders/training-job.ts';
import type { SimulatedJob } from './simulated-job.ts';

export const event = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ kind: 'reconcile' } as const) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const), after: fc.nat(4) }) },
  fc.record({ kind: fc.constant('run' as const), pod: fc.nat(3) }),
  fc.record({ kind: fc.constant('end' as const), pod: fc.nat(3), exitCode: fc.constantFrom(0, 1, 2, 137, 143) }),
  fc.record({ kind: fc.constant('outOfMemory' as const), pod: fc.nat(3) }),
  fc.record({ kind: fc.constant('delete' as const), pod: fc.nat(3) }),
  fc.record({ kind: fc.constant('scale' as const), replicas: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ kind: fc.constant('loseNode' as const), pod: fc.nat(3) }),
  fc.record({ kind: fc.constant('notice' as const), pod: fc.nat(3), taint: fc.constantFrom('aws-node-termination-handler/spot-itn', 'cloud.google.com/impending-node-termination', 'karpenter.sh/disrupted') }),
  fc.record({ kind: fc.constant('disrupt' as const), pod: fc.nat(3), reason: fc.constantFrom('PreemptionByScheduler', 'EvictionByEvictionAPI', 'DeletionByTaintManager', 'DeletionByPodGC'), hasEnded: fc.boolean() }),
  fc.record({ kind: fc.constant('refuse' as const), pod: fc.nat(3) }),
  fc.record({ kind: fc.constant('evict' as const), pod: fc.nat(3), exitCode: fc.constantFrom(0, 143) }),
  fc.record({ kind: fc.constant('failInit' as const), pod: fc.nat(3) }),
  fc.record({ kind: fc.constant('holdUp' as const), pod: fc.nat(3), reason: fc.constantFrom('ErrImagePull', 'ImagePullBackOff', 'CreateContainerConfigError') }),
  fc.constant({ kind: 'finishDeletions' } as const),
  fc.record({ kind: fc.constant('suspend' as const), suspend: fc.boolean() }),
  fc.record({ kind: fc.constant('wait' as const), seconds: fc.nat(400) }),
);
export type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;

export function happen(world: SimulatedJob, what: Event): void {
  switch (what.kind) {
    case 'reconcile': { world.reconcile(); return; }
    case 'crash': { world.reconcile(what.after); return; }
    case 'run': { world.run(what.pod); return; }
    case 'end': { world.end(what.pod, what.exitCode); return; }
    case 'outOfMemory': { world.end(what.pod, 137, 'OOMKilled'); return; }
    case 'delete': {
      const target = world.pods[what.pod % Math.max(1, world.pods.length)];
      if (target !== undefined) world.deletePod(target.metadata.name);
      return;
    }
    case 'refuse': { world.set(what.pod, { phase: 'Failed', reason: 'OutOfnvidia.com/gpu', message: 'The node has none left.' }); return; }
    case 'evict': { world.set(what.pod, { ...endedStatus(what.exitCode), phase: 'Failed', reason: 'Evicted', message: 'The node was low on memory.' }); return; }
    case 'failInit': { world.set(what.pod, { phase: 'Failed', main: { ready: false, waiting: { reason: 'PodInitializing' } }, other: { name: 'fetch', terminated: { exitCode: 1 } } }); return; }
    case 'holdUp': { world.set(what.pod, { phase: 'Pending', main: { ready: false, waiting: { reason: what.reason, message: `${what.reason} of the image` } } }); return; }
    case 'finishDeletions': { world.finishDeletions(); return; }
    case 'scale': { world.scale(what.replicas); return; }
    case 'loseNode': { world.loseNode(what.pod); return; }
    case 'notice': { world.giveNotice(what.pod, what.taint); return; }
    case 'disrupt': {
      const conditions = [{ type: 'DisruptionTarget', status: 'True', reason: what.reason, message: 'The cluster takes it away.' }];
      world.set(what.pod, what.hasEnded ? { ...endedStatus(143), phase: 'Failed', conditions } : { ...runningStatus, conditions });
      return;
    }
    case 'suspend': { world.edit({ suspend: what.suspend }); return; }
    case 'wait': world.time += what.seconds * 1000;
  }
}

export const budgets = fc.record({ applicationError: fc.nat(2), outOfMemory: fc.nat(2), imagePull: fc.nat(1), preempted: fc.nat(3), spotReclaim: fc.nat(2), nodeLost: fc.nat(2), stalled: fc.nat(1) });
/** The built-in trainer, a gang, a role whose pods restart alone, an elastic role. */
export const shape = fc.oneof(
  fc.constant({}),
  fc.integer({ min: 1, max: 3 }).map((replicas) => withRole(replicas)),
  fc.integer({ min: 1, max: 3 }).map((replicas) => ({ roles: [role('worker', replicas, { restartScope: 'Pod' as const })] })),
  fc.integer({ min: 1, max: 3 }).map((replicas) => ({ roles: [role('worker', replicas, { minReplicas: 1, maxReplicas: 4 })] })),
  fc.constant({ replicas: 2, minReplicas: 1, maxReplicas: 4 }),
);
