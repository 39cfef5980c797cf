/** Follows the three objects of the demo until they are done, and shows how far they are. */
import { findCondition, isTrue, labels, type Condition, type HyperparamSweep, type ModelDeployment, type ModelStatus, type TrainingJob } from '../../operator/src/api/index.ts';
import { hyperparamSweepType, modelDeploymentType, trainingJobType } from '../../operator/src/controllers/shared/resources.ts';
import type { ObjectKey } from '../../operator/src/kube/resource.ts';
import { DemoError, follow, type Access } from './access.ts';
import { bar, curves, LiveLine, percent } from './screen.ts';

const trainingLimitSeconds = 900;
const sweepLimitSeconds = 1800;
const deploymentLimitSeconds = 300;

export async function watchTraining(access: Access, key: ObjectKey): Promise<TrainingJob> {
  const line = new LiveLine();
  const losses = new Map<number, { readonly loss: number; readonly validation: number | undefined }>();
  const done = await follow(
    () => access.get<TrainingJob>(trainingJobType, key),
    ({ status }) => {
      const { epoch = 0, metrics = {}, percent: done = 0, summary = '' } = status?.progress ?? {};
      if (metrics.loss !== undefined) losses.set(epoch, { loss: metrics.loss, validation: metrics.val_loss });
      line.show(status?.progress === undefined ? stateOf(status?.conditions) : `${bar(done / 100)} ${summary}, loss ${short(metrics.loss)}, val_accuracy ${short(metrics.val_accuracy)}`);
      return hasEnded(status?.conditions);
    },
    trainingLimitSeconds,
    ({ status }) => stateOf(status?.conditions),
  );
  line.end();
  refuseFailure(`TrainingJob ${key.name}`, done.status?.conditions);
  const points = [...losses].sort(([a], [b]) => a - b);
  const drawn = curves([
    { name: 'val_loss', mark: '○', points: points.flatMap(([epoch, { validation }]) => (validation === undefined ? [] : [[epoch, validation] as const])) },
    { name: 'loss', mark: '●', points: points.map(([epoch, { loss }]) => [epoch, loss] as const) },
  ]);
  if (drawn !== '') console.log(drawn);
  return done;
}

export async function watchSweep(access: Access, key: ObjectKey): Promise<HyperparamSweep> {
  const line = new LiveLine();
  const done = await follow(
    () => access.get<HyperparamSweep>(hyperparamSweepType, key),
    ({ status }) => {
      const { planned = 0, succeeded = 0, failed = 0, summary = '' } = status?.trials ?? {};
      const left = status?.remainingSeconds === undefined ? '' : `, about ${Math.round(status.remainingSeconds)} s left`;
      line.show(planned === 0 ? stateOf(status?.conditions) : `${bar((succeeded + failed) / planned)} ${summary}${left}${status?.best?.summary === undefined ? '' : `, best ${status.best.summary}`}`);
      return hasEnded(status?.conditions);
    },
    sweepLimitSeconds,
    ({ status }) => stateOf(status?.conditions),
  );
  line.end();
  refuseFailure(`HyperparamSweep ${key.name}`, done.status?.conditions);
  const trials = await access.list<TrainingJob>(trainingJobType, key.namespace, `${labels.sweep}=${key.name}`);
  for (const trial of [...trials].sort((a, b) => trialOf(a) - trialOf(b))) {
    const { model, conditions } = trial.status ?? {};
    console.log(`  ${trial.metadata.name.padEnd(12)} ${stateOf(conditions).padEnd(12)} val_accuracy ${short(model?.metrics?.val_accuracy)}  test ${percent(accuracyOf(model))}`);
  }
  return done;
}

export async function watchDeployment(access: Access, key: ObjectKey, modelDigest: string | undefined): Promise<ModelDeployment> {
  const line = new LiveLine();
  const done = await follow(
    () => access.get<ModelDeployment>(modelDeploymentType, key),
    ({ metadata, status }) => {
      line.show(status?.replicas?.summary ?? stateOf(status?.conditions));
      return isTrue(status?.conditions, 'Ready') && status?.observedGeneration === metadata.generation && (modelDigest === undefined || status?.model?.digest === modelDigest);
    },
    deploymentLimitSeconds,
    ({ status }) => stateOf(status?.conditions),
  );
  line.end();
  console.log(`  ${done.status?.url ?? ''} serves revision ${done.status?.revision ?? ''}.`);
  return done;
}

export function accuracyOf(model: ModelStatus | undefined): number {
  return model?.metrics?.test_accuracy ?? NaN;
}

function hasEnded(conditions: readonly Condition[] | undefined): boolean {
  return isTrue(conditions, 'Succeeded') || isTrue(conditions, 'Failed');
}

function refuseFailure(what: string, conditions: readonly Condition[] | undefined): void {
  const failed = findCondition(conditions, 'Failed');
  if (failed?.status === 'True') throw new DemoError(`${what} failed: ${failed.message}`);
}

function stateOf(conditions: readonly Condition[] | undefined): string {
  const ready = findCondition(conditions, 'Ready');
  if (ready === undefined) return 'waiting for the operator';
  return ready.reason === 'Succeeded' || ready.reason === 'Running' ? ready.reason : `${ready.reason}: ${ready.message}`;
}

function trialOf(job: TrainingJob): number {
  return Number(job.metadata.labels?.[labels.trial] ?? '0');
}

function short(value: number | undefined): string {
  return value === undefined ? '–' : value.toFixed(4);
}
