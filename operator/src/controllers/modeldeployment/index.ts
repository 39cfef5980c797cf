/** The ModelDeployment controller: serves a model of a TrainingJob or a sweep, and rolls out each newer one. */
import { labels } from '../../api/index.ts';
import type { ServingSettings } from '../../domain/serving.ts';
import { keyOf, keyString, parseKey, type KubeObject, type ObjectKey } from '../../kube/resource.ts';
import { controllingOwner, defineController, done, waitForCache, type Controller, type Next } from '../../runtime/index.ts';
import { modelDeploymentType } from '../shared/resources.ts';
import { inNamespace } from '../shared/watched.ts';
import { assess } from './assess.ts';
import { observe, watches, type DeploymentScope } from './observe.ts';
import { planDeployment } from './plan.ts';
import { statusOf } from './status.ts';

/** Brings one ModelDeployment to what its spec asks for. Level-based: may run at any time, any number of times. */
function reconciler(settings: ServingSettings) {
  return async (key: ObjectKey, scope: DeploymentScope): Promise<Next> => {
    const seen = observe(key, scope.stores);
    // Owner references let the garbage collector take the children of a deleted deployment.
    if (seen === undefined || seen.object.metadata.deletionTimestamp !== undefined) return done;
    if (!scope.expectations.met(key)) return waitForCache;
    const assessment = assess(seen, settings);
    const plan = planDeployment(seen, assessment);
    const outcome = await scope.execute(plan.actions);
    await scope.report(key, statusOf(seen, assessment, outcome, scope.clock.now()), 'soon');
    return plan.next;
  };
}

export function modelDeploymentController(settings: ServingSettings): Controller {
  const child = controllingOwner(modelDeploymentType);
  return defineController({
    name: 'modeldeployment',
    watches,
    primary: 'models',
    triggers: {
      deployments: child,
      services: child,
      autoscalers: child,
      disruptionBudgets: child,
      pods: (pod) => keyByLabel(pod),
      mountFailures: ({ pod }, stores) => {
        const failing = stores.pods.get(parseKey(pod));
        return failing === undefined ? [] : keyByLabel(failing);
      },
      jobs: (job, stores) => [...stores.models.by('fromTrainingJob', keyString(keyOf(job))), ...stores.models.by('serves', keyString(keyOf(job)))].map(keyOf),
      sweeps: (sweep, stores) => stores.models.by('fromSweep', keyString(keyOf(sweep))).map(keyOf),
      claims: (claim, stores) => stores.models.by('claim', inNamespace(claim, claim.metadata.name) ?? '').map(keyOf),
      nodePools: (pool, stores) => stores.models.by('nodePool', pool.metadata.name).map(keyOf),
    },
    reconcile: reconciler(settings),
  });
}

/** Replicas belong to a ReplicaSet; a label names their ModelDeployment. */
function keyByLabel({ metadata }: KubeObject): ObjectKey[] {
  const name = metadata.labels?.[labels.modelDeployment];
  return name === undefined ? [] : [{ namespace: metadata.namespace ?? '', name }];
}
