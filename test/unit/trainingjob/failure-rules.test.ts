import { expect } from 'chai';
import { ruleFor, type FailureRule } from '../../../operator/src/domain/failure-rules.ts';
import type { Failure } from '../../../operator/src/domain/failures.ts';

const failure = (over: Partial<Failure> = {}): Failure => ({ cause: 'ApplicationError', reason: 'Error', message: 'boom', exitCode: 42, timeMs: 0, ...over });
const rule = (when: FailureRule['when']): FailureRule => ({ when, action: 'Fail', excludeNode: false });
const matches = (when: FailureRule['when'], of = failure(), role = 'worker') => ruleFor([rule(when)], role, of) !== undefined;

describe('a rule of the failure policy', () => {
  it('matches by exit code, cause, reason and role', () => {
    expect([matches({ exitCodes: [1, 42] }), matches({ exitCodes: [1] })]).to.deep.equal([true, false]);
    expect([matches({ causes: ['ApplicationError'] }), matches({ causes: ['OutOfMemory'] })]).to.deep.equal([true, false]);
    expect([matches({ reasons: ['Error'] }), matches({ reasons: ['Evicted'] })]).to.deep.equal([true, false]);
    expect([matches({ roles: ['worker'] }), matches({ roles: ['ps'] })]).to.deep.equal([true, false]);
  });

  it('matches by a pattern in the end of the log, even where the trainer said something else', () => {
    const logged = failure({ message: 'The run failed.', log: 'step 7\nuncorrectable ECC error on GPU 3\n' });
    expect([matches({ logPattern: 'uncorrectable ECC error' }, logged), matches({ logPattern: '^uncorrectable' }, logged), matches({ logPattern: '(?m)^uncorrectable' }, logged)]).to.deep.equal([true, false, true]);
  });

  it('needs all that it names', () => {
    expect(matches({ exitCodes: [42], roles: ['ps'] })).to.equal(false);
    expect(matches({ exitCodes: [42], roles: ['worker'], logPattern: 'bo+m' })).to.equal(true);
  });

  it('never matches by exit code what has none', () => {
    const { exitCode: _none, ...without } = failure();
    expect(matches({ exitCodes: [42] }, without)).to.equal(false);
  });

  it('takes time in proportion to the log, whatever the pattern', () => {
    expect(matches({ logPattern: '(a+)+$' }, failure({ log: `${'a'.repeat(4000)}!` }))).to.equal(false);
  });

  it('counts by being the first that matches', () => {
    const first: FailureRule = { when: { exitCodes: [42] }, excludeNode: true };
    expect(ruleFor([rule({ exitCodes: [1] }), first, rule({ exitCodes: [42] })], 'worker', failure())).to.equal(first);
  });
});
