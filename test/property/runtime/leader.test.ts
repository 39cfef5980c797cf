import { expect } from 'chai';
import fc from 'fast-check';
import { LeaseServer, candidate } from '../../support/kit/lease-server.ts';
import type { Candidate } from '../../support/kit/lease-server.ts';

const tickMs = 500;

/** What befalls one of two candidates, for so many ticks. */
const trouble = fc.record({
  who: fc.constantFrom(0, 1),
  kind: fc.constantFrom('freeze', 'partition', 'loseReply', 'jumpAhead', 'jumpBack', 'nothing'),
  ticks: fc.integer({ min: 1, max: 70 }),
});

describe('leader election, for any freezes, partitions, lost replies and clock jumps of an hour', () => {
  it('never has two writers, and one again within 20 s of the last trouble', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(trouble, { maxLength: 6 }), async (troubles) => {
        const server = new LeaseServer();
        let candidates = [candidate(server, 'a'), candidate(server, 'b')];
        for (const each of candidates) each.leader.start();
        let pods = 0;
        /** The process of one that lost exits, and another pod takes its place. */
        const successorOf = async (former: Candidate): Promise<Candidate> => {
          await former.release();
          pods += 1;
          const successor = candidate(server, `pod-${pods}`, former.clock);
          successor.leader.start();
          return successor;
        };
        const tick = async (frozen?: number): Promise<void> => {
          for (const [index, each] of candidates.entries()) {
            if (index === frozen) each.clock.freeze(tickMs);
            else await each.clock.advance(tickMs);
          }
          expect(candidates.filter(({ leader }) => leader.mayWrite()).length, 'writers').to.be.at.most(1);
        };
        for (const { who, kind, ticks } of [...troubles, { who: 0, kind: 'nothing', ticks: 20_000 / tickMs }]) {
          const victim = candidates[who];
          if (victim === undefined) continue;
          victim.reachable = kind !== 'partition';
          if (kind === 'loseReply') server.dropReplies = 1;
          if (kind === 'jumpAhead') victim.clock.jump(3_600_000);
          if (kind === 'jumpBack') victim.clock.jump(-3_600_000);
          for (let passed = 0; passed < ticks; passed += 1) await tick(kind === 'freeze' ? who : undefined);
          victim.reachable = true;
          await tick();
          candidates = await Promise.all(candidates.map((each) => (each.lost ? successorOf(each) : Promise.resolve(each))));
        }
        expect(candidates.filter(({ leader }) => leader.mayWrite()).length, 'writers in the end').to.equal(1);
        await Promise.all(candidates.map((each) => each.release()));
      }),
      { numRuns: 60 },
    );
  });
});
