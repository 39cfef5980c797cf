import { expect } from 'chai';
import { WorkQueue } from '../../../operator/src/runtime/workqueue.ts';
import { createMetrics } from '../../../operator/src/telemetry/metrics.ts';
import { TestClock, settle } from '../../support/clock.ts';

function newQueue(clock = new TestClock()): { readonly queue: WorkQueue; readonly clock: TestClock } {
  return { clock, queue: new WorkQueue({ name: 'test', clock, random: () => 0.5, metrics: createMetrics(), backoff: { baseMs: 100, capMs: 60_000 } }) };
}

async function takeAll(queue: WorkQueue): Promise<string[]> {
  const keys: string[] = [];
  while (queue.depth > 0) {
    const key = await queue.take();
    if (key === undefined) break;
    keys.push(key);
    queue.done(key);
  }
  return keys;
}

describe('the work queue', () => {
  it('holds a key once, however often it is added', async () => {
    const { queue } = newQueue();
    for (let round = 0; round < 5; round += 1) queue.add('a', 'change');
    expect(await takeAll(queue)).to.deep.equal(['a']);
  });

  it('puts what a person edited before what a child did, and both before a resync', async () => {
    const { queue } = newQueue();
    queue.add('resynced', 'resync');
    queue.add('changed', 'change');
    queue.add('edited', 'edit');
    queue.add('resynced', 'resync');
    expect(await takeAll(queue)).to.deep.equal(['edited', 'changed', 'resynced']);
  });

  it('moves a waiting key forward when something more urgent adds it again, never back', async () => {
    const { queue } = newQueue();
    queue.add('a', 'resync');
    queue.add('b', 'change');
    queue.add('a', 'edit');
    queue.add('a', 'resync');
    expect(await takeAll(queue)).to.deep.equal(['a', 'b']);
  });

  it('gives a key that was added during its work to a worker once more, and not before it is done', async () => {
    const { queue } = newQueue();
    queue.add('a', 'change');
    expect(await queue.take()).to.equal('a');
    queue.add('a', 'edit');
    queue.add('a', 'resync');
    expect(queue.depth).to.equal(0);
    queue.done('a');
    expect(await takeAll(queue)).to.deep.equal(['a']);
  });

  it('hands a key to a worker that already waits', async () => {
    const { queue } = newQueue();
    const taken = queue.take();
    queue.add('a', 'change');
    expect(await taken).to.equal('a');
  });

  it('keeps the earliest of several delays', async () => {
    const { queue, clock } = newQueue();
    queue.addAfter('a', 5_000);
    queue.addAfter('a', 1_000);
    queue.addAfter('a', 9_000);
    await clock.advance(999);
    expect(queue.depth).to.equal(0);
    await clock.advance(1);
    expect(await takeAll(queue)).to.deep.equal(['a']);
    await clock.advance(20_000);
    expect(queue.depth).to.equal(0);
    expect(clock.timers).to.equal(0);
  });

  it('backs off further with each failure, until the key is forgotten', () => {
    const { queue } = newQueue();
    expect([1, 2, 3, 4].map(() => queue.addRateLimited('a'))).to.deep.equal([50, 100, 200, 400]);
    queue.forget('a');
    expect(queue.addRateLimited('a')).to.equal(50);
    queue.close();
  });

  it('keeps a backoff within the bounds asked for', () => {
    const { queue } = newQueue();
    for (let failures = 0; failures < 20; failures += 1) queue.addRateLimited('a');
    expect(queue.addRateLimited('a', { atMostMs: 3_000 })).to.equal(1_500);
    expect(queue.addRateLimited('b', { atLeastMs: 7_000 })).to.equal(7_000);
    queue.close();
  });

  it('notices within seconds that the wall clock jumped past a time that was waited for', async () => {
    const { queue, clock } = newQueue();
    queue.addAt('a', clock.now() + 3_600_000);
    clock.jump(3_600_000);
    await clock.advance(10_000);
    expect(await takeAll(queue)).to.deep.equal(['a']);
  });

  it('is not early when the wall clock is set back', async () => {
    const { queue, clock } = newQueue();
    queue.addAt('a', clock.now() + 60_000);
    clock.jump(-3_600_000);
    await clock.advance(120_000);
    expect(queue.depth).to.equal(0);
    await clock.advance(3_600_000);
    expect(await takeAll(queue)).to.deep.equal(['a']);
  });

  it('lets waiting workers go when it is closed, and leaves no timer', async () => {
    const { queue, clock } = newQueue();
    const taken = queue.take();
    queue.addAfter('a', 1_000);
    queue.close();
    expect(await taken).to.equal(undefined);
    queue.add('b', 'edit');
    await settle();
    expect(await queue.take()).to.equal(undefined);
    expect(clock.timers).to.equal(0);
  });
});
