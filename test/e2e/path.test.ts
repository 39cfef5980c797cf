import { setTimeout as wait } from 'node:timers/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { until } from '../../hack/cluster/until.ts';
import { findCondition, isTrue, labels, trainerEnv, type HyperparamSweep, type ModelDeployment, type TrainingJob } from '../../operator/src/api/index.ts';
import { hyperparamSweepType, modelDeploymentType, podType, trainingJobType, volumeClaimType } from '../../operator/src/controllers/shared/resources.ts';
import type { KubeObject } from '../../operator/src/kube/resource.ts';
import { digitsFolder, operatorNamespace, processesWith, quickDigits, RealCluster } from '../support/real-cluster.ts';

const minutes = 60_000;
const suffix = crypto.randomUUID().slice(0, 6);

describe('the whole path on a real cluster', function wholePath() {
  this.timeout(10 * minutes);
  let cluster: RealCluster;

  before(async function start() {
    // A cold cache builds everything first.
    this.timeout(45 * minutes);
    cluster = await RealCluster.start(`path-${suffix}`);
  });

  after(async () => {
    await cluster[Symbol.asyncDispose]();
  });

  async function apply(namespace: string, ...objects: object[]): Promise<void> {
    for (const object of objects) await cluster.kubectl(['apply', '-n', namespace, '-f', '-'], JSON.stringify(object));
  }

  describe('a trainer that is killed', () => {
    const namespace = 'killed';
    const key = (name: string) => ({ namespace, name });
    let killed: TrainingJob;
    let undisturbed: TrainingJob;

    before(async () => {
      await cluster.namespaceWithDigits(namespace);
      await apply(namespace, quickDigits('killed'));
      await until('a checkpoint of the third epoch', async () => ((await cluster.get<TrainingJob>(trainingJobType, key('killed'))).status?.checkpoint?.epoch ?? 0) >= 3, { timeoutSeconds: 120 });
      const victims = await processesWith(trainerEnv.job, `${namespace}/killed`);
      expect(victims).not.to.have.length(0);
      for (const pid of victims) process.kill(pid, 'SIGKILL');
      killed = await cluster.condition<TrainingJob>(trainingJobType, key('killed'), 'Succeeded', 'True', 180);
      await apply(namespace, quickDigits('undisturbed'));
      undisturbed = await cluster.condition<TrainingJob>(trainingJobType, key('undisturbed'), 'Succeeded', 'True', 180);
    });

    it('goes on from its last checkpoint', async () => {
      expect(killed.status?.attempt).to.equal(2);
      const [pod] = (await cluster.list<KubeObject>(podType, namespace)).filter((one) => one.metadata.labels?.[labels.trainingJob] === 'killed');
      const log = await cluster.kubectl(['logs', '-n', namespace, pod?.metadata.name ?? '']);
      const resumed = /"epoch":(\d+)/.exec(log.split('\n').find((line) => line.includes('Going on from a checkpoint')) ?? '')?.[1];
      expect(Number(resumed)).to.be.at.least(3);
    });

    it('ends with the very weights of a run that nobody disturbed', () => {
      expect(killed.status?.model?.digest).to.equal(undisturbed.status?.model?.digest);
    });

    it('leaves its cause, exit code, node and last words in the ledger', () => {
      const [failure] = killed.status?.failures ?? [];
      expect(failure).to.include({ attempt: 1, cause: 'ApplicationError', exitCode: 137 });
      expect(failure?.node).to.match(/node/);
      expect(failure?.message).to.include('epoch');
      expect(killed.status?.budgetSpent).to.deep.equal({ applicationError: 1 });
    });

    it('told of its progress while it ran', () => {
      expect(killed.status?.progress?.metrics).to.include.keys('loss', 'val_accuracy');
      expect(killed.status?.checkpoint?.path).to.match(/^checkpoints\//);
    });
  });

  describe('what goes wrong on the node', () => {
    const namespace = 'wrong';

    before(async () => cluster.namespaceWithDigits(namespace));

    it('becomes OutOfMemory when the kernel ends it', async () => {
      await apply(namespace, quickDigits('hungry', { pod: { resources: { limits: { memory: '32Mi' } } }, failurePolicy: { budgets: { outOfMemory: 0 } } }));
      const job = await cluster.condition<TrainingJob>(trainingJobType, { namespace, name: 'hungry' }, 'Failed', 'True', 120);
      expect(job.status?.failures?.[0]).to.include({ cause: 'OutOfMemory' });
    });

    it('becomes ImagePull when the image does not come', async () => {
      await apply(namespace, quickDigits('imageless', { pod: { image: 'example.invalid/none:1' }, failurePolicy: { imagePullDeadlineSeconds: 5 } }));
      const job = await cluster.condition<TrainingJob>(trainingJobType, { namespace, name: 'imageless' }, 'Failed', 'True', 120);
      expect(findCondition(job.status?.conditions, 'Failed')).to.include({ reason: 'ImagePull' });
      expect(job.status?.failures?.[0]?.message).to.include('example.invalid/none:1');
    });

    it('becomes ConfigurationError, with the sentence of the trainer, when the data has no such column', async () => {
      const job = quickDigits('columnless') as { spec: { trainer: { data: { target: string } } } };
      job.spec.trainer.data.target = 'digit';
      await apply(namespace, job);
      const failed = await cluster.condition<TrainingJob>(trainingJobType, { namespace, name: 'columnless' }, 'Failed', 'True', 120);
      expect(failed.status?.failures).to.have.length(1);
      expect(failed.status?.failures?.[0]?.cause).to.equal('ConfigurationError');
      expect(failed.status?.failures?.[0]?.message).to.match(/no column "digit"/);
    });
  });

  describe('a suspended job', () => {
    const namespace = 'suspended';

    it('writes a checkpoint, gives its pod up, and goes on later with the same attempt', async () => {
      const key = { namespace, name: 'pausing' };
      await cluster.namespaceWithDigits(namespace);
      await apply(namespace, quickDigits('pausing', { checkpoint: { interval: { mode: 'Fixed', seconds: 3600 } } }));
      await until('two epochs', async () => ((await cluster.get<TrainingJob>(trainingJobType, key)).status?.progress?.epoch ?? 0) >= 2, { timeoutSeconds: 120 });
      await cluster.kubectl(['patch', 'tj', 'pausing', '-n', namespace, '--type=merge', '-p', '{"spec":{"suspend":true}}']);
      await until('its pod to be gone', async () => (await cluster.list(podType, namespace)).length === 0, { timeoutSeconds: 60 });
      expect(isTrue((await cluster.get<TrainingJob>(trainingJobType, key)).status?.conditions, 'Suspended')).to.equal(true);
      await cluster.kubectl(['patch', 'tj', 'pausing', '-n', namespace, '--type=merge', '-p', '{"spec":{"suspend":false}}']);
      const job = await cluster.condition<TrainingJob>(trainingJobType, key, 'Succeeded', 'True', 180);
      expect(job.status).to.include({ attempt: 1 });
      expect(job.status?.failures).to.equal(undefined);
    });
  });

  describe('an operator that is killed 20 times', () => {
    const namespace = 'storm';
    const kills = 20;

    it('still makes one model, no second pod for an attempt, no trial twice, and loses no condition', async () => {
      await cluster.namespaceWithDigits(namespace);
      for (const file of ['1-train.yaml', '2-sweep.yaml', '3-serve.yaml']) await cluster.kubectl(['apply', '-n', namespace, '-f', join(digitsFolder, file)]);
      const [operator] = await cluster.list<KubeObject>(podType, operatorNamespace);
      const name = operator?.metadata.name ?? '';
      for (let kill = 0; kill < kills; kill += 1) {
        // Anywhere between two renewals of the lease, in the middle of anything.
        await wait(500 + Math.random() * 5000);
        await until('the operator to run', async () => (await processesWith('POD_NAME', name)).length > 0, { timeoutSeconds: 60 });
        for (const pid of await processesWith('POD_NAME', name)) process.kill(pid, 'SIGKILL');
      }
      const sweep = await cluster.condition<HyperparamSweep>(hyperparamSweepType, { namespace, name: 'digits' }, 'Succeeded', 'True', 420);
      const deployment = await cluster.condition<ModelDeployment>(modelDeploymentType, { namespace, name: 'digits' }, 'Ready', 'True', 120);

      const jobs = await cluster.list<TrainingJob>(trainingJobType, namespace);
      expect(jobs.map((job) => job.metadata.name).sort()).to.deep.equal(['digits', ...Array.from({ length: 6 }, (_, trial) => `digits-${trial}`)]);
      for (const { metadata, status } of jobs) {
        expect(isTrue(status?.conditions, 'Succeeded'), metadata.name).to.equal(true);
        expect(status?.attempt, metadata.name).to.equal(1);
        expect(status?.failures, metadata.name).to.equal(undefined);
        expect(status?.model?.digest, metadata.name).to.match(/^sha256:/);
      }
      const pods = (await cluster.list<KubeObject>(podType, namespace)).map((pod) => pod.metadata.labels?.[labels.trainingJob]).filter((job) => job !== undefined);
      expect([...pods].sort()).to.deep.equal(jobs.map((job) => job.metadata.name).sort());
      expect(sweep.status?.trials).to.include({ created: 6, succeeded: 6, failed: 0 });
      expect(deployment.status?.model?.digest).to.equal(sweep.status?.best?.model?.digest);
    });
  });

  describe('helm uninstall', () => {
    async function leftInOperatorNamespace(): Promise<string[]> {
      const names = await cluster.kubectl(['get', 'all,serviceaccount,configmap,secret,role,rolebinding,poddisruptionbudget,networkpolicy,lease', '-n', operatorNamespace, '-o', 'name']);
      return names.split('\n').filter((line) => line !== '' && !['serviceaccount/default', 'configmap/kube-root-ca.crt'].includes(line));
    }

    it('removes all but the CRDs and the models, which go on being served', async () => {
      const before = await cluster.list<KubeObject>(volumeClaimType, 'storm');
      await cluster.helm('uninstall', 'anneal', '--namespace', operatorNamespace, '--wait');
      // The pod drains for some seconds after Helm is done.
      await until('the operator and all that came with it to be gone', async () => (await leftInOperatorNamespace()).length === 0, { timeoutSeconds: 60 });
      expect(await cluster.kubectl(['get', 'clusterrole,clusterrolebinding', '-l', 'app.kubernetes.io/part-of=anneal', '-o', 'name'])).to.equal('');
      expect(await cluster.kubectl(['get', 'crd', '-o', 'name'])).to.include('trainingjobs.anneal.dev');
      expect((await cluster.list<KubeObject>(volumeClaimType, 'storm')).map((claim) => claim.metadata.name)).to.deep.equal(before.map((claim) => claim.metadata.name));
      expect(await cluster.kubectl(['get', 'deployment', 'digits', '-n', 'storm', '-o', 'jsonpath={.status.readyReplicas}'])).to.equal('1');
    });
  });
});
