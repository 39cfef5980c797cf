import { expect } from 'chai';
import { assess } from '../../../operator/src/controllers/trainingjob/assess.ts';
import { isOnItsWay, Settling } from '../../../operator/src/controllers/trainingjob/settling.ts';
import type { PodStatus } from '../../../operator/src/domain/pod.ts';
import type { Outcome } from '../../../operator/src/runtime/index.ts';
import { job, now, pod, runningStatus, seen, withRole } from '../../support/builders/training-job.ts';

const done: Outcome = { kind: 'done', writes: 0 };
const key = { namespace: 'team-a', name: 'digits' };

function onItsWay(statuses: readonly PodStatus[], status: Parameters<typeof job>[1] = {}, spec = {}): boolean {
  const object = job({ ...withRole(2), ...spec }, status);
  const observed = seen(object, { pods: statuses.map((each, index) => pod(object, 1, each, { index })) });
  return isOnItsWay(observed, assess(observed, now), done);
}

describe('the status of an attempt on its way', () => {
  const situations: readonly { readonly what: string; readonly pods: readonly PodStatus[]; readonly waits: boolean }[] = [
    { what: 'no pod is there yet', pods: [], waits: true },
    { what: 'pods wait for the scheduler', pods: [{}, {}], waits: true },
    { what: 'one of two pods runs', pods: [runningStatus, {}], waits: true },
    { what: 'all pods run', pods: [runningStatus, runningStatus], waits: false },
    { what: 'the scheduler finds no node', pods: [{ conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }] }, {}], waits: false },
    { what: 'an image cannot be pulled', pods: [{ main: { ready: false, waiting: { reason: 'ErrImagePull' } } }, runningStatus], waits: false },
  ];
  for (const { what, pods, waits } of situations) {
    it(`${waits ? 'may wait while' : 'is told at once when'} ${what}`, () => expect(onItsWay(pods)).to.equal(waits));
  }

  it('is told at once when the job is suspended, goes on after that, or ran before', () => {
    const condition = (type: string) => ({ conditions: [{ type, status: 'True' as const, reason: 'X', message: '', lastTransitionTime: '2026-03-01T12:00:00Z' }] });
    expect(onItsWay([], {}, { suspend: true })).to.equal(false);
    expect(onItsWay([], condition('Suspended'))).to.equal(false);
    expect(onItsWay([runningStatus, {}], condition('Running'))).to.equal(false);
  });

  it('is told at once when an action was refused', () => {
    const observed = seen(job());
    const refused: Outcome = { kind: 'failed', action: { kind: 'Emit', about: { type: { group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true }, name: 'x', uid: 'y' }, event: { type: 'Normal', reason: 'X', action: 'X', note: '' } }, error: new Error('quota') };
    expect(isOnItsWay(observed, assess(observed, now), refused)).to.equal(false);
  });

  it('waits two seconds, is told once, and then waits for twice as long, up to half a minute', () => {
    const settling = new Settling();
    expect(settling.untilMs(key, 'a', 1, now)).to.equal(now + 2000);
    expect(settling.untilMs(key, 'a', 1, now + 1999)).to.equal(now + 2000);
    expect(settling.untilMs(key, 'a', 1, now + 2000)).to.equal(undefined);
    expect(settling.untilMs(key, 'a', 1, now + 2001)).to.equal(now + 6000);
    let time = now + 6000;
    for (let told = 0; told < 10; told += 1) {
      expect(settling.untilMs(key, 'a', 1, time)).to.equal(undefined);
      time = settling.untilMs(key, 'a', 1, time) ?? time;
    }
    expect((settling.untilMs(key, 'a', 1, time - 1) ?? 0) - time).to.equal(0);
    settling.untilMs(key, 'a', 1, time);
    expect(settling.untilMs(key, 'a', 1, time + 1)).to.equal(time + 30_000);
  });

  it('waits for longer while many jobs are on their way, so that all together tell 25 times a second', () => {
    const settling = new Settling();
    const keyOf = (index: number) => ({ namespace: 'team-a', name: `job-${index}` });
    const waits = Array.from({ length: 1000 }, (_, index) => (settling.untilMs(keyOf(index), 'a', 1, now) ?? now) - now);
    expect(waits.slice(0, 50)).to.deep.equal(Array.from({ length: 50 }, () => 2000));
    expect(waits[499]).to.equal(20_000);
    expect(waits[999]).to.equal(30_000);
    // The first set out alone, and there are a thousand by now.
    expect(settling.untilMs(keyOf(0), 'a', 1, now + 2000)).to.equal(now + 30_000);
    for (let index = 1; index < 1000; index++) settling.forget(keyOf(index));
    expect(settling.untilMs(keyOf(0), 'a', 1, now + 29_999)).to.equal(now + 30_000);
    expect(settling.untilMs(keyOf(0), 'a', 1, now + 30_000)).to.equal(undefined);
    expect(settling.untilMs(keyOf(1), 'a', 1, now + 30_000)).to.equal(now + 32_000);
  });

  it('begins anew with another attempt, another job of that name, or a clock that was set back', () => {
    const settling = new Settling();
    settling.untilMs(key, 'a', 1, now);
    expect(settling.untilMs(key, 'a', 2, now + 3000)).to.equal(now + 5000);
    expect(settling.untilMs(key, 'b', 2, now + 9000)).to.equal(now + 11_000);
    expect(settling.untilMs(key, 'b', 2, now)).to.equal(now + 2000);
    settling.forget(key);
    expect(settling.untilMs(key, 'b', 2, now + 5000)).to.equal(now + 7000);
  });
});
