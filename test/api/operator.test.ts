import { expect } from 'chai';
import { findCondition } from '../../operator/src/api/index.ts';
import { podType } from '../../operator/src/controllers/shared/resources.ts';
import { until } from '../../hack/cluster/until.ts';
import { role, withOperator } from '../support/operator.ts';

const result = { metrics: { test_accuracy: 0.98 }, epochs: 5, model: { path: 'model', digest: `sha256:${'a'.repeat(64)}`, sizeBytes: 1000 } };

describe('the operator, on a real API server', function operatorSuite() {
  this.timeout(120_000);
  const suite = withOperator();

  describe('a job that succeeds', () => {
    it('goes from Scheduled over Running to Succeeded, each with a sentence, and stays there', async () => {
      const { kubelet } = suite;
      const job = await suite.create('good', role());
      const [pod] = await kubelet.boundPods(job, 1);
      if (pod === undefined) throw new Error('no pod');
      expect((await suite.condition(job, 'Scheduled', 'True')).message).to.equal('All pods have a node.');
      await kubelet.run(pod);
      await suite.condition(job, 'Ready', 'True', 'Running');
      expect((await suite.get(job)).status?.startTime).to.be.a('string');
      await kubelet.end(pod, { exitCode: 0 });
      await suite.condition(job, 'Succeeded', 'True');
      const { status } = await suite.get(job);
      expect(findCondition(status?.conditions, 'Ready')).to.include({ status: 'True', reason: 'Succeeded' });
      expect(findCondition(status?.conditions, 'Running')).to.include({ status: 'False' });
      expect(status?.observedGeneration).to.equal(1);
      expect(status?.completionTime).to.be.a('string');

      await suite.patch(job, { ttlSecondsAfterFinished: 3600 });
      await until('the new generation is seen', async () => (await suite.get(job)).status?.observedGeneration === 2, { timeoutSeconds: 20 });
      expect(await kubelet.podsOf(job)).to.have.length(1);
    });

    it('owns its pods, so that they go when it goes', async () => {
      const job = await suite.create('owner', role(2));
      const pods = await suite.kubelet.runs(job, 1, 2);
      const { uid } = (await suite.get(job)).metadata;
      for (const pod of pods) {
        expect(pod.metadata.ownerReferences).to.deep.equal([
          { apiVersion: 'anneal.dev/v1alpha1', kind: 'TrainingJob', name: 'owner', uid, controller: true, blockOwnerDeletion: true },
        ]);
      }
      await suite.plane.kubectl(['delete', 'tj', 'owner', '-n', suite.namespace, '--timeout=60s']);
      await until('the pods are gone', async () => (await suite.kubelet.podsOf(job)).length === 0, { timeoutSeconds: 60 });
    });

    it('shows how it is in kubectl get', async () => {
      const job = await suite.create('columns', role());
      await suite.kubelet.runs(job);
      await suite.condition(job, 'Running', 'True');
      const [head, row] = (await suite.plane.kubectl(['get', 'tj', 'columns', '-n', suite.namespace])).trim().split('\n');
      expect(head).to.match(/^NAME +READY +REASON +PROGRESS +METRIC +AGE$/);
      expect(row).to.match(/^columns +True +Running +/);
    });

    it('tells of its model, as the built-in trainer named it at its end', async () => {
      await suite.plane.kubectl(['apply', '-n', suite.namespace, '-f', '-'], { input: volume(suite.namespace) });
      const trainer = { data: { source: { uri: 'https://example.com/x.csv' }, target: 'label' }, model: { preset: 'MLP' }, fit: { epochs: 5 } };
      const job = await suite.create('trained', { trainer, checkpoint: { volume: { claimName: 'models' } } });
      const [pod] = await suite.kubelet.runs(job);
      if (pod === undefined) throw new Error('no pod');
      await suite.condition(job, 'Running', 'True');
      await suite.kubelet.end(pod, { exitCode: 0, message: JSON.stringify(result) });
      await suite.condition(job, 'Succeeded', 'True');
      const { status } = await suite.get(job);
      expect(status?.model).to.deep.equal({ claimName: 'models', path: 'trained/model', digest: result.model.digest, sizeBytes: 1000, metrics: result.metrics });
      expect(status?.progress).to.include({ percent: 100, metric: 'test_accuracy 0.98' });
    });
  });

  describe('a job whose program fails', () => {
    it('keeps cause, exit code, node and last log lines in its ledger, and begins attempt 2', async () => {
      const job = await suite.create('flaky', role());
      const [pod] = await suite.kubelet.runs(job);
      if (pod === undefined) throw new Error('no pod');
      await suite.condition(job, 'Running', 'True');
      await suite.kubelet.end(pod, { exitCode: 3, message: 'Traceback:\nValueError: shapes differ' });
      const [second] = await suite.kubelet.runs(job, 2);
      const { status } = await suite.get(job);
      expect(status?.failures).to.have.length(1);
      expect(status?.failures?.[0]).to.include({
        pod: pod.metadata.name, attempt: 1, role: 'worker', index: 0, cause: 'ApplicationError', exitCode: 3, reason: 'Error',
        node: pod.spec.nodeName, message: 'Traceback:\nValueError: shapes differ',
      });
      expect(status?.budgetSpent).to.deep.equal({ applicationError: 1 });
      if (second === undefined) throw new Error('no second pod');
      await suite.kubelet.end(second, { exitCode: 0 });
      await suite.condition(job, 'Succeeded', 'True');
      expect((await suite.get(job)).status?.attempt).to.equal(2);
    });

    it('fails for good when the budget of the cause is spent, and says which', async () => {
      const job = await suite.create('hopeless', { ...role(), failurePolicy: { budgets: { applicationError: 1 } } });
      for (const attempt of [1, 2]) {
        const [pod] = await suite.kubelet.runs(job, attempt);
        if (pod !== undefined) await suite.kubelet.end(pod, { exitCode: 1, message: 'no such file: data.csv' });
      }
      const failed = await suite.condition(job, 'Failed', 'True', 'ApplicationError');
      expect(failed.message).to.match(/^Attempt 2 failed in pod hopeless-worker-0-2-\w+: no such file: data\.csv\. The budget applicationError of 1 restarts is spent\.$/);
      expect(findCondition((await suite.get(job)).status?.conditions, 'Ready')).to.include({ status: 'False', reason: 'ApplicationError' });
      const events = await suite.plane.kubectl(['events', '-n', suite.namespace, '--for', 'trainingjob/hopeless']);
      expect(events).to.match(/Warning +ApplicationError +TrainingJob\/hopeless/);
      expect(events).to.match(/Warning +Failed +TrainingJob\/hopeless/);
    });

    it('pays for too little memory from the budget for that', async () => {
      const job = await suite.create('hungry', { ...role(), failurePolicy: { budgets: { outOfMemory: 0 } } });
      const [pod] = await suite.kubelet.runs(job);
      if (pod !== undefined) await suite.kubelet.end(pod, { exitCode: 137, reason: 'OOMKilled' });
      await suite.condition(job, 'Failed', 'True', 'OutOfMemory');
      expect((await suite.get(job)).status?.failures?.[0]).to.include({ cause: 'OutOfMemory', exitCode: 137, reason: 'OOMKilled' });
    });

    it('ends the other pods of the attempt, and waits for them before the next', async () => {
      const job = await suite.create('gang', role(3));
      const pods = await suite.kubelet.runs(job, 1, 3);
      await suite.condition(job, 'Running', 'True');
      if (pods[1] !== undefined) await suite.kubelet.end(pods[1], { exitCode: 1 });
      await suite.kubelet.boundPods(job, 2, 3);
      expect((await suite.kubelet.podsOf(job)).filter((pod) => pod.metadata.labels?.['anneal.dev/attempt'] === '1')).to.deep.equal([]);
      expect((await suite.get(job)).status?.failures).to.have.length(1);
    });
  });

  describe('a job that the cluster harms', () => {
    it('fails when its image does not come in time, with the registry’s words', async () => {
      const job = await suite.create('no-image', { ...role(), failurePolicy: { imagePullDeadlineSeconds: 2 } });
      const [pod] = await suite.kubelet.boundPods(job, 1);
      if (pod !== undefined) await suite.kubelet.waits(pod, 'ImagePullBackOff', 'Back-off pulling image "example.com/never-pulled:1": not found');
      expect((await suite.condition(job, 'Running', 'False', 'ImagePullBackOff')).message).to.include('not found');
      await suite.condition(job, 'Failed', 'True', 'ImagePull');
      expect((await suite.get(job)).status?.failures?.[0]).to.include({ cause: 'ImagePull', reason: 'ImagePullBackOff' });
    });

    const disruptions = [
      { name: 'preempted', reason: 'PreemptionByScheduler', cause: 'Preempted' },
      { name: 'evicted', reason: 'EvictionByEvictionAPI', cause: 'Preempted' },
      { name: 'node-lost', reason: 'DeletionByTaintManager', cause: 'NodeLost' },
    ] as const;
    for (const { name, reason, cause } of disruptions) {
      it(`spends none of the user’s retries when its pod is ${name.replace('-', ' ')}`, async () => {
        const job = await suite.create(name, { ...role(), failurePolicy: { budgets: { applicationError: 0 } } });
        const [pod] = await suite.kubelet.runs(job);
        if (pod !== undefined) await suite.kubelet.disrupt(pod, reason, 'The node is needed elsewhere.');
        const [second] = await suite.kubelet.runs(job, 2);
        expect((await suite.get(job)).status?.failures?.[0]).to.include({ cause, reason });
        if (second !== undefined) await suite.kubelet.end(second, { exitCode: 0 });
        await suite.condition(job, 'Succeeded', 'True');
      });
    }

    it('makes another attempt when someone deletes its pod', async () => {
      const job = await suite.create('deleted-pod', role());
      const [pod] = await suite.kubelet.runs(job);
      await suite.condition(job, 'Running', 'True');
      if (pod !== undefined) await suite.kubelet.delete(pod);
      await suite.kubelet.boundPods(job, 2);
      expect((await suite.get(job)).status?.failures?.[0]).to.include({ cause: 'Preempted', reason: 'PodDeleted', pod: pod?.metadata.name });
    });
  });

  describe('a job that a user steers', () => {
    it('ends its pods while suspended, and goes on with the same attempt', async () => {
      const job = await suite.create('paused', role());
      await suite.kubelet.runs(job);
      await suite.condition(job, 'Running', 'True');
      await suite.patch(job, { suspend: true });
      await suite.condition(job, 'Suspended', 'True');
      await until('the pods are gone', async () => (await suite.kubelet.podsOf(job)).length === 0, { timeoutSeconds: 30 });
      expect(findCondition((await suite.get(job)).status?.conditions, 'Ready')).to.include({ status: 'Unknown', reason: 'Suspended' });
      await suite.patch(job, { suspend: false });
      const [again] = await suite.kubelet.runs(job, 1);
      await suite.condition(job, 'Suspended', 'False', 'Resumed');
      if (again !== undefined) await suite.kubelet.end(again, { exitCode: 0 });
      await suite.condition(job, 'Succeeded', 'True');
      const { status } = await suite.get(job);
      expect(status?.failures).to.equal(undefined);
      expect(status?.attempt).to.equal(1);
    });

    it('makes no pod when it is born suspended', async () => {
      const job = await suite.create('born-suspended', { ...role(), suspend: true });
      await suite.condition(job, 'Suspended', 'True');
      expect(await suite.kubelet.podsOf(job)).to.deep.equal([]);
    });

    it('fails when it has run for longer than it may, and ends its pods', async () => {
      const job = await suite.create('late', { ...role(), activeDeadlineSeconds: 2 });
      await suite.kubelet.runs(job);
      expect((await suite.condition(job, 'Failed', 'True', 'DeadlineExceeded')).message).to.include('activeDeadlineSeconds, 2 s');
      await until('its pods are gone', async () => (await suite.kubelet.podsOf(job)).length === 0, { timeoutSeconds: 30 });
    });

    it('is deleted with its pods when its time after the end is over', async () => {
      const job = await suite.create('short-lived', { ...role(), ttlSecondsAfterFinished: 1 });
      const [pod] = await suite.kubelet.runs(job);
      if (pod !== undefined) await suite.kubelet.end(pod, { exitCode: 0 });
      const remains = async (): Promise<string> => suite.plane.kubectl(['get', 'tj,pods', '-n', suite.namespace, '-o', 'name']);
      await until('job and pod are gone', async () => !(await remains()).includes('short-lived'), { timeoutSeconds: 60 });
      expect(await suite.operator.log(5)).not.to.include('failed for good');
    });
  });

  it('keeps its hands off what others own under the same label', async () => {
    const labels = { 'app.kubernetes.io/managed-by': 'anneal', 'anneal.dev/role': 'worker', 'anneal.dev/training-job': 'nobody' };
    const stray = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'stray', namespace: suite.namespace, labels }, spec: { containers: [{ name: 'main', image: 'example.com/x:1' }] } };
    await suite.client.create(podType, stray);
    const job = await suite.create('nobody', role());
    await suite.kubelet.boundPods(job, 1);
    await suite.condition(job, 'Scheduled', 'True');
    expect((await suite.kubelet.podsOf(job)).map((pod) => pod.metadata.name)).to.include('stray');
  });
});

/** A claim and the volume that it is bound to: without a CSI driver nobody makes one. */
function volume(namespace: string): string {
  const name = `models-${namespace}`;
  return `
apiVersion: v1
kind: PersistentVolume
metadata: {name: ${name}}
spec:
  capacity: {storage: 1Gi}
  accessModes: [ReadWriteOnce]
  storageClassName: by-hand
  hostPath: {path: /nowhere}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: models}
spec:
  storageClassName: by-hand
  volumeName: ${name}
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Gi}}
`;
}
