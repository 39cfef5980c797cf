import { expect } from 'chai';
import { annotations, labels, managedBy, type Conditions } from '@anneal/operator/api';
import type { KubeObject } from '../../../operator/src/kube/resource.ts';
import { karpenterPool, modelDeployment, modelOf, scaling, sweep, trainedJob } from '../../support/builders/model-deployment.ts';
import { SimulatedServing, type Pass } from '../../support/simulated-serving.ts';

function condition({ status }: Pass, type: string): Conditions[number] | undefined {
  return status.conditions?.find((one) => one.type === type);
}

function serving(...parameters: ConstructorParameters<typeof SimulatedServing>): SimulatedServing {
  const world = new SimulatedServing(...parameters);
  world.source(trainedJob('succeeded'));
  world.settle();
  return world;
}

/** A replica of the newest revision, in the state that its kubelet or scheduler gives. */
function replica(world: SimulatedServing, status: object): KubeObject & { readonly spec: object; readonly status: object } {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'served-1',
      namespace: 'team-a',
      uid: 'uid-of-replica',
      labels: { [labels.managedBy]: managedBy, [labels.role]: 'server', [labels.modelDeployment]: 'served' },
      annotations: { [annotations.revision]: world.servedRevision() ?? '' },
    },
    spec: { containers: [{ name: 'server' }] },
    status,
  };
}

describe('a ModelDeployment whose model is in the making', () => {
  it('makes nothing and says what it waits for', () => {
    const world = new SimulatedServing();
    world.source(trainedJob('running'));
    const pass = world.reconcile();
    expect(pass.plan.actions).to.deep.equal([]);
    expect(condition(pass, 'Ready')).to.include({ status: 'Unknown', reason: 'TrainingJobNotSucceeded' });
    expect(pass.status).not.to.have.property('revision');
  });

  it('is not ready where no model will come by itself', () => {
    const world = new SimulatedServing();
    expect(condition(world.reconcile(), 'Ready')).to.include({ status: 'False', reason: 'TrainingJobNotFound' });
  });
});

describe('a ModelDeployment whose model is there', () => {
  for (const bounds of [scaling(2), scaling(2, 5)]) {
    it(`is not ready while someone else keeps its Deployment at 0 replicas, ${bounds.scaling.maxReplicas === undefined ? 'of a fixed number' : 'which its autoscaler leaves alone'}`, () => {
      const world = serving(bounds);
      world.scale(0);
      world.setDeployment({ replicas: 0, updatedReplicas: 0, readyReplicas: 0, availableReplicas: 0 });
      const pass = world.reconcile();
      expect(condition(pass, 'Ready')).to.include({ status: 'False', reason: 'ScaledDown' });
      expect(condition(pass, 'Ready')?.message).to.contain('is set to 0 replicas').and.to.contain('kubectl scale deployment served --replicas=2');
      world.scale(2);
      world.finishRollout();
      expect(condition(world.reconcile(), 'Ready')).to.include({ status: 'True', reason: 'Serving' });
    });
  }

  it('makes a Service, a Deployment and a disruption budget of its own name', () => {
    const world = serving();
    for (const kind of ['Service', 'Deployment', 'PodDisruptionBudget']) {
      expect(world.get(kind)?.metadata.ownerReferences?.[0]).to.include({ kind: 'ModelDeployment', uid: 'uid-of-served', controller: true });
    }
    expect(world.get('HorizontalPodAutoscaler')).to.equal(undefined);
    expect(world.deployment?.spec.paused).to.equal(false);
  });

  it('is ready once every replica serves the revision', () => {
    const world = new SimulatedServing(scaling(2));
    world.source(trainedJob('succeeded'));
    world.reconcile();
    world.setDeployment({ replicas: 2, updatedReplicas: 2, readyReplicas: 1, availableReplicas: 1 });
    const half = world.reconcile();
    expect(condition(half, 'Ready')).to.include({ status: 'Unknown', reason: 'RollingOut' });
    expect(condition(half, 'Available')).to.include({ status: 'True' });
    expect(half.status.replicas).to.deep.equal({ summary: '1/2 ready', desired: 2, updated: 2, ready: 1 });
    world.finishRollout();
    const all = world.reconcile();
    expect(condition(all, 'Ready')).to.include({ status: 'True', reason: 'Serving' });
    expect(all.status).to.include({ url: 'http://served.team-a.svc', trainingJob: 'digits', revision: world.servedRevision() });
    expect(all.status.model).to.deep.equal(modelOf(1));
  });

  it('asks nothing of the API server once all is well', () => {
    const world = serving();
    const before = world.writes.length;
    const [first, second] = [world.reconcile(), world.reconcile()];
    expect(world.writes).to.have.length(before);
    expect(second.status).to.deep.equal(first.status);
  });

  it('goes on with the key of its model when the job that named it is gone', () => {
    const pseudonymKey = { secretName: 'pseudonyms', key: 'current', id: '0123456789abcdef' };
    const job = trainedJob('succeeded');
    const world = new SimulatedServing();
    world.source({ ...job, status: { ...job.status, model: { ...modelOf(1), pseudonymKey } } });
    world.settle();
    const first = world.servedRevision();
    world.remove('TrainingJob', 'digits');
    expect(world.reconcile().status.model?.pseudonymKey).to.deep.equal(pseudonymKey);
    expect(world.servedRevision()).to.equal(first);
    expect(JSON.stringify(world.deployment)).to.contain('"secretName":"pseudonyms"');
  });

  it('serves the model of a sweep when the sweep has succeeded', () => {
    const world = new SimulatedServing({ model: { fromSweep: 'digits' } });
    world.source(sweep('running'));
    expect(world.reconcile().plan.actions).to.deep.equal([]);
    world.source(sweep('succeeded'));
    expect(world.settle().status).to.include({ trainingJob: 'digits-2' });
  });

  it('goes on after a crash between any two actions', () => {
    const actions = (() => {
      const world = new SimulatedServing(scaling(1, 3));
      world.source(trainedJob('succeeded'));
      return world.reconcile().plan.actions.length;
    })();
    for (let after = 0; after <= actions; after += 1) {
      const world = new SimulatedServing(scaling(1, 3));
      world.source(trainedJob('succeeded'));
      world.reconcile(after);
      expect(condition(world.settle(), 'Ready')).to.include({ status: 'True' });
    }
  });
});

describe('a newer model', () => {
  it('becomes a revision of its own, the newest last', () => {
    const world = serving();
    const first = world.servedRevision();
    world.source(trainedJob('succeeded', 2));
    const pass = world.reconcile();
    expect(condition(pass, 'Ready')).to.include({ status: 'Unknown', reason: 'RollingOut' });
    expect(world.servedRevision()).not.to.equal(first);
    expect(world.settle().status.revisions?.map(({ revision }) => revision)).to.deep.equal([first, world.servedRevision()]);
  });

  it('keeps the ten newest revisions, each named once', () => {
    const world = serving();
    for (const run of [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 5]) {
      world.source(trainedJob('succeeded', run));
      world.settle();
    }
    const revisions = world.object.status?.revisions ?? [];
    expect(revisions.map(({ modelDigest }) => Number(BigInt(modelDigest.replace('sha256:', '0x'))))).to.deep.equal([3, 4, 6, 7, 8, 9, 10, 11, 12, 5]);
  });

  it('is not waited for: the old one is served while the source trains again, fails or is gone', () => {
    const world = serving();
    const first = world.servedRevision();
    for (const next of [trainedJob('running', 2), trainedJob('failed', 2), undefined]) {
      if (next === undefined) world.remove('TrainingJob', 'digits');
      else world.source(next);
      const pass = world.reconcile();
      expect(world.servedRevision()).to.equal(first);
      expect(condition(pass, 'Ready')).to.include({ status: 'True' });
      expect(condition(pass, 'ModelResolved')?.message).to.contain('is served meanwhile');
    }
  });
});

describe('the claim of a served model', () => {
  const name = modelOf(1).claimName;

  it('outlives the job that made it', () => {
    const world = serving();
    world.remove('TrainingJob', 'digits');
    expect(world.get('PersistentVolumeClaim', name)?.metadata.ownerReferences?.map(({ kind }) => kind)).to.deep.equal(['ModelDeployment']);
  });

  it('is given up only when no replica reads from it any more', () => {
    const world = serving();
    world.remove('TrainingJob', 'digits');
    world.source(trainedJob('succeeded', 2));
    world.reconcile();
    world.setDeployment({ replicas: 2, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 });
    world.reconcile();
    expect(world.get('PersistentVolumeClaim', name)).not.to.equal(undefined);
    world.settle();
    expect(world.get('PersistentVolumeClaim', name)).to.equal(undefined);
  });

  it('stays with its job, and with other deployments that serve from it', () => {
    const world = serving();
    const other = modelDeployment({}, world.object.status);
    world.put({ ...other, metadata: { ...other.metadata, name: 'other', uid: 'uid-of-other' } });
    world.source(trainedJob('succeeded', 2, 'better'));
    world.edit({ model: { fromTrainingJob: 'better' } });
    world.settle();
    expect(world.get('PersistentVolumeClaim', name)?.metadata.ownerReferences?.map(({ uid }) => uid)).to.deep.equal(['uid-of-digits-1', 'uid-of-other']);
  });

  it('is held together with the other deployments that serve from it', () => {
    const world = new SimulatedServing();
    const other = modelDeployment({}, { model: modelOf(1), trainingJob: 'digits' });
    world.put({ ...other, metadata: { ...other.metadata, name: 'other', uid: 'uid-of-other' } });
    world.source(trainedJob('succeeded'));
    world.settle();
    expect(world.get('PersistentVolumeClaim', name)?.metadata.ownerReferences?.map(({ uid }) => uid)).to.deep.equal(['uid-of-digits-1', 'uid-of-served', 'uid-of-other']);
  });

  it('is missed where its job is gone with it, as when the best trial of a sweep was deleted', () => {
    const world = new SimulatedServing();
    world.edit({ model: { fromSweep: 'digits' } });
    world.put(sweep('succeeded'));
    const pass = world.reconcile();
    expect(condition(pass, 'Ready')).to.include({ status: 'False', reason: 'VolumeLost' });
    expect(condition(pass, 'Ready')?.message).to.contain('with the label app.kubernetes.io/managed-by: anneal');
    expect(pass.plan.actions).to.deep.equal([]);
  });

  it('is not looked for where it is a claim of a user, which no cache shows', () => {
    const world = new SimulatedServing();
    world.edit({ model: { fromSweep: 'digits' } });
    const searched = sweep('succeeded');
    const { best } = searched.status ?? {};
    if (best === undefined) throw new Error('There is no best trial.');
    const model = { ...modelOf(1, best.trainingJob), claimName: 'models', path: `${best.trainingJob}/model` };
    const shared = { ...searched, status: { ...searched.status, best: { ...best, model } } };
    world.put(shared);
    expect(condition(world.reconcile(), 'Ready')).to.include({ status: 'Unknown', reason: 'RollingOut' });
  });

  it('is missed loudly where its job is there and it is not', () => {
    const world = new SimulatedServing();
    world.put(trainedJob('succeeded'));
    const pass = world.reconcile();
    expect(condition(pass, 'Ready')).to.include({ status: 'False', reason: 'VolumeLost' });
    expect(pass.plan.actions).to.deep.equal([]);
  });

  it('is left alone where it is the user\'s own', () => {
    const world = new SimulatedServing();
    const job = trainedJob('succeeded');
    const model = { ...modelOf(1), claimName: 'shared', path: 'digits/model' };
    const onSharedClaim = { ...job, spec: { ...job.spec, checkpoint: { ...job.spec.checkpoint, volume: { claimName: 'shared' } } }, status: { ...job.status, model } };
    world.put(onSharedClaim);
    const pass = world.settle();
    expect(condition(pass, 'Ready')).to.include({ status: 'True' });
    expect(world.writes.filter((action) => action.kind === 'Apply' && action.object.kind === 'PersistentVolumeClaim')).to.deep.equal([]);
  });
});

describe('an object of the same name that is not ours', () => {
  const foreign = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'served', namespace: 'team-a', uid: 'uid-of-foreign' } };

  it('is not taken over when the cache does not show it', () => {
    const world = new SimulatedServing();
    world.source(trainedJob('succeeded'));
    world.put(foreign);
    const pass = world.reconcile();
    for (const type of ['Ready', 'Progressing']) expect(condition(pass, type)).to.include({ status: 'False', reason: 'NameTaken' });
    expect(world.get('Service')).to.deep.equal(foreign);
    expect(pass.status).not.to.have.property('revision');
  });

  it('is not taken over when the cache shows it, as one of a deployment that is being deleted', () => {
    const world = new SimulatedServing();
    world.source(trainedJob('succeeded'));
    world.put({ ...foreign, metadata: { ...foreign.metadata, labels: { [labels.managedBy]: managedBy } } });
    const pass = world.reconcile();
    expect(condition(pass, 'Ready')).to.include({ status: 'False', reason: 'NameTaken' });
    expect(pass.plan.actions).to.deep.equal([]);
  });
});

describe('scaling', () => {
  it('makes an autoscaler when maxReplicas is above minReplicas, and deletes it when it no longer is', () => {
    const world = serving(scaling(1, 4));
    expect(world.get('HorizontalPodAutoscaler')).not.to.equal(undefined);
    world.edit(scaling(2, 2));
    world.settle();
    expect(world.get('HorizontalPodAutoscaler')).to.equal(undefined);
    expect(world.deployment?.spec.replicas).to.equal(2);
  });

  it('does not count replicas that are being added as a rollout', () => {
    const world = serving(scaling(1));
    world.edit(scaling(3));
    world.reconcile();
    world.setDeployment({ replicas: 3, updatedReplicas: 3, readyReplicas: 1, availableReplicas: 1 });
    const pass = world.reconcile();
    expect(condition(pass, 'Ready')).to.include({ status: 'Unknown', reason: 'ReplicasMissing' });
    expect(condition(pass, 'Progressing')).to.include({ status: 'False', reason: 'RolledOut' });
  });

  it('is not ready when no replica is left', () => {
    const world = serving();
    world.setDeployment({ readyReplicas: 0, availableReplicas: 0 });
    const pass = world.reconcile();
    expect(condition(pass, 'Ready')).to.include({ status: 'False' });
    expect(condition(pass, 'Available')).to.include({ status: 'False', reason: 'NoReplicaReady' });
  });
});

describe('a rollout that goes nowhere', () => {
  const rolling = () => {
    const world = serving();
    world.source(trainedJob('succeeded', 2));
    world.reconcile();
    world.setDeployment({ replicas: 2, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 });
    return world;
  };

  it('says that the cluster refuses the pods', () => {
    const world = rolling();
    world.setDeployment({ conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'exceeded quota: gpus' }] });
    const pass = world.reconcile();
    expect(condition(pass, 'Ready')).to.include({ status: 'False', reason: 'PodsRefused' });
    expect(condition(pass, 'Ready')?.message).to.contain('exceeded quota: gpus');
    expect(condition(pass, 'Available')).to.include({ status: 'True' });
  });

  it('says that the deadline has passed', () => {
    const world = rolling();
    world.setDeployment({ conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'It has timed out.' }] });
    expect(condition(world.reconcile(), 'Ready')).to.include({ status: 'False', reason: 'ProgressDeadlineExceeded' });
  });

  it('names the replica that cannot start, and why', () => {
    const world = rolling();
    world.put(replica(world, { phase: 'Pending', containerStatuses: [{ name: 'server', ready: false, state: { waiting: { reason: 'ErrImagePull', message: 'no such image' } } }] }));
    expect(condition(world.reconcile(), 'Ready')).to.include({ status: 'False', reason: 'ImagePullBackOff', message: 'Pod served-1 cannot start: no such image' });
  });

  it('names the Secret or the disk that a replica cannot mount, until it can', () => {
    const world = rolling();
    world.put({ ...replica(world, { phase: 'Pending', containerStatuses: [{ name: 'server', ready: false, state: { waiting: { reason: 'ContainerCreating' } } }] }), spec: { nodeName: 'a', containers: [{ name: 'server' }] } } as KubeObject);
    expect(condition(world.reconcile(), 'Ready')?.status).to.equal('Unknown');
    const message = 'MountVolume.SetUp failed for volume "key" : secret "pseudonyms" not found';
    const event = { apiVersion: 'v1', kind: 'Event', metadata: { name: 'served-1.x', namespace: 'team-a' }, involvedObject: { namespace: 'team-a', name: 'served-1', uid: 'uid-of-replica' }, message };
    world.put(event);
    expect(condition(world.reconcile(), 'Ready')).to.include({ status: 'False', reason: 'FailedMount', message: `Pod served-1 cannot start: ${message}` });
    world.put({ ...replica(world, { phase: 'Running', containerStatuses: [{ name: 'server', ready: false, state: { running: {} } }] }) });
    expect(condition(world.reconcile(), 'Ready')?.status).to.equal('Unknown');
  });

  it('says how a replica ended that is started again and again', () => {
    const world = rolling();
    const state = { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s restarting failed container' } };
    world.put(replica(world, { phase: 'Running', containerStatuses: [{ name: 'server', ready: false, state, lastState: { terminated: { exitCode: 2, message: 'The key is not the one of the training.' } } }] }));
    expect(condition(world.reconcile(), 'Ready')?.message).to.equal('Pod served-1 cannot start: back-off 10s restarting failed container. It ended last with exit code 2: The key is not the one of the training.');
  });

  it('names the replica that has no node: one may still come', () => {
    const world = rolling();
    world.put(replica(world, { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes are available' }] }));
    expect(condition(world.reconcile(), 'Ready')).to.include({ status: 'Unknown', reason: 'Unschedulable' });
  });

  it('announces trouble once', () => {
    const world = rolling();
    world.setDeployment({ conditions: [{ type: 'ReplicaFailure', status: 'True', message: 'exceeded quota' }] });
    const events = () => world.reconcile().plan.actions.filter(({ kind }) => kind === 'Emit').length;
    expect([events(), events()]).to.deep.equal([1, 0]);
  });
});

describe('a node pool of a ModelDeployment', () => {
  it('holds the rollout where the cluster has no Karpenter, and leaves what serves as it is', () => {
    const world = serving();
    const first = world.servedRevision();
    world.memory.setInstalled('NodePool', false);
    world.edit({ nodePool: karpenterPool() });
    const pass = world.reconcile();
    expect(condition(pass, 'NodePoolReady')).to.include({ status: 'False', reason: 'KarpenterNotInstalled' });
    expect(condition(pass, 'Ready')).to.include({ status: 'False', reason: 'KarpenterNotInstalled' });
    expect(world.servedRevision()).to.equal(first);
  });

  it('is told of in a condition', () => {
    const world = serving({ nodePool: karpenterPool() });
    expect(condition(world.reconcile(), 'NodePoolReady')).to.include({ status: 'Unknown', reason: 'NoWordFromKarpenter' });
  });
});
