import { expect } from 'chai';
import { observe, watches } from '../../../operator/src/controllers/trainingjob/observe.ts';
import { MemoryProgressBoard } from '../../../operator/src/controllers/trainingjob/progress-board.ts';
import type { PodStatus } from '../../../operator/src/domain/pod.ts';
import type { KubeObject } from '../../../operator/src/kube/resource.ts';
import { modelDeployment, trainedJob } from '../../support/builders/model-deployment.ts';
import { job, pod } from '../../support/builders/training-job.ts';
import { MemoryStores } from '../../support/memory-stores.ts';

describe('a TrainingJob with a time to live', () => {
  const servedBy = (deployment: ReturnType<typeof modelDeployment>) => {
    const memory = new MemoryStores(watches);
    memory.put(trainedJob('succeeded'));
    memory.put(deployment);
    return observe({ namespace: 'team-a', name: 'digits' }, memory.stores, new MemoryProgressBoard(() => undefined, 0))?.servedBy;
  };

  it('is needed by a deployment that serves it, or that waits for it and has not seen its end yet', () => {
    expect(servedBy(modelDeployment({ model: { fromSweep: 'digits' } }, { trainingJob: 'digits' }))).to.deep.equal(['served']);
    expect(servedBy(modelDeployment())).to.deep.equal(['served']);
    expect(servedBy(modelDeployment({ model: { fromSweep: 'digits' } }))).to.deep.equal([]);
  });
});

describe('a pod that waits for a volume', () => {
  const event = (uid: string) => ({
    apiVersion: 'v1', kind: 'Event', metadata: { namespace: 'team-a', name: `event-of-${uid}`, uid: `event-of-${uid}` },
    involvedObject: { kind: 'Pod', namespace: 'team-a', name: podOf().metadata.name, uid }, message: 'configmap "digits" not found',
  });
  const podOf = () => pod(job(), 1);
  const failuresOf = (status: PodStatus, uid = podOf().metadata.uid ?? '') => {
    const memory = new MemoryStores(watches);
    const raw = podOf();
    const ownerReferences = [{ apiVersion: 'anneal.dev/v1alpha1', kind: 'TrainingJob', name: 'digits', uid: 'uid-of-digits', controller: true }];
    memory.put(job());
    memory.put({ ...raw, metadata: { ...raw.metadata, ownerReferences }, spec: { nodeName: 'node-1', containers: [{ name: 'trainer' }] }, status } as KubeObject);
    memory.put(event(uid));
    const failures = observe({ namespace: 'team-a', name: 'digits' }, memory.stores, new MemoryProgressBoard(() => undefined, 0))?.mountFailures;
    return [...(failures ?? [])];
  };

  it('is known by what the kubelet said of it', () => {
    expect(failuresOf({ phase: 'Pending' })).to.deep.equal([[podOf().metadata.name, 'configmap "digits" not found']]);
  });

  it('is forgotten once it runs, and never mistaken for another of that name', () => {
    expect(failuresOf({ phase: 'Running' })).to.deep.equal([]);
    expect(failuresOf({ phase: 'Pending' }, 'uid-of-an-earlier-pod')).to.deep.equal([]);
  });
});
