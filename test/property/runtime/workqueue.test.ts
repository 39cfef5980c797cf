import { expect } from 'chai';
import fc from 'fast-check';
import { DelayHeap } from '../../../operator/src/runtime/delay-heap.ts';
import { WorkQueue, priorities } from '../../../operator/src/runtime/workqueue.ts';
import { createMetrics } from '../../../operator/src/telemetry/metrics.ts';
import { TestClock } from '../../support/clock.ts';

const keys = fc.constantFrom('a', 'b', 'c', 'd');
const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('add' as const), key: keys, priority: fc.constantFrom(...priorities) }),
    fc.record({ kind: fc.constant('addAfter' as const), key: keys, ms: fc.integer({ min: 0, max: 5_000 }) }),
    fc.record({ kind: fc.constant('addAt' as const), key: keys, ms: fc.integer({ min: -1_000, max: 5_000 }) }),
    fc.record({ kind: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 3_000 }) }),
    fc.record({ kind: fc.constant('take' as const) }),
    fc.record({ kind: fc.constant('done' as const) }),
  ),
  { maxLength: 60 },
);

describe('the work queue, for any order of calls', () => {
  it('never hands one key to two workers, and loses none', async () => {
    const metrics = createMetrics();
    await fc.assert(
      fc.asyncProperty(steps, async (calls) => {
        const clock = new TestClock();
        const queue = new WorkQueue({ name: 'test', clock, random: () => 0.5, metrics });
        const working: string[] = [];
        /** When each key must be handed out: once for what was added now, once for each kind of delay, whose earliest wins. */
        const owed = { add: new Map<string, number>(), addAfter: new Map<string, number>(), addAt: new Map<string, number>() };
        const ask = (kind: keyof typeof owed, key: string, due: number): void => {
          const held = owed[kind].get(key) ?? Infinity;
          // A delay that is over has put its key among those added now: the next one is another.
          const isOver = held <= clock.monotonic();
          if (isOver) owed.add.set(key, held);
          owed[kind].set(key, isOver ? due : Math.min(due, held));
        };
        const take = async (): Promise<void> => {
          const key = await queue.take();
          if (key === undefined) throw new Error('An open queue handed out nothing');
          expect(working, 'in work already').not.to.include(key);
          const due = Object.values(owed).filter((kind) => (kind.get(key) ?? Infinity) <= clock.monotonic());
          expect(due, `asked for ${key}`).not.to.be.empty;
          for (const kind of due) kind.delete(key);
          working.push(key);
        };
        const finish = (): void => {
          const key = working.shift();
          if (key !== undefined) queue.done(key);
        };
        for (const call of calls) {
          if (call.kind === 'add') queue.add(call.key, call.priority);
          else if (call.kind === 'addAfter') queue.addAfter(call.key, call.ms);
          else if (call.kind === 'addAt') queue.addAt(call.key, clock.now() + call.ms);
          // What is due already is added now, and takes nothing from a later time that is asked for as well.
          const delayMs = 'ms' in call ? Math.max(0, call.ms) : 0;
          if ('key' in call) ask(delayMs === 0 ? 'add' : call.kind, call.key, clock.monotonic() + delayMs);
          if (call.kind === 'advance') await clock.advance(call.ms);
          if (call.kind === 'take' && queue.depth > 0) await take();
          if (call.kind === 'done') finish();
        }
        await clock.advance(20_000);
        for (;;) {
          while (queue.depth > 0) await take();
          if (working.length === 0) break;
          finish();
        }
        for (const kind of Object.values(owed)) expect([...kind.keys()], 'added and never handed out').to.deep.equal([]);
        queue.close();
        expect(clock.timers).to.equal(0);
      }),
    );
  });
});

describe('a delay heap, for any entries', () => {
  it('gives each key once, at the earliest time asked for, in order', () => {
    const entries = fc.array(fc.record({ key: fc.string({ maxLength: 2 }), due: fc.integer({ min: 0, max: 100 }) }));
    fc.assert(
      fc.property(entries, fc.integer({ min: 0, max: 100 }), (added, now) => {
        const heap = new DelayHeap();
        const earliest = new Map<string, number>();
        for (const { key, due } of added) {
          heap.add(key, due);
          earliest.set(key, Math.min(due, earliest.get(key) ?? Infinity));
        }
        const dues = heap.takeDue(now).map((key) => earliest.get(key) ?? Infinity);
        expect(dues).to.deep.equal([...earliest.values()].filter((due) => due <= now).sort((a, b) => a - b));
        expect(heap.size).to.equal([...earliest.values()].filter((due) => due > now).length);
        expect(heap.next ?? Infinity).to.equal(Math.min(...[...earliest.values()].filter((due) => due > now)));
      }),
    );
  });
});
