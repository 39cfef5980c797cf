import { expect } from 'chai';
import type { KubeObject, ObjectKey, ResourceType } from '../../../operator/src/kube/resource.ts';
import { Expectations } from '../../../operator/src/runtime/expectations.ts';
import { Store } from '../../../operator/src/runtime/store.ts';
import { watched } from '../../../operator/src/runtime/watched.ts';
import { TestClock } from '../../support/clock.ts';

const podType: ResourceType = { group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };
const owner: ObjectKey = { namespace: 'a', name: 'job' };
const key: ObjectKey = { namespace: 'a', name: 'pod-0' };

function pod(resourceVersion: string, extra: Partial<KubeObject['metadata']> = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { ...key, uid: 'u1', resourceVersion, ...extra } };
}

function newExpectations() {
  const clock = new TestClock();
  const timedOut: string[] = [];
  const store: Store = new Store(watched(podType));
  const expectations = new Expectations({ clock, onTimeout: (name) => timedOut.push(name) });
  store.replace([], '10');
  return { clock, store, expectations, timedOut };
}

describe('expectations', () => {
  it('are met for a key that wrote nothing', () => {
    expect(newExpectations().expectations.met(owner)).to.equal(true);
  });

  it('hold a key until the store shows what was written, or a later version of it', () => {
    for (const shown of ['12', '13', '100']) {
      const { expectations, store } = newExpectations();
      expectations.expect(owner, { kind: 'version', store, key, resourceVersion: '12' });
      expect(expectations.met(owner)).to.equal(false);
      store.put(pod('11'));
      expect(expectations.met(owner), 'an older version').to.equal(false);
      store.put(pod(shown));
      expect(expectations.met(owner)).to.equal(true);
    }
  });

  it('are met by a bookmark beyond the version, since the object may be gone again', () => {
    const { expectations, store } = newExpectations();
    expectations.expect(owner, { kind: 'version', store, key, resourceVersion: '12' });
    store.advance('20');
    expect(expectations.met(owner)).to.equal(true);
  });

  it('hold a key until what was deleted is gone, is going, or has a successor', () => {
    const endings: ((store: Store) => void)[] = [
      (store) => store.remove(key, '12'),
      (store) => store.put(pod('12', { deletionTimestamp: '2026-01-01T00:00:00Z' })),
      (store) => store.put(pod('12', { uid: 'u2' })),
    ];
    for (const end of endings) {
      const { expectations, store } = newExpectations();
      store.put(pod('11'));
      expectations.expect(owner, { kind: 'gone', store, key, uid: 'u1' });
      expect(expectations.met(owner)).to.equal(false);
      end(store);
      expect(expectations.met(owner)).to.equal(true);
    }
  });

  it('name the keys that a change sets free, once all that they wait for is there', () => {
    const { expectations, store } = newExpectations();
    expectations.expect(owner, { kind: 'version', store, key, resourceVersion: '12' });
    expectations.expect(owner, { kind: 'version', store, key, resourceVersion: '14' });
    store.put(pod('12'));
    expect(expectations.wokenBy(store, pod('12'))).to.deep.equal([]);
    store.put(pod('14'));
    expect(expectations.wokenBy(store, pod('14'))).to.deep.equal(['a/job']);
    expect(expectations.met(owner)).to.equal(true);
    expect(expectations.wokenBy(store, pod('14'))).to.deep.equal([]);
  });

  it('give up after five seconds, and say so once', async () => {
    const { expectations, store, clock, timedOut } = newExpectations();
    expectations.expect(owner, { kind: 'version', store, key, resourceVersion: '12' });
    await clock.advance(2_000);
    expect(expectations.waitMs(owner)).to.equal(3_000);
    await clock.advance(3_000);
    expect(expectations.met(owner)).to.equal(true);
    expect(expectations.met(owner)).to.equal(true);
    expect(timedOut).to.deep.equal(['a/job']);
  });
});
