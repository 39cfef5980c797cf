import { join } from 'node:path';
import { expect } from 'chai';
import { labels, managedBy } from '@anneal/operator/api';
import { modelDeploymentController } from '../../operator/src/controllers/modeldeployment/index.ts';
import { readCrds, root } from '../../hack/gen/schema.ts';
import { digestOf, servingSettings } from '../support/builders/model-deployment.ts';
import { withCluster } from '../support/cluster.ts';
import { eventually } from '../support/kit/eventually.ts';
import { conditionOf, Kubectl, type Live } from '../support/kubernetes.ts';
import { withOperator } from '../support/controllers.ts';

const ownCrds = readCrds().map(({ plural }) => join(root, 'charts/anneal/files/crds', `${plural}.yaml`));

describe('a ModelDeployment on real controllers', function servingSuite() {
  this.timeout(180_000);
  const cluster = withCluster({ crds: ownCrds });
  const kubectl = new Kubectl(cluster);
  withOperator(() => ({ kubeconfig: cluster.plane.kubeconfigPath, namespace: cluster.namespace, controllers: [modelDeploymentController(servingSettings)] }));

  const deploymentOf = (name: string, job: string, scaling: object = {}) => ({
    apiVersion: 'anneal.dev/v1alpha1', kind: 'ModelDeployment', metadata: { name }, spec: { model: { fromTrainingJob: job }, scaling },
  });

  /** A job that succeeded, and the claim that it made. */
  async function trained(name: string, run = 1, model: object = {}): Promise<void> {
    await kubectl.apply({
      apiVersion: 'anneal.dev/v1alpha1',
      kind: 'TrainingJob',
      metadata: { name },
      spec: { trainer: { data: { source: { format: 'CSV', uri: 'https://example.com/digits.csv' }, target: 'label' }, model: { preset: 'MLP' }, fit: { epochs: 1 } } },
    });
    const { metadata } = await kubectl.get('tj', name);
    await kubectl.apply({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: {
        name: claimOf(name),
        labels: { [labels.managedBy]: managedBy },
        ownerReferences: [{ apiVersion: 'anneal.dev/v1alpha1', kind: 'TrainingJob', name, uid: metadata.uid, controller: true, blockOwnerDeletion: true }],
      },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } },
    });
    await kubectl.setStatus('tj', name, {
      conditions: [{ type: 'Succeeded', status: 'True', reason: 'Succeeded', message: 'Done.', lastTransitionTime: '2026-03-01T12:00:00Z' }],
      model: { claimName: claimOf(name), path: 'model', digest: digestOf(run), ...model },
    });
  }
  const claimOf = (job: string) => `${job}-claim`;

  /** What a kubelet would report: without nodes no pod starts by itself. */
  async function replicasStart(name: string, digest: string): Promise<void> {
    await eventually(async () => {
      const pods = await kubectl.list('pods', `${labels.modelDeployment}=${name}`);
      const newest = pods.filter((pod) => pod.metadata.annotations?.['anneal.dev/model-digest'] === digest);
      const waiting = newest.filter((pod) => conditionOf(pod, 'Ready')?.status !== 'True');
      for (const pod of waiting) {
        await kubectl.setStatus('pod', pod.metadata.name, { phase: 'Running', conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-03-01T12:00:00Z' }] });
      }
      expect(conditionOf(await kubectl.get('md', name), 'Ready')).to.include({ status: 'True' });
    }, 60_000);
  }

  const ready = (status: string, reason: string) => (object: Live) => expect(conditionOf(object, 'Ready')).to.include({ status, reason });

  it('waits for its model, serves it, and rolls out the next one without a gap', async () => {
    await kubectl.apply(deploymentOf('digits', 'digits', { minReplicas: 2 }));
    await kubectl.until('md', 'digits', ready('False', 'TrainingJobNotFound'));
    await trained('digits');
    await kubectl.until('md', 'digits', ready('Unknown', 'Unschedulable'));
    await replicasStart('digits', digestOf(1));
    const serving = await kubectl.get('md', 'digits');
    expect(serving.status).to.include({ url: `http://digits.${cluster.namespace}.svc`, trainingJob: 'digits' });
    expect(serving.status?.replicas).to.deep.equal({ summary: '2/2 ready', desired: 2, updated: 2, ready: 2 });
    expect((await kubectl.list('endpointslices', 'kubernetes.io/service-name=digits')).length).to.be.at.least(1);
    expect((await kubectl.get('pdb', 'digits')).spec).to.include({ maxUnavailable: 1 });

    await trained('digits', 2);
    await kubectl.until('md', 'digits', (object) => expect(object.status?.revision).not.to.equal(serving.status?.revision));
    expect(conditionOf(await kubectl.get('md', 'digits'), 'Available')).to.include({ status: 'True' });
    await replicasStart('digits', digestOf(2));
    const [before, after] = [serving, await kubectl.get('md', 'digits')].map(({ status }) => status?.revision);
    expect((await kubectl.get('md', 'digits')).status?.revisions).to.have.length(2);
    expect(before).not.to.equal(after);
  });

  it('mounts the key of a model that knows rows by pseudonyms', async () => {
    const pseudonymKey = { secretName: 'pseudonyms', key: 'current', id: '0123456789abcdef' };
    await trained('cards', 1, { pseudonymKey });
    await kubectl.apply(deploymentOf('cards', 'cards'));
    await replicasStart('cards', digestOf(1));
    const [pod] = await kubectl.list('pods', `${labels.modelDeployment}=cards`);
    const { containers: [container], volumes } = pod?.spec as { containers: { args: string[] }[]; volumes: { name: string; secret?: { secretName: string } }[] };
    expect(container?.args).to.include.members(['--pseudonym-key', '/var/run/secrets/anneal.dev/pseudonyms/current']);
    expect(volumes.find(({ name }) => name === 'pseudonyms')?.secret).to.deep.include({ secretName: 'pseudonyms', items: [{ key: 'current', path: 'current' }] });
    expect((await kubectl.get('md', 'cards')).status?.model).to.deep.include({ pseudonymKey });
  });

  it('writes nothing once all is well', async () => {
    await trained('still');
    await kubectl.apply(deploymentOf('still', 'still', { minReplicas: 1, maxReplicas: 2 }));
    await replicasStart('still', digestOf(1));
    const applied = async () => {
      const objects = await Promise.all(['deployment', 'service', 'pdb', 'hpa'].map(async (resource) => JSON.parse(await kubectl.run('get', resource, 'still', '-o', 'json', '--show-managed-fields')) as Live));
      return objects.map(({ metadata }) => (metadata as { managedFields?: readonly { manager: string; operation: string; time: string }[] }).managedFields?.filter(({ manager }) => manager.startsWith('anneal')));
    };
    const before = await applied();
    const status = (await kubectl.get('md', 'still')).metadata.resourceVersion;
    // Something that concerns the deployment and changes nothing of it.
    await kubectl.run('annotate', 'tj', 'still', 'example.com/note=seen');
    await kubectl.run('annotate', 'md', 'still', 'example.com/note=seen');
    const touched = (await kubectl.get('md', 'still')).metadata.resourceVersion;
    await trained('other');
    await kubectl.apply(deploymentOf('later', 'other'));
    await kubectl.until('md', 'later', (object) => expect(object.status?.revision).to.be.a('string'));
    expect(await applied()).to.deep.equal(before);
    expect(touched).not.to.equal(status);
    expect((await kubectl.get('md', 'still')).metadata.resourceVersion).to.equal(touched);
  });

  it('hands its replicas to an autoscaler without losing one, and takes them back', async () => {
    await trained('scaled');
    await kubectl.apply(deploymentOf('scaled', 'scaled', { minReplicas: 3 }));
    await replicasStart('scaled', digestOf(1));
    const least: number[] = [];
    const look = async () => {
      least.push(Number((await kubectl.get('deployment', 'scaled')).spec?.replicas));
    };
    await kubectl.apply(deploymentOf('scaled', 'scaled', { minReplicas: 4 }));
    await kubectl.until('deployment', 'scaled', (object) => expect(object.spec?.replicas).to.equal(4));
    await kubectl.apply(deploymentOf('scaled', 'scaled', { minReplicas: 2, maxReplicas: 5 }));
    const autoscaler = await kubectl.until('hpa', 'scaled', () => undefined);
    await look();
    expect(autoscaler.spec).to.deep.include({ minReplicas: 2, maxReplicas: 5 });
    await kubectl.until('md', 'scaled', (object) => expect(object.status?.observedGeneration).to.equal(object.metadata.generation));
    await look();
    expect(Math.min(...least)).to.equal(4);
    await kubectl.apply(deploymentOf('scaled', 'scaled', { minReplicas: 1, maxReplicas: 1 }));
    await kubectl.untilGone('hpa', 'scaled');
    await kubectl.until('deployment', 'scaled', (object) => expect(object.spec?.replicas).to.equal(1));
  });

  it('does not take over a Service that others made', async () => {
    await kubectl.apply({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'taken' }, spec: { selector: { app: 'theirs' }, ports: [{ port: 80 }] } });
    await trained('taken');
    await kubectl.apply(deploymentOf('taken', 'taken'));
    const { status } = await kubectl.until('md', 'taken', ready('False', 'NameTaken'));
    expect(status).not.to.have.property('url');
    expect((await kubectl.get('service', 'taken')).spec?.selector).to.deep.equal({ app: 'theirs' });
  });

  it('keeps the model when its job is deleted, and gives it up with its own end', async () => {
    await trained('kept');
    await kubectl.apply(deploymentOf('kept', 'kept'));
    const owners = (object: Live) => object.metadata.ownerReferences?.map(({ kind }) => kind);
    await kubectl.until('pvc', claimOf('kept'), (object) => expect(owners(object)).to.deep.equal(['TrainingJob', 'ModelDeployment']));
    await kubectl.run('delete', 'tj', 'kept');
    await kubectl.until('pvc', claimOf('kept'), (object) => expect(owners(object)).to.deep.equal(['ModelDeployment']));
    await kubectl.until('md', 'kept', (object) => expect(conditionOf(object, 'ModelResolved')?.message).to.contain('is served meanwhile'));
    expect((await kubectl.get('pvc', claimOf('kept'))).metadata.deletionTimestamp).to.equal(undefined);
    await kubectl.run('delete', 'md', 'kept');
    for (const resource of ['deployment', 'service', 'pdb']) await kubectl.untilGone(resource, 'kept');
    await kubectl.untilGone('pvc', claimOf('kept'));
  });
});
