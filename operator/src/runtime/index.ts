/**
 * The runtime kit: caches, queues, leader election, and the four verbs of a reconcile. What controllers may use.
 *
 * How to write a controller:
 * 1. Declare each type once, in a file that the controllers share:
 *      export const trainingJobs = watched(trainingJobType, { project: (raw: TrainingJob) => ({ ...slim(raw), spec: raw.spec, status: raw.status }) });
 *      export const pods = watched(podType, { project: slimPod, selector: { labels: 'anneal.dev/job' } });
 *      export const nodePools = watched(nodePoolType, { optional: true });            // read `stores.nodePools.installed`
 * 2. Name what the controller reads, and take its scope's type from that:
 *      const watches = { jobs: trainingJobs, pods, nodePools };
 *      export type JobScope = Scope<typeof watches, TrainingJobStatus>;
 * 3. Write `observe` (synchronous, from `scope.stores`), `planX` (pure), `statusOf` (pure) and a reconcile of four verbs:
 *      export async function reconcile(key: ObjectKey, scope: JobScope): Promise<Next> {
 *        const seen = observe(key, scope.stores);
 *        if (seen === undefined) return done;
 *        if (!scope.expectations.met(key)) return waitForCache;
 *        const plan = planRun(seen, scope.clock.now());
 *        const outcome = await scope.execute(plan.actions);
 *        await scope.report(key, statusOf(seen, plan, outcome));
 *        return plan.next;
 *      }
 * 4. Export it for main:
 *      export const trainingJobController = defineController({
 *        name: 'trainingjob', watches, primary: 'jobs', triggers: { pods: controllingOwner(trainingJobType) }, reconcile });
 *
 * Rules that the kit relies on:
 * - `report` compares the whole status with the cached one: put no defaults under `status` in a schema, and let the
 *   projection keep `status` untouched.
 * - A failed outcome is retried with backoff by the kit, after `report` has told the user; no need to throw it.
 * - Throw a `TerminalError` for what only a change of the object can mend; anything else thrown is retried.
 * - Children carry a controlling owner reference and, where the watch has a selector, match it: otherwise what was
 *   written is never seen, and the key waits for the expectation's time-out.
 * - `Apply` hashes what it is given. A field that someone else changes behind our back is not noticed until the desired
 *   object changes; detection of such drift is not part of the hash.
 */
export { systemClock } from '../kube/clock.ts';
export type { Clock, Instant } from '../kube/clock.ts';
export { TerminalError, controllingOwner } from './definition.ts';
export { at, done, waitForCache } from './plan.ts';
export type { Action, EventNote, Next, Outcome, Plan, Seen } from './plan.ts';
export type { Scope } from './scope.ts';
export { slim, watched } from './watched.ts';
export type { ReadStore } from './watched.ts';
export { defineController } from './controller.ts';
export type { Controller } from './controller.ts';
