import { expect } from 'chai';
import { podName } from '../../../operator/src/api/index.ts';
import type { KubeObject } from '../../../operator/src/kube/resource.ts';
import type { RecordedWrite } from '../../support/faultproxy.ts';
import { writesWithoutLease } from '../../support/faults/leadership.ts';
import { comparable, countsOf, differences } from '../../support/faults/outcome.ts';
import { scheduleOf } from '../../support/faults/schedule.ts';

function owner(name: string, uid: string): KubeObject {
  return { apiVersion: 'anneal.dev/v1alpha1', kind: 'TrainingJob', metadata: { name, namespace: `cell-${uid}`, uid } };
}

function left(name: string, uid: string, exitCode = 0): ReturnType<typeof comparable> {
  const object = owner(name, uid);
  const status = { phase: 'Succeeded', startTime: `2026-03-01T12:00:0${name.length}Z`, exitCode };
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: podName({ name, uid }, 'worker', 0, 1), uid: crypto.randomUUID(), resourceVersion: uid }, spec: { nodeName: `fault-node-1-${uid}` }, status };
  return comparable(object, [object, pod]);
}

function write(method: string, path: string, at: number, over: { readonly body?: unknown; readonly code?: number } = {}): RecordedWrite {
  return { method, path, query: new URLSearchParams(), userAgent: '', isWatch: false, isWrite: true, at, body: over.body, code: over.code ?? 200 };
}

const lease = (holderIdentity: string, at: number): RecordedWrite => write('PUT', '/apis/coordination.k8s.io/v1/namespaces/a/leases/anneal-operator', at, { body: { spec: { holderIdentity } } });
const pods = '/api/v1/namespaces/a/pods';

describe('the oracles of fault runs', () => {
  it('hold two runs for equal that differ in names, UIDs, times and nodes', () => {
    expect(differences({ objects: left('gang-1', 'a1b2'), counts: {} }, { objects: left('gang-27', 'c3d4'), counts: {} })).to.deep.equal([]);
  });

  it('tell where another field differs, and another count', () => {
    const [field, count, ...others] = differences({ objects: left('gang-1', 'a1b2'), counts: { 'create pods': 1 } }, { objects: left('gang-2', 'c3d4', 1), counts: { 'create pods': 2 } });
    expect(field).to.match(/Pod NAME-worker-0-1-HASH > status > exitCode should be 0 and is 1\./);
    expect(count).to.match(/create pods should be 1 and is 2/);
    expect(others).to.deep.equal([]);
  });

  it('count what was created and deleted, not what was refused or never arrived', () => {
    const writes = [write('POST', pods, 1, { code: 201 }), write('POST', pods, 2, { code: 409 }), write('POST', pods, 3, { code: 0 }), write('DELETE', `${pods}/x`, 4), write('PATCH', `${pods}/x`, 5)];
    expect(countsOf(writes, [])).to.deep.equal({ 'create pods': 1, 'delete pods': 1 });
  });

  it('find a write of an operator while another held the lease', () => {
    const first = [lease('first_1', 1), write('POST', pods, 2, { code: 201 }), write('POST', pods, 12, { code: 201 })];
    const second = [lease('second_1', 10), write('POST', pods, 11, { code: 201 })];
    expect(writesWithoutLease([first, second])).to.have.length(1);
    expect(writesWithoutLease([first.slice(0, 2), second])).to.deep.equal([]);
    expect(writesWithoutLease([[lease('first_1', 1), lease('', 2), write('POST', pods, 3)], []])).to.have.length(1);
  });
});

describe('a schedule of faults', () => {
  it('is the same for the same seed, and mostly another for another', () => {
    const seeds = Array.from({ length: 200 }, (_, seed) => seed);
    const described = seeds.map((seed) => JSON.stringify({ ...scheduleOf(seed, [6, 17, 20]), name: '' }));
    expect(seeds.map((seed) => JSON.stringify({ ...scheduleOf(seed, [6, 17, 20]), name: '' }))).to.deep.equal(described);
    expect(new Set(described).size).to.be.above(190);
  });

  it('has trouble in it, at writes that the story comes to', () => {
    for (let seed = 0; seed < 200; seed += 1) {
      const { scenario, disturbances } = scheduleOf(seed, [6, 17, 20]);
      expect(disturbances).not.to.be.empty;
      for (const { atWrite } of disturbances) expect(atWrite).to.be.within(1, [6, 17, 20][scenario] ?? 0);
    }
  });
});
