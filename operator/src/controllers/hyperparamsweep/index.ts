/** The HyperparamSweep controller: makes TrainingJobs that vary a template, and keeps track of the best. */
import { keyOf, keyString, controllerOf, type KubeObject, type ObjectKey } from '../../kube/resource.ts';
import { controllingOwner, defineController, done, waitForCache, type Controller, type Next } from '../../runtime/index.ts';
import { hyperparamSweepType } from '../shared/resources.ts';
import { assess } from './assess.ts';
import { observe, watches, type SweepScope } from './observe.ts';
import { announceRefusal, planSweep } from './plan.ts';
import { refusalIn } from './refusal.ts';
import { statusOf } from './status.ts';

/** Brings one HyperparamSweep to what its spec asks for. Level-based: may run at any time, any number of times. */
async function reconcile(key: ObjectKey, scope: SweepScope): Promise<Next> {
  const seen = observe(key, scope.stores);
  // Owner references let the garbage collector take the trials of a deleted sweep.
  if (seen === undefined || seen.object.metadata.deletionTimestamp !== undefined) return done;
  if (!scope.expectations.met(key)) return waitForCache;
  const assessment = assess(seen);
  const plan = planSweep(seen, assessment);
  const outcome = await scope.execute(plan.actions);
  await scope.execute(announceRefusal(seen, refusalIn(outcome, seen, assessment)));
  await scope.report(key, statusOf(seen, assessment, outcome, scope.clock.now()));
  return plan.next;
}

export function hyperparamSweepController(): Controller {
  return defineController({
    name: 'hyperparamsweep',
    watches,
    primary: 'sweeps',
    triggers: { jobs: (job, stores) => sweepsOf(job, stores.sweeps) },
    reconcile,
  });
}

const owningSweep = controllingOwner(hyperparamSweepType);

/** A TrainingJob concerns the sweep that made it, those that take their template from it, and one whose trial's name it has. */
function sweepsOf(job: KubeObject, sweeps: SweepScope['stores']['sweeps']): ObjectKey[] {
  const { namespace, name } = keyOf(job);
  const templateOf = sweeps.by('template', keyString({ namespace, name })).map(keyOf);
  const nameless = controllerOf(job) === undefined ? /^(.+)-\d+$/.exec(name)?.[1] : undefined;
  const holdsNameOf = nameless !== undefined && sweeps.get({ namespace, name: nameless }) !== undefined ? [{ namespace, name: nameless }] : [];
  return [...owningSweep(job), ...templateOf, ...holdsNameOf];
}
