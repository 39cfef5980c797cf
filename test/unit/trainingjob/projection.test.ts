import { expect } from 'chai';
import { annotations } from '../../../operator/src/api/index.ts';
import { pods } from '../../../operator/src/controllers/shared/watched.ts';

const spec = { initContainers: [{ name: 'mesh', restartPolicy: 'Always' }, { name: 'fetch' }], containers: [{ name: 'main' }, { name: 'proxy' }] };

/** What the cache keeps of a pod's status, its first container being called main. */
function kept(status: object, metadata: object = {}) {
  const raw = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', namespace: 'team-a', ...metadata }, spec, status };
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

  it('does not take a native sidecar, which ends with the pod, for the init container that failed', () => {
    const ended = (name: string, exitCode: number) => ({ name, ready: false, state: { terminated: { exitCode } } });
    expect(kept({ phase: 'Failed', containerStatuses: [initializing], initContainerStatuses: [ended('mesh', 137), ended('fetch', 42)] }).other).to.deep.equal({ name: 'fetch', terminated: { exitCode: 42 } });
    expect(kept({ phase: 'Failed', containerStatuses: [initializing], initContainerStatuses: [ended('mesh', 137)] }).other).to.equal(undefined);
  });

  it('knows the main container by its name where an injector has put its own before it', () => {
    const running = { name: 'main', ready: true, state: { running: {} } };
    const done = { name: 'proxy', ready: false, state: { terminated: { exitCode: 0 } } };
    expect(kept({ phase: 'Running', containerStatuses: [running, done] }, { annotations: { [annotations.mainContainer]: 'proxy' } }).main?.terminated).to.deep.equal({ exitCode: 0 });
  });

  it('keeps the container beside the main one that cannot start, and none that is on its way', () => {
    const waiting = (reason: string) => kept({ phase: 'Pending', containerStatuses: [initializing, { name: 'proxy', ready: false, state: { waiting: { reason } } }] });
    expect(waiting('ImagePullBackOff').other).to.deep.equal({ name: 'proxy', waiting: { reason: 'ImagePullBackOff' } });
    expect(waiting('PodInitializing').other).to.equal(undefined);
  });
});
