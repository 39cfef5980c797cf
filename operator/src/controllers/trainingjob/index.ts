/** The TrainingJob controller: trains once, through failures, and leaves the model with its digest on a volume. */
import { isNamespaceTerminating } from '../../kube/errors.ts';
import { keyOf, keyString, parseKey, type ObjectKey } from '../../kube/resource.ts';
import { labels } from '../../api/index.ts';
import type { TrainingSettings } from '../../domain/training-pod.ts';
import { at, controllingOwner, defineController, waitForCache, done, type Controller, type Next } from '../../runtime/index.ts';
import { trainingJobType } from '../shared/resources.ts';
import { assess } from './assess.ts';
import { observe, watches, type JobScope, type ProgressBoard } from './observe.ts';
import { planJob } from './plan.ts';
import { isOnItsWay, Settling } from './settling.ts';
import { statusOf } from './status.ts';
import type { UsageOf } from './usage-watch.ts';

export type { ProgressBoard } from './observe.ts';

/** Brings one TrainingJob to what its spec asks for. Level-based: may run at any time, any number of times. */
function reconciler(settings: TrainingSettings, board: ProgressBoard, usageOf: UsageOf | undefined) {
  const settling = new Settling();
  return async (key: ObjectKey, scope: JobScope): Promise<Next> => {
    const seen = observe(key, scope.stores, board, usageOf);
    if (seen === undefined) settling.forget(key);
    // Owner references let the garbage collector take the children of a deleted job.
    if (seen === undefined || seen.object.metadata.deletionTimestamp !== undefined) return done;
    if (!scope.expectations.met(key)) return waitForCache;
    const now = scope.clock.now();
    const assessment = assess(seen, now);
    if (assessment.stage.kind === 'Finished') board.forget(seen.job.uid);
    const plan = planJob(seen, assessment, now, settings);
    const outcome = await scope.execute(plan.actions);
    if (outcome.kind === 'failed' && isNamespaceTerminating(outcome.error)) return done;
    if (isOnItsWay(seen, assessment, outcome)) {
      const untilMs = settling.untilMs(key, seen.job.uid, assessment.attempts.newest, now);
      if (untilMs !== undefined) return sooner(plan.next, untilMs);
    } else settling.forget(key);
    await scope.report(key, statusOf(seen, assessment, outcome, now), 'soon');
    return plan.next;
  };
}

function sooner(next: Next, timeMs: number): Next {
  return next.kind === 'at' && next.time < timeMs ? next : at(timeMs);
}

export function trainingJobController(settings: TrainingSettings, board: ProgressBoard, usageOf?: UsageOf): Controller {
  return defineController({
    name: 'trainingjob',
    watches,
    primary: 'jobs',
    triggers: {
      jobs: (job, stores) => stores.jobs.by('restoresFrom', keyString(keyOf(job))).map(keyOf),
      pods: controllingOwner(trainingJobType),
      claims: controllingOwner(trainingJobType),
      services: controllingOwner(trainingJobType),
      nodes: ({ metadata }, stores) => stores.pods.by('node', metadata.name).flatMap((pod) => [...controllingOwner(trainingJobType)(pod)]),
      mountFailures: ({ pod }, stores) => {
        const failing = stores.pods.get(parseKey(pod));
        return failing === undefined ? [] : controllingOwner(trainingJobType)(failing);
      },
      nodePools: (pool, stores) => stores.jobs.by('nodePool', pool.metadata.name).map(({ metadata }) => ({ namespace: metadata.namespace ?? '', name: metadata.name })),
      workloads: controllingOwner(trainingJobType),
      volcanoGroups: controllingOwner(trainingJobType),
      coschedulingGroups: controllingOwner(trainingJobType),
      flavors: ({ metadata }, stores) => stores.workloads.by('flavor', metadata.name).flatMap((workload) => [...controllingOwner(trainingJobType)(workload)]),
      priorities: ({ metadata }, stores) => stores.jobs.by('priorityClass', metadata.name).map(keyOf),
      workloadPriorities: ({ metadata }, stores) => stores.jobs.by('priorityClass', metadata.name).map(keyOf),
      snapshots: (snapshot) => ownerByLabel(snapshot.metadata),
      deployments: ({ metadata: { namespace = '' }, spec, status }) =>
        [status?.trainingJob, spec.model.fromTrainingJob].flatMap((name) => (name === undefined ? [] : [{ namespace, name }])),
    },
    reconcile: reconciler(settings, board, usageOf),
  });
}

/** Snapshots outlive their job and so have no owner; a label names it. */
function ownerByLabel({ namespace, labels: own }: { readonly namespace?: string; readonly labels?: Readonly<Record<string, string>> }): ObjectKey[] {
  const name = own?.[labels.trainingJob];
  return name === undefined ? [] : [{ namespace: namespace ?? '', name }];
}
