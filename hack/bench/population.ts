/** Jobs that a cluster has gathered: most of them finished, as a busy team leaves them behind, the others running. */
import { trainingJobType } from '../../operator/src/controllers/shared/resources.ts';
import type { Client } from '../../operator/src/kube/client.ts';
import type { KubeObject, ResourceType } from '../../operator/src/kube/resource.ts';
import { until } from '../cluster/until.ts';
import { anneal } from './contenders.ts';
import { inParallel } from './in-parallel.ts';
import type { Say } from './usage.ts';

const namespaceType: ResourceType = { group: '', version: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false };

/** No operator may run meanwhile: it would begin to train. */
export async function addFinishedJobs(client: Client, count: number, say: Say): Promise<void> {
  const namespace = 'finished';
  await client.create(namespaceType, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  let done = 0;
  await inParallel(Array.from({ length: count }, (_, index) => index), async (index) => {
    const job = trainerJob(namespace, `job-${index}`);
    await client.create(trainingJobType, job);
    await client.applyStatus(trainingJobType, { apiVersion: job.apiVersion, kind: job.kind, metadata: job.metadata, status: succeededStatus(index) });
    done += 1;
    if (done % 2000 === 0) say(`  ${done} of ${count}`);
  });
}

export async function addRunningJobs(client: Client, count: number): Promise<void> {
  const namespace = 'running';
  await client.create(namespaceType, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  await inParallel(Array.from({ length: count }, (_, index) => index), async (index) => {
    await client.create(trainingJobType, anneal.job(namespace, `job-${index}`));
  });
  const allRun = async (): Promise<boolean> => (await client.list(trainingJobType, (raw) => anneal.saysRunning(raw), { namespace })).items.every(Boolean);
  await until('the jobs run', allRun, { timeoutSeconds: 1200, everyMilliseconds: 2000 });
}

function trainerJob(namespace: string, name: string): KubeObject {
  const object = {
    apiVersion: 'anneal.dev/v1alpha1', kind: 'TrainingJob', metadata: { namespace, name },
    spec: {
      trainer: {
        data: { source: { uri: 'https://example.com/digits.csv' }, target: 'label', pipeline: [{ impute: { columns: ['a'], strategy: 'Median' } }, { scale: { columns: ['a'] } }] },
        model: { preset: 'MLP', units: [64, 32] },
        fit: { epochs: 20, batchSize: 32 },
      },
    },
  };
  return object;
}

/** As the operator leaves it after one failure and a restart. */
function succeededStatus(index: number): object {
  const time = '2026-03-01T12:00:00Z';
  const condition = (type: string, status: string, reason: string) => ({ type, status, reason, message: 'The training succeeded.', observedGeneration: 1, lastTransitionTime: time });
  return {
    observedGeneration: 1,
    conditions: [condition('Ready', 'True', 'Succeeded'), condition('Scheduled', 'True', 'Scheduled'), condition('Running', 'False', 'Succeeded'), condition('Succeeded', 'True', 'Succeeded')],
    attempt: 2, gangAttempt: 2, startTime: time, completionTime: time,
    roles: [{ name: 'trainer', replicas: 1, running: 0, launched: 1, completedIndexes: '0' }],
    progress: { summary: 'epoch 20/20', metric: 'test_accuracy 0.9852', epoch: 20, epochs: 20, step: 900, percent: 100, metrics: { loss: 0.01, val_loss: 0.02, val_accuracy: 0.99, test_accuracy: 0.9852 }, updateTime: time },
    model: { claimName: `job-${index}-volume`, path: 'model', digest: `sha256:${'a'.repeat(64)}`, sizeBytes: 40_000, metrics: { test_accuracy: 0.9852 } },
    failures: [{ pod: `job-${index}-trainer-0-1`, attempt: 1, role: 'trainer', index: 0, cause: 'ApplicationError', scope: 'Gang', nextAttempt: 2, exitCode: 1, reason: 'Error', node: 'simulated-1', message: 'x'.repeat(500), time }],
    budgetSpent: { applicationError: 1 },
  };
}
