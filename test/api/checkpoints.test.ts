import { expect } from 'chai';
import { until } from '../../hack/cluster/until.ts';
import type { ObjectKey } from '../../operator/src/kube/resource.ts';
import type { LivePod } from '../support/fake-kubelet.ts';
import { role, withOperator } from '../support/operator.ts';

interface Main {
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly volumeMounts?: readonly object[];
}

const mainOf = ({ spec }: LivePod): Main => spec.containers[0] as Main;
const variable = (pod: LivePod, name: string): string | undefined => mainOf(pod).env?.find((entry) => entry.name === name)?.value;

describe('checkpoints, on a real API server', function checkpointSuite() {
  this.timeout(120_000);
  const suite = withOperator();

  /** What a program in the pod sends, with a token as the kubelet would give it. */
  async function post(pod: LivePod, path: string, body: object): Promise<{ status: number; reply: Record<string, unknown> }> {
    const { name, uid = '' } = pod.metadata;
    const token = (await suite.plane.kubectl(['create', 'token', 'default', '-n', suite.namespace, '--audience', 'anneal.dev/progress', '--bound-object-kind', 'Pod', '--bound-object-name', name, '--bound-object-uid', uid])).trim();
    let answer: Response | undefined;
    await until('the operator knows the pod', async () => {
      answer = await fetch(`http://127.0.0.1:${suite.operator.progressPort}${path}`, { method: 'POST', headers: { authorization: `Bearer ${token}` }, body: JSON.stringify(body) });
      return answer.status !== 404 && answer.status !== 503;
    }, { timeoutSeconds: 30 });
    const text = (await answer?.text()) ?? '';
    return { status: answer?.status ?? 0, reply: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
  }

  async function podOf(job: ObjectKey): Promise<LivePod> {
    await until(`${job.name} has a pod`, async () => (await suite.kubelet.podsOf(job)).length > 0, { timeoutSeconds: 60, hint: async () => JSON.stringify((await suite.get(job)).status) });
    const [pod] = await suite.kubelet.podsOf(job);
    if (pod === undefined) throw new Error('no pod');
    return pod;
  }

  it('and progress of a role come by Anneal\'s way and Kubeflow\'s, and the next attempt is told where to go on', async () => {
    const job = await suite.create('told', { ...role(), checkpoint: { interval: { mode: 'Auto', minSeconds: 20 } } });
    const [pod] = await suite.kubelet.runs(job);
    if (pod === undefined) throw new Error('no pod');
    expect((await post(pod, `/apis/trainer.kubeflow.org/v1alpha1/namespaces/${suite.namespace}/trainjobs/told/status`, { trainerStatus: { progressPercentage: 42, estimatedRemainingSeconds: 9, metrics: [{ name: 'loss', value: '0.5' }] } })).status).to.equal(200);
    await post(pod, '/v1/checkpoints', { step: 40, uri: 's3://elsewhere/40', writeSeconds: 2 });
    await until('the status has both', async () => (await suite.get(job)).status?.checkpoint?.step === 40, { timeoutSeconds: 30 });
    const { status } = await suite.get(job);
    expect(status?.progress).to.deep.include({ percent: 42, remainingSeconds: 9, metrics: { loss: 0.5 }, summary: '42 %, 9s left' });
    expect(status?.checkpoint).to.include({ uri: 's3://elsewhere/40', complete: true, writeSeconds: 2 });
    expect(status?.checkpoint?.intervalSeconds).to.be.within(20, 3600);

    await suite.plane.kubectl(['taint', 'nodes', pod.spec.nodeName ?? '', 'aws-node-termination-handler/spot-itn=x:NoSchedule']);
    try {
      let reply: Record<string, unknown> = {};
      await until('the answer asks for a checkpoint', async () => {
        ({ reply } = await post(pod, '/v1/checkpoints', { step: 41, uri: 's3://elsewhere/41' }));
        return reply.checkpointNow !== undefined;
      }, { timeoutSeconds: 30 });
      expect(reply).to.deep.equal({ checkpointIntervalSeconds: status?.checkpoint?.intervalSeconds, checkpointNow: `${pod.spec.nodeName}/aws-node-termination-handler/spot-itn` });
    } finally {
      await suite.plane.kubectl(['taint', 'nodes', pod.spec.nodeName ?? '', 'aws-node-termination-handler/spot-itn-']);
    }
    await until('the status has the newest', async () => (await suite.get(job)).status?.checkpoint?.step === 41, { timeoutSeconds: 30 });

    await suite.kubelet.end(pod, { exitCode: 1 });
    const [second] = await suite.kubelet.boundPods(job, 2);
    expect(second === undefined ? '' : variable(second, 'ANNEAL_RESUME_FROM')).to.equal('s3://elsewhere/41');
    expect((await suite.get(job)).status?.lostSeconds).to.be.at.least(0);
  });

  it('of another job are waited for in words, and mounted when they are there', async () => {
    const job = await suite.create('second', { ...role(), checkpoint: { restoreFrom: { trainingJob: 'first' } } });
    expect((await suite.condition(job, 'Scheduled', 'False', 'RestoreSourceMissing')).message).to.contain(`TrainingJob first, which checkpoint.restoreFrom names, is not in namespace ${suite.namespace}`);
    const first = await suite.create('first', { ...role(), checkpoint: { volume: { claimTemplate: { size: '1Mi' } } } });
    await suite.condition(job, 'Scheduled', 'False', 'RestoreSourceWithoutCheckpoint');
    expect(await suite.kubelet.podsOf(job)).to.deep.equal([]);
    await post(await podOf(first), '/v1/checkpoints', { step: 7, path: 'run/7' });
    const pod = await podOf(job);
    expect(variable(pod, 'ANNEAL_RESUME_FROM')).to.equal('/restore/run/7');
    expect(mainOf(pod).volumeMounts).to.deep.include({ name: 'restore', mountPath: '/restore', readOnly: true });
  });
});
