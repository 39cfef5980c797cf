import { join } from 'node:path';
import { expect } from 'chai';
import { hyperparamSweepController } from '../../operator/src/controllers/hyperparamsweep/index.ts';
import { readCrds, root } from '../../hack/gen/schema.ts';
import { withCluster } from '../support/cluster.ts';
import { eventually } from '../support/kit/eventually.ts';
import { conditionOf, Kubectl, type Live } from '../support/kubernetes.ts';
import { startOperator, withOperator, type OperatorOptions } from '../support/controllers.ts';

const ownCrds = readCrds().map(({ plural }) => join(root, 'charts/anneal/files/crds', `${plural}.yaml`));
const trainer = { data: { source: { uri: 'https://example.com/digits.csv' }, target: 'label' }, model: { preset: 'MLP' }, fit: { epochs: 5 } };

describe('a HyperparamSweep on real controllers', function sweepSuite() {
  this.timeout(180_000);
  const cluster = withCluster({ crds: ownCrds });
  const kubectl = new Kubectl(cluster);
  const options = (): OperatorOptions => ({ kubeconfig: cluster.plane.kubeconfigPath, namespace: cluster.namespace, controllers: [hyperparamSweepController()] });
  withOperator(options);

  const template = (name: string, over: object = {}) => ({ apiVersion: 'anneal.dev/v1alpha1', kind: 'TrainingJob', metadata: { name }, spec: { trainer, suspend: true, ttlSecondsAfterFinished: 60, ...over } });
  const sweepOf = (name: string, spec: object, overrides: object = { 'trainer.fit.epochs': '${epochs}' }) => ({
    apiVersion: 'anneal.dev/v1alpha1',
    kind: 'HyperparamSweep',
    metadata: { name },
    spec: {
      objectives: [{ metric: 'val_accuracy', direction: 'Maximize' }],
      parameters: [{ name: 'epochs', type: 'Int', min: 1, max: 9 }],
      template: { fromTrainingJob: name, overrides },
      ...spec,
    },
  });
  const ready = (status: string, reason: string) => (object: Live) => expect(conditionOf(object, 'Ready')).to.include({ status, reason });
  const trialsOf = async (name: string) => (await kubectl.list('tj', `anneal.dev/sweep=${name}`)).map(({ metadata }) => metadata.name);

  /** What the TrainingJob controller would report. */
  async function ends(job: string, metrics: object | 'failed'): Promise<void> {
    const time = { lastTransitionTime: '2026-03-01T12:00:00Z' };
    await kubectl.until('tj', job, () => undefined);
    await kubectl.setStatus('tj', job, metrics === 'failed'
      ? { completionTime: '2026-03-01T12:00:00Z', conditions: [{ type: 'Failed', status: 'True', reason: 'OutOfMemory', message: 'It used more than 1Gi.', ...time }] }
      : {
          completionTime: '2026-03-01T12:00:00Z',
          conditions: [{ type: 'Succeeded', status: 'True', reason: 'Succeeded', message: 'Done.', ...time }],
          model: { claimName: 'claim', path: 'model', digest: `sha256:${'a'.repeat(64)}`, metrics },
        });
  }

  it('waits for its template, runs each combination once, and ends with the best', async () => {
    await kubectl.apply(sweepOf('grid', { algorithm: { name: 'Grid' }, parameters: [{ name: 'epochs', type: 'Int', min: 1, max: 5, step: 2 }], limits: { parallelism: 2 } }));
    await kubectl.until('sweep', 'grid', ready('Unknown', 'TemplateMissing'));
    await kubectl.apply(template('grid'));
    await kubectl.until('sweep', 'grid', (object) => expect(object.status?.trials).to.include({ created: 2, running: 2, planned: 3 }));
    expect(await trialsOf('grid')).to.have.members(['grid-0', 'grid-1']);
    const first = await kubectl.get('tj', 'grid-0');
    expect(first.spec).to.include({ suspend: false }).and.to.have.nested.property('trainer.fit.epochs', 1);
    expect(first.spec).not.to.have.property('ttlSecondsAfterFinished');
    expect(first.metadata.annotations).to.include({ 'anneal.dev/parameters': '{"epochs":1}' });
    expect(first.metadata.ownerReferences?.[0]).to.include({ kind: 'HyperparamSweep', name: 'grid', controller: true });

    await ends('grid-0', { val_accuracy: 0.9 });
    await ends('grid-1', 'failed');
    await ends('grid-2', { val_accuracy: 0.95 });
    const { status } = await kubectl.until('sweep', 'grid', ready('True', 'Succeeded'));
    expect(status?.trials).to.include({ summary: '3/3 done, 0 running, 1 failed', outcomes: 'SFS' });
    expect(status?.best).to.deep.include({ trial: 2, trainingJob: 'grid-2', value: 0.95, summary: 'val_accuracy 0.95', parameters: { epochs: 5 } });
    const table = (await kubectl.run('get', 'sweep', 'grid')).split('\n').map((line) => line.trim().split(/\s{2,}/).slice(0, -1));
    expect(table.slice(0, 2)).to.deep.equal([
      ['NAME', 'READY', 'REASON', 'PROGRESS', 'BEST'],
      ['grid', 'True', 'Succeeded', '3/3 done, 0 running, 1 failed', 'val_accuracy 0.95'],
    ]);
  });

  it('writes nothing and runs nothing again after its end, even if its trials are deleted', async () => {
    await kubectl.apply(template('over'));
    await kubectl.apply(sweepOf('over', { limits: { trials: 1 } }));
    await ends('over-0', { val_accuracy: 1 });
    const { metadata } = await kubectl.until('sweep', 'over', ready('True', 'Succeeded'));
    await kubectl.run('delete', 'tj', 'over-0', 'over');
    // Another sweep that ends later shows that the operator has seen the deletions.
    await kubectl.apply(template('later'));
    await kubectl.apply(sweepOf('later', { limits: { trials: 1 } }));
    await ends('later-0', { val_accuracy: 1 });
    await kubectl.until('sweep', 'later', ready('True', 'Succeeded'));
    expect((await kubectl.get('sweep', 'over')).metadata.resourceVersion).to.equal(metadata.resourceVersion);
    expect(await trialsOf('over')).to.deep.equal([]);
  });

  it('shows the API server\'s sentence when an override names no field, and goes on when it is corrected', async () => {
    await kubectl.apply(template('typo'));
    await kubectl.apply(sweepOf('typo', { limits: { trials: 3 } }, { 'trainer.fit.epoch': '${epochs}' }));
    await ends('typo-0', { val_accuracy: 0.5 });
    const blocked = await kubectl.until('sweep', 'typo', ready('False', 'TrialRefused'));
    expect(conditionOf(blocked, 'Ready')?.message).to.match(/^The API server refused TrainingJob typo-1: .*unknown field "spec\.trainer\.fit\.epoch"/);
    await kubectl.run('patch', 'sweep', 'typo', '--type=json', '-p', JSON.stringify([{ op: 'replace', path: '/spec/template/overrides', value: { 'trainer.fit.epochs': '${epochs}' } }]));
    await ends('typo-1', { val_accuracy: 0.6 });
    await ends('typo-2', { val_accuracy: 0.7 });
    await kubectl.until('sweep', 'typo', ready('True', 'Succeeded'));
  });

  it('counts a combination that a TrainingJob may not have as failed, and goes on with the next', async () => {
    await kubectl.apply(template('combine'));
    const parameters = [{ name: 'optimizer', type: 'Categorical', values: ['SGD', 'Adam'] }];
    await kubectl.apply(sweepOf('combine', { algorithm: { name: 'Grid' }, parameters }, { 'trainer.fit.optimizer': { name: '${optimizer}', momentum: 0.9 } }));
    await ends('combine-0', { val_accuracy: 0.5 });
    const { status } = await kubectl.until('sweep', 'combine', ready('True', 'Succeeded'));
    expect(status?.trials).to.include({ outcomes: 'SR' });
    const healthy = status?.conditions?.find(({ type }) => type === 'TrialsHealthy');
    expect(healthy?.message).to.match(/combine-1 was refused by the API server: .*remove momentum, or write name: SGD or RMSprop; no other has one/);
  });

  it('ends as failed when more trials fail than it may, and leaves those that run to end', async () => {
    await kubectl.apply(template('broken'));
    await kubectl.apply(sweepOf('broken', { limits: { trials: 9, parallelism: 2, failures: 0 } }));
    await ends('broken-0', 'failed');
    await kubectl.until('sweep', 'broken', ready('False', 'TooManyFailedTrials'));
    expect(conditionOf(await kubectl.get('sweep', 'broken'), 'Failed')).to.equal(undefined);
    await ends('broken-1', { val_accuracy: 0.4 });
    const { status } = await kubectl.until('sweep', 'broken', (object) => expect(conditionOf(object, 'Failed')).to.include({ status: 'True', reason: 'TooManyFailedTrials' }));
    expect(status?.best).to.include({ trial: 1, value: 0.4 });
    expect(await trialsOf('broken')).to.have.members(['broken-0', 'broken-1']);
    await eventually(async () => {
      const reasons = (await kubectl.list('events.events.k8s.io')).filter((event) => (event as unknown as { regarding: { name: string } }).regarding.name === 'broken').map((event) => (event as unknown as { reason: string }).reason);
      expect(reasons).to.include.members(['TrialFailed', 'BestImproved', 'TooManyFailedTrials', 'Failed']);
    }, 30_000);
  });

  it('holds when its template changes, and goes on when it is put back', async () => {
    await kubectl.apply(template('moved'));
    await kubectl.apply(sweepOf('moved', { limits: { trials: 2 } }));
    await kubectl.until('sweep', 'moved', (object) => expect(object.status).to.have.nested.property('template.digest'));
    await kubectl.apply(template('moved', { activeDeadlineSeconds: 60 }));
    await ends('moved-0', { val_accuracy: 0.5 });
    await kubectl.until('sweep', 'moved', ready('False', 'TemplateChanged'));
    await kubectl.apply(template('moved'));
    await ends('moved-1', { val_accuracy: 0.6 });
    await kubectl.until('sweep', 'moved', ready('True', 'Succeeded'));
  });

  it('does not touch a TrainingJob that has the name of a trial, and makes its own once that is gone', async () => {
    await kubectl.apply(template('clash'));
    await kubectl.apply(template('clash-0'));
    await kubectl.apply(sweepOf('clash', { limits: { trials: 1 } }));
    await kubectl.until('sweep', 'clash', ready('False', 'TrialNameTaken'));
    await kubectl.run('delete', 'tj', 'clash-0');
    await kubectl.until('tj', 'clash-0', (object) => expect(object.metadata.ownerReferences?.[0]).to.include({ name: 'clash' }));
  });

  it('refuses an edit that would make its trials incomparable', async () => {
    await kubectl.apply(sweepOf('fixed', { limits: { trials: 1 }, suspend: true }));
    const edit = kubectl.run('patch', 'sweep', 'fixed', '--type=merge', '-p', JSON.stringify({ spec: { algorithm: { seed: 9 } } }));
    expect(await edit.catch(String)).to.include('parameters, algorithm and objectives stay as they are once the sweep exists');
  });

  it('takes its trials with it when it is deleted', async () => {
    await kubectl.apply(template('gone'));
    await kubectl.apply(sweepOf('gone', { limits: { trials: 2, parallelism: 2 } }));
    await eventually(async () => expect(await trialsOf('gone')).to.have.length(2), 30_000);
    await kubectl.run('delete', 'sweep', 'gone');
    await eventually(async () => expect(await trialsOf('gone')).to.deep.equal([]), 30_000);
    expect((await kubectl.get('tj', 'gone')).metadata.deletionTimestamp).to.equal(undefined);
  });
});

describe('a HyperparamSweep whose operator is replaced again and again', function replacedSuite() {
  this.timeout(180_000);
  const cluster = withCluster({ crds: ownCrds });
  const kubectl = new Kubectl(cluster);

  it('runs each trial once, and proposes what it would have proposed', async () => {
    const options: OperatorOptions = { kubeconfig: cluster.plane.kubeconfigPath, namespace: cluster.namespace, controllers: [hyperparamSweepController()] };
    const spec = {
      objectives: [{ metric: 'val_accuracy', direction: 'Maximize' }],
      parameters: [{ name: 'rate', type: 'Float', min: 0.0001, max: 0.1, scale: 'Log' }],
      algorithm: { seed: 7, firstTrial: 'Sampled' },
      limits: { trials: 6, parallelism: 2 },
      template: { spec: { trainer }, overrides: { 'trainer.fit.optimizer.learningRate': '${rate}' } },
    };
    for (const name of ['steady', 'shaken']) await kubectl.apply({ apiVersion: 'anneal.dev/v1alpha1', kind: 'HyperparamSweep', metadata: { name }, spec });
    const endAll = async () => {
      for (const job of await kubectl.list('tj')) {
        if (conditionOf(job, 'Succeeded') !== undefined) continue;
        await kubectl.setStatus('tj', job.metadata.name, {
          conditions: [{ type: 'Succeeded', status: 'True', reason: 'Succeeded', message: 'Done.', lastTransitionTime: '2026-03-01T12:00:00Z' }],
          progress: { metrics: { val_accuracy: 0.5 } },
        });
      }
    };
    await eventually(async () => {
      const operator = await startOperator(options);
      await endAll();
      await eventually(async () => expect(await kubectl.list('tj', 'anneal.dev/sweep=shaken')).to.have.length.above(0), 20_000);
      await operator[Symbol.asyncDispose]();
      for (const name of ['steady', 'shaken']) expect(conditionOf(await kubectl.get('sweep', name), 'Succeeded')).to.include({ status: 'True' });
    }, 120_000);
    const jobs = await kubectl.list('tj');
    const proposals = (sweep: string) => Array.from({ length: 6 }, (_, trial) => jobs.filter(({ metadata }) => metadata.name === `${sweep}-${trial}`).map(({ metadata }) => metadata.annotations?.['anneal.dev/parameters']));
    expect(jobs).to.have.length(12);
    expect(proposals('shaken')).to.deep.equal(proposals('steady'));
    expect((await kubectl.get('sweep', 'shaken')).status?.trials).to.include({ created: 6, succeeded: 6, outcomes: 'SSSSSS' });
  });
});
