import { expect } from 'chai';
import { LeaseServer, candidate } from '../../support/kit/lease-server.ts';
import type { Candidate } from '../../support/kit/lease-server.ts';
import { withoutLeaks } from '../../support/leaks.ts';

async function pass(ms: number, ...candidates: readonly Candidate[]): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) for (const each of candidates) await each.clock.advance(100);
}

describe('leader election', () => {
  withoutLeaks();

  it('makes the first candidate the leader, and keeps it', async () => {
    const server = new LeaseServer();
    const [a, b] = [candidate(server, 'a'), candidate(server, 'b')];
    a.leader.start();
    await pass(100, a, b);
    b.leader.start();
    await pass(120_000, a, b);
    expect(a.leader.mayWrite()).to.equal(true);
    expect(b.leader.mayWrite()).to.equal(false);
    await Promise.all([a.release(), b.release()]);
  });

  it('writes times with six digits of fraction, as the API server demands', async () => {
    const server = new LeaseServer();
    const a = candidate(server, 'a');
    a.leader.start();
    await pass(3_000, a);
    expect(server.lease?.spec?.renewTime).to.match(/^2026-01-01T00:00:0\d\.\d{6}Z$/);
    await a.release();
  });

  it('hands over at once when the leader releases', async () => {
    const server = new LeaseServer();
    const [a, b] = [candidate(server, 'a'), candidate(server, 'b')];
    a.leader.start();
    await pass(100, a, b);
    b.leader.start();
    await pass(5_000, a, b);
    await a.release();
    expect(a.leader.mayWrite()).to.equal(false);
    await pass(2_100, a, b);
    expect(b.leader.mayWrite()).to.equal(true);
    await b.release();
  });

  it('lets another take over within 20 s of the leader being frozen, and the thawed one never writes again', async () => {
    const server = new LeaseServer();
    const [a, b] = [candidate(server, 'a'), candidate(server, 'b')];
    let lost = false;
    void a.leader.lost.then(() => {
      lost = true;
    });
    a.leader.start();
    await pass(100, a, b);
    b.leader.start();
    await pass(10_000, a, b);
    for (let frozen = 0; frozen < 20_000; frozen += 100) {
      a.clock.freeze(100);
      await pass(100, b);
      expect(a.leader.mayWrite() && b.leader.mayWrite(), 'two writers').to.equal(false);
    }
    expect(b.leader.mayWrite()).to.equal(true);
    expect(a.leader.mayWrite(), 'the thawed one').to.equal(false);
    await pass(5_000, a, b);
    expect(lost).to.equal(true);
    expect(a.leader.mayWrite()).to.equal(false);
    await Promise.all([a.release(), b.release()]);
  });

  it('stops writing before anyone may take over when the lease cannot be reached', async () => {
    const server = new LeaseServer();
    const a = candidate(server, 'a');
    a.leader.start();
    await pass(5_000, a);
    a.reachable = false;
    await pass(9_000, a);
    await pass(3_000, a);
    expect(a.leader.mayWrite()).to.equal(false);
    await pass(60_000, a);
    a.reachable = true;
    await pass(5_000, a);
    expect(a.lost, 'lost to nobody').to.equal(false);
    expect(a.leader.mayWrite(), 'again when nobody held the lease meanwhile').to.equal(true);
    await a.release();
  });

  it('stays the leader through an outage shorter than its deadline, and tells that it is over', async () => {
    const server = new LeaseServer();
    const a = candidate(server, 'a');
    a.leader.start();
    await pass(4_100, a);
    a.reachable = false;
    await pass(7_000, a);
    expect(a.leader.mayWrite()).to.equal(true);
    a.reachable = true;
    await pass(5_000, a);
    expect(a.leader.mayWrite()).to.equal(true);
    expect(a.outagesOver).to.equal(1);
    await a.release();
  });

  it('goes on when its renewal arrived but the answer was lost', async () => {
    const server = new LeaseServer();
    const a = candidate(server, 'a');
    a.leader.start();
    await pass(1_000, a);
    server.dropReplies = 1;
    await pass(30_000, a);
    expect(server.dropReplies).to.equal(0);
    expect(a.leader.mayWrite()).to.equal(true);
    await a.release();
  });

  it('takes a lease that an earlier process of the same instance left, without waiting', async () => {
    const server = new LeaseServer();
    const killed = candidate(server, 'pod-1');
    killed.leader.start();
    await pass(5_000, killed);
    const restarted = candidate(server, 'pod-1');
    restarted.leader.start();
    await pass(100, restarted);
    expect(restarted.leader.mayWrite()).to.equal(true);
    await pass(3_000, killed, restarted);
    expect(killed.leader.mayWrite(), 'a twin that should be dead').to.equal(false);
    await Promise.all([killed.release(), restarted.release()]);
  });

  it('ends its term when someone steals the lease', async () => {
    const server = new LeaseServer();
    const a = candidate(server, 'a');
    a.leader.start();
    await pass(3_000, a);
    server.steal('thief');
    await pass(2_500, a);
    expect(a.leader.mayWrite()).to.equal(false);
    await a.release();
  });
});
