import { expect } from 'chai';
import { pods } from '../../../operator/src/controllers/shared/watched.ts';

/** What the cache keeps of a pod's status, its first container being called main. */
function kept(status: object) {
  const raw = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', namespace: 'team-a' }, spec: { initContainers: [{ name: 'fetch' }], containers: [{ name: 'main' }, { name: 'proxy' }] }, status };
  return pods.project(raw).status;
}

const initializing = { name: 'main', ready: false, state: { waiting: { reason: 'PodInitializing' } } };

describe('the cache of pods', () => {
  it('leaves out times that Kubernetes writes as null when it lost sight of a container', () => {
    const { main } = kept({ phase: 'Failed', containerStatuses: [{ name: 'main', ready: false, state: { terminated: { exitCode: 137, reason: 'ContainerStatusUnknown', startedAt: null, finishedAt: null } } }] });
    expect(main?.terminated).to.deep.equal({ exitCode: 137, reason: 'ContainerStatusUnknown' });
  });

  it('keeps the init container that failed', () => {
    const { other } = kept({ phase: 'Failed', containerStatuses: [initializing], initContainerStatuses: [{ name: 'fetch', ready: false, state: { terminated: { exitCode: 3, message: 'no route' } } }] });
    expect(other).to.deep.equal({ name: 'fetch', terminated: { exitCode: 3, message: 'no route' } });
  });

  it('keeps the container beside the main one that cannot start, and none that is on its way', () => {
    const waiting = (reason: string) => kept({ phase: 'Pending', containerStatuses: [initializing, { name: 'proxy', ready: false, state: { waiting: { reason } } }] });
    expect(waiting('ImagePullBackOff').other).to.deep.equal({ name: 'proxy', waiting: { reason: 'ImagePullBackOff' } });
    expect(waiting('PodInitializing').other).to.equal(undefined);
  });
});
