import { expect } from 'chai';
import fc from 'fast-check';
import { advance, attemptAt, isCompleted, readAttempts, restartGang, restartPlace, wasLaunched, withdraw, writeAttempts, type Attempts } from '../../../operator/src/domain/attempts.ts';
import { formatIndexes, parseIndexes } from '../../../operator/src/domain/index-set.ts';

describe('a set of indexes as text', () => {
  it('reads back as it was', () => {
    fc.assert(fc.property(fc.uniqueArray(fc.nat(300)), (indexes) => {
      expect([...parseIndexes(formatIndexes(indexes))].sort((a, b) => a - b)).to.deep.equal([...indexes].sort((a, b) => a - b));
    }));
  });

  it('joins neighbours', () => expect(formatIndexes([3, 0, 1, 2, 7])).to.equal('0-3,7'));
});

const role = { name: 'worker', replicas: 4 };
const places = Array.from({ length: role.replicas }, (_, index) => ({ role: role.name, index }));
const step = fc.oneof(
  fc.record({ kind: fc.constant('see' as const), there: fc.subarray([0, 1, 2, 3]), done: fc.subarray([0, 1, 2, 3]) }),
  fc.record({ kind: fc.constant('restartGang' as const) }),
  fc.record({ kind: fc.constant('restartPlace' as const), index: fc.nat(3) }),
  fc.record({ kind: fc.constant('withdraw' as const) }),
);

function apply(attempts: Attempts, what: typeof step extends fc.Arbitrary<infer T> ? T : never): Attempts {
  switch (what.kind) {
    case 'see': return advance(attempts, role, (index) => what.there.includes(index), (index) => what.done.includes(index));
    case 'restartGang': return restartGang(attempts);
    case 'restartPlace': return restartPlace(attempts, { role: role.name, index: what.index });
    case 'withdraw': return withdraw(attempts);
  }
}

describe('the attempts of a job, through any history', () => {
  const history = fc.array(step, { maxLength: 30 });

  it('are told whole by the status', () => {
    fc.assert(fc.property(history, (steps) => {
      const attempts = steps.reduce(apply, readAttempts({}));
      const status = { attempt: attempts.newest, gangAttempt: attempts.gang, roles: [{ name: role.name, replicas: role.replicas, ...writeAttempts(attempts, role) }] };
      const back = readAttempts(JSON.parse(JSON.stringify(status)) as typeof status);
      for (const place of places) {
        expect([attemptAt(back, place), wasLaunched(back, place), isCompleted(back, place)]).to.deep.equal([attemptAt(attempts, place), wasLaunched(attempts, place), isCompleted(attempts, place)]);
      }
      expect(back.newest).to.equal(attempts.newest);
    }));
  });

  it('never go back, and give each restart a number that none had before', () => {
    fc.assert(fc.property(history, (steps) => {
      const used = new Set([1]);
      let attempts = readAttempts({});
      for (const what of steps) {
        const before = attempts;
        attempts = apply(attempts, what);
        for (const place of places) expect(attemptAt(attempts, place)).to.be.at.least(attemptAt(before, place));
        if (attempts.newest === before.newest) continue;
        expect(used.has(attempts.newest)).to.equal(false);
        used.add(attempts.newest);
      }
    }));
  });

  it('take a place for launched only once its pod was seen', () => {
    fc.assert(fc.property(history, (steps) => {
      let attempts = readAttempts({});
      const seen = new Set<string>();
      for (const what of steps) {
        if (what.kind === 'see') for (const place of places) if (what.there.includes(place.index) || what.done.includes(place.index)) seen.add(`${place.index}/${attemptAt(attempts, place)}`);
        attempts = apply(attempts, what);
        for (const place of places) {
          if (wasLaunched(attempts, place) && !isCompleted(attempts, place)) expect(seen.has(`${place.index}/${attemptAt(attempts, place)}`), `${place.index}`).to.equal(true);
        }
      }
    }));
  });
});
