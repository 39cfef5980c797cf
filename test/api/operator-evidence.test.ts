import { expect } from 'chai';
import { until } from '../../hack/cluster/until.ts';
import { trainingJobType } from '../../operator/src/controllers/shared/resources.ts';
import { role, withOperator } from '../support/operator.ts';

describe('evidence of a failure, on a real API server', function evidenceSuite() {
  this.timeout(120_000);
  const suite = withOperator();
  const main = (state: object) => ({ name: 'main', image: 'example.com/never-pulled:1', imageID: '', ready: false, restartCount: 0, state });

  it('is kept when the kubelet lost sight of the container and knows no times', async () => {
    const job = await suite.create('unknown', role());
    const [pod] = await suite.kubelet.runs(job);
    if (pod === undefined) throw new Error('no pod');
    await suite.kubelet.write(pod, { phase: 'Failed', containerStatuses: [main({ terminated: { exitCode: 137, reason: 'ContainerStatusUnknown', message: 'The container could not be located when the pod was terminated' } })] });
    await suite.kubelet.boundPods(job, 2);
    expect((await suite.get(job)).status?.failures?.[0]).to.include({ cause: 'NodeLost', reason: 'ContainerStatusUnknown', exitCode: 137 });
  });

  it('is kept of an init container, which spends the user’s own retries', async () => {
    const job = await suite.create('init', role(1, { initContainers: [{ name: 'fetch', image: 'example.com/never-pulled:1' }] }));
    const [pod] = await suite.kubelet.boundPods(job, 1);
    if (pod === undefined) throw new Error('no pod');
    await suite.kubelet.write(pod, {
      phase: 'Failed',
      initContainerStatuses: [{ ...main({ terminated: { exitCode: 7, reason: 'Error', message: 'no route to host' } }), name: 'fetch' }],
      containerStatuses: [main({ waiting: { reason: 'PodInitializing' } })],
    });
    await suite.kubelet.boundPods(job, 2);
    const { status } = await suite.get(job);
    expect(status?.failures?.[0]).to.include({ cause: 'ApplicationError', exitCode: 7, message: 'Container fetch: no route to host' });
    expect(status?.budgetSpent).to.deep.equal({ applicationError: 1 });
  });

  it('reaches status and event whatever its alphabet and length', async () => {
    const job = await suite.create('cyrillic', { ...role(), failurePolicy: { budgets: { preempted: 0 } } });
    const [pod] = await suite.kubelet.runs(job);
    if (pod !== undefined) await suite.kubelet.disrupt(pod, 'PreemptionByScheduler', `${'ж'.repeat(4095)}😀 and more`);
    const failed = await suite.condition(job, 'Failed', 'True', 'Preempted');
    expect(failed.message).to.match(/ж😀 and more\. The budget preempted allows no restart\.$/u);
    expect((await suite.get(job)).status?.failures?.[0]?.message).to.equal('ж'.repeat(4095));
    await until('the event is there', async () => /Warning +Preempted +TrainingJob\/cyrillic +Attempt 1 failed/.test(await suite.plane.kubectl(['events', '-n', suite.namespace, '--for', 'trainingjob/cyrillic'])), { timeoutSeconds: 20 });
  });

  it('is no success when a program of the user ends with exit code 0 because it was told to stop', async () => {
    const job = await suite.create('obedient', role());
    const [pod] = await suite.kubelet.runs(job);
    if (pod === undefined) throw new Error('no pod');
    await suite.condition(job, 'Running', 'True');
    // The fake kubelet never confirms a delete of a pod with a finalizer, so the pod is seen ending.
    await suite.plane.kubectl(['patch', 'pod', pod.metadata.name, '-n', suite.namespace, '--type=merge', '-p', '{"metadata":{"finalizers":["anneal.dev/test"]}}']);
    await suite.plane.kubectl(['delete', 'pod', pod.metadata.name, '-n', suite.namespace, '--wait=false']);
    await suite.condition(job, 'Running', 'False', 'PodTerminating');
    await suite.kubelet.end(pod, { exitCode: 0 });
    await until('the failure is in the ledger', async () => (await suite.get(job)).status?.failures?.[0]?.cause === 'Preempted', { timeoutSeconds: 30 });
    await suite.plane.kubectl(['patch', 'pod', pod.metadata.name, '-n', suite.namespace, '--type=merge', '-p', '{"metadata":{"finalizers":null}}']);
    await suite.kubelet.boundPods(job, 2);
  });
});

describe('a namespace that is deleted while its jobs run', function namespaceSuite() {
  this.timeout(180_000);
  const suite = withOperator();

  it('goes with its jobs and pods, and the operator asks little and then nothing of it', async () => {
    const namespace = `${suite.namespace}-leaving`;
    await suite.plane.kubectl(['create', 'namespace', namespace]);
    await until('it has its service account', async () => (await suite.plane.kubectl(['get', 'serviceaccounts', '-n', namespace, '-o', 'name'])).includes('default'), { timeoutSeconds: 60 });
    const jobs = ['a', 'b', 'c'].map((name) => ({ namespace, name }));
    for (const { name } of jobs) {
      const object = { apiVersion: 'anneal.dev/v1alpha1', kind: 'TrainingJob', metadata: { namespace, name }, spec: role(2) };
      await suite.client.create(trainingJobType, object);
    }
    for (const job of jobs) await suite.kubelet.runs(job, 1, 2);
    await suite.plane.kubectl(['delete', 'namespace', namespace, '--timeout=120s']);
    const lines = (await suite.operator.log(2000)).split('\n').filter((line) => line.includes(namespace));
    expect(lines.filter((line) => line.includes('"level":"error"'))).to.deep.equal([]);
    expect(lines.filter((line) => line.includes('Reconcile failed')).length).to.be.at.most(20);
  });
});
