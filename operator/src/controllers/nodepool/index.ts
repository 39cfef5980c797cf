/** The node pool controller: a Karpenter NodePool for each distinct wish, made with its first user and deleted with its last. */
import type { ObjectKey } from '../../kube/resource.ts';
import { defineController, done, waitForCache, type Controller, type Next } from '../../runtime/index.ts';
import { observe, poolKeys, watches, type PoolScope } from './observe.ts';
import { planPool, tellUsers } from './plan.ts';

/** Brings one pool to what its users ask for. A key may name a pool that does not exist yet. */
function reconciler(seesAllUsers: boolean) {
  return async (key: ObjectKey, scope: PoolScope): Promise<Next> => {
    const seen = observe(key, scope.stores);
    if (seen === undefined) return done;
    if (!scope.expectations.met(key)) return waitForCache;
    const plan = planPool(seen, seesAllUsers, scope.clock.now());
    const outcome = await scope.execute(plan.actions);
    if (outcome.kind === 'failed') await scope.execute(tellUsers(seen, outcome.error));
    return plan.next;
  };
}

/** @param seesAllUsers  false for an operator that watches one namespace only; it then deletes no pool */
export function nodePoolController({ seesAllUsers = true }: { readonly seesAllUsers?: boolean } = {}): Controller {
  return defineController({
    name: 'nodepool',
    watches,
    primary: 'pools',
    triggers: {
      jobs: (job) => poolKeys(job.spec.nodePool),
      sweeps: ({ metadata: { namespace = '' }, spec: { template } }, stores) =>
        poolKeys(template.spec?.nodePool, template.fromTrainingJob === undefined ? undefined : stores.jobs.get({ namespace, name: template.fromTrainingJob })?.spec.nodePool),
      deployments: (deployment) => poolKeys(deployment.spec.nodePool),
    },
    reconcile: reconciler(seesAllUsers),
  });
}
