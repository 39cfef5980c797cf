import { expect } from 'chai';
import { ApiError, isTransportError } from '../../../operator/src/kube/errors.ts';
import type { TransportCode, TransportError } from '../../../operator/src/kube/errors.ts';
import { TestClock } from '../../support/clock.ts';
import { hang, hangInBody, json, reset, startServer } from '../../support/kit/http-server.ts';
import { eventually } from '../../support/kit/eventually.ts';
import { withoutLeaks } from '../../support/leaks.ts';

const read = { method: 'GET', path: '/api/v1/pods' } as const;
const write = { method: 'POST', path: '/api/v1/namespaces/a/pods', body: { kind: 'Pod' } } as const;

async function failure(run: Promise<unknown>): Promise<Error> {
  try {
    await run;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('The request did not fail');
}

async function transportFailure(run: Promise<unknown>, code: TransportCode): Promise<TransportError> {
  const error = await failure(run);
  if (!isTransportError(error, code)) throw error;
  return error;
}

async function refusal(run: Promise<unknown>): Promise<ApiError> {
  const error = await failure(run);
  if (!(error instanceof ApiError)) throw error;
  return error;
}

describe('the transport', () => {
  withoutLeaks();

  it('keeps connections and uses them again', async () => {
    await using server = await startServer();
    for (let round = 0; round < 20; round += 1) await server.transport.json(read);
    expect(server.connections).to.be.at.most(2);
    expect(server.requests).to.have.length(20);
  });

  it('opens no more connections for many requests at once than its pool holds', async () => {
    await using server = await startServer();
    await Promise.all(Array.from({ length: 100 }, () => server.transport.json(read)));
    expect(server.connections).to.be.at.most(12);
  });

  it('gives the lease a connection that a full pool does not delay', async () => {
    await using server = await startServer();
    server.answer(...Array.from({ length: 12 }, () => hang), json(200, { lease: true }));
    const stuck = Array.from({ length: 12 }, () => server.transport.json({ ...read, retries: 0 }).catch(() => undefined));
    await eventually(() => expect(server.requests).to.have.length(12));
    expect(await server.transport.json({ method: 'GET', path: '/lease', lane: 'lease' })).to.deep.equal({ lease: true });
    await server.transport.close();
    await Promise.all(stuck);
  });

  it('says in one sentence what was refused and why', async () => {
    await using server = await startServer();
    server.answer(json(404, { kind: 'Status', reason: 'NotFound', message: 'pods "x" not found', details: { name: 'x' } }));
    const error = await refusal(server.transport.json({ method: 'GET', path: '/api/v1/namespaces/a/pods/x', query: { limit: 1 } }));
    expect(error.message).to.equal('GET /api/v1/namespaces/a/pods/x was refused with 404 NotFound: pods "x" not found');
    expect(error.details.name).to.equal('x');
  });

  it('shows the text of a refusal that is not from the API server', async () => {
    await using server = await startServer();
    server.answer((_request, response) => response.writeHead(403).end('blocked by the company proxy'));
    expect((await failure(server.transport.json(read))).message).to.contain('403 Forbidden: blocked by the company proxy');
  });

  describe('when the server asks for patience', () => {
    for (const request of [read, write]) {
      it(`repeats a ${request.method} after 429, not before Retry-After`, async () => {
        const clock = new TestClock();
        await using server = await startServer({ clock });
        server.answer(json(429, {}, { 'retry-after': '2' }), json(200, { ok: 1 }));
        const answer = server.transport.json(request);
        // The wait for the next try, and not the limit of the one that is under way.
        await eventually(() => expect(clock.nextDue).to.be.within(2_000, 2_200));
        await clock.advance(1_999);
        expect(server.requests).to.have.length(1);
        await clock.advance(300);
        expect(await answer).to.deep.equal({ ok: 1 });
      });
    }

    it('repeats a write after 503 only when Retry-After says that nothing was done', async () => {
      await using server = await startServer();
      server.answer(json(503, {}, { 'retry-after': '0' }), json(201, {}));
      await server.transport.json(write);
      server.answer(json(503, {}), json(201, {}));
      expect((await failure(server.transport.json(write))).message).to.contain('503');
      expect(server.requests).to.have.length(3);
    });

    it('leaves a long wait to the caller', async () => {
      await using server = await startServer();
      server.answer(json(429, {}, { 'retry-after': '60' }));
      const error = await refusal(server.transport.json(read));
      expect(error.retryAfterMs).to.equal(60_000);
      expect(server.requests).to.have.length(1);
    });
  });

  describe('when a request is lost', () => {
    it('repeats a read', async () => {
      await using server = await startServer();
      server.answer(reset, json(500, {}), json(200, { ok: 1 }));
      expect(await server.transport.json(read)).to.deep.equal({ ok: 1 });
    });

    it('does not repeat a write that may have been done', async () => {
      await using server = await startServer();
      server.answer(reset, json(201, {}));
      const error = await transportFailure(server.transport.json(write), 'CONNECTION_FAILED');
      expect(error.sent).to.equal(true);
      expect(server.requests).to.have.length(1);
    });

    it('knows that a write to a server that is not there was never sent', async () => {
      const server = await startServer();
      const { url } = server;
      await server[Symbol.asyncDispose]();
      await using other = await startServer({ authority: () => ({ server: url, credentials: () => Promise.resolve({ headers: {}, tls: {} }), refused: () => undefined }) });
      const error = await transportFailure(other.transport.json({ ...write, retries: 1 }), 'CONNECTION_FAILED');
      expect(error.sent).to.equal(false);
    });

    for (const [where, answer] of [['before the head', hang], ['in the body', hangInBody]] as const) {
      it(`drops a connection that hangs ${where}, and reads again on another`, async () => {
        const clock = new TestClock();
        await using server = await startServer({ clock });
        server.answer(answer, json(200, { ok: 1 }));
        const reply = server.transport.json(read);
        await eventually(() => expect(server.requests).to.have.length(1));
        await clock.advance(5_000);
        await eventually(() => expect(clock.timers).to.equal(1));
        await clock.advance(1_000);
        expect(await reply).to.deep.equal({ ok: 1 });
        expect(server.connections).to.equal(2);
      });
    }

    it('drops what was silent during an outage when told that it is over', async () => {
      const clock = new TestClock();
      await using server = await startServer({ clock });
      server.answer(hang);
      const reply = transportFailure(server.transport.json(write), 'CONNECTION_FAILED');
      await eventually(() => expect(server.requests).to.have.length(1));
      clock.freeze(2_000);
      server.transport.dropSilent();
      await reply;
    });

    it('calls an answer that is not JSON garbled', async () => {
      await using server = await startServer();
      server.answer((_request, response) => response.end('<html>'));
      await transportFailure(server.transport.json({ ...read, retries: 0 }), 'GARBLED');
    });
  });

  describe('the write gate', () => {
    it('keeps a request off the wire', async () => {
      await using server = await startServer();
      const error = await transportFailure(server.transport.json({ ...write, maySend: () => false }), 'NOT_LEADER');
      expect(error.sent).to.equal(false);
      expect(server.requests).to.be.empty;
    });

    it('is asked when a connection is free, not when the request was made', async () => {
      await using server = await startServer();
      let leader = true;
      const held: (() => void)[] = [];
      server.answer((_request, response) => held.push(() => response.end('{}')));
      const ahead = Array.from({ length: 12 }, () => server.transport.json(write));
      await eventually(() => expect(held).to.have.length(12));
      const queued = transportFailure(server.transport.json({ ...write, maySend: () => leader }), 'NOT_LEADER');
      leader = false;
      for (const release of held) release();
      await Promise.all([queued, ...ahead]);
      expect(server.requests).to.have.length(12);
    });
  });

  it('gives up at once when asked', async () => {
    await using server = await startServer();
    server.answer(hang);
    const stop = new AbortController();
    const reply = transportFailure(server.transport.json({ ...read, signal: stop.signal }), 'ABORTED');
    await eventually(() => expect(server.requests).to.have.length(1));
    stop.abort();
    await reply;
  });

  it('proves itself anew, once, after 401', async () => {
    let generation = 1;
    let refusals = 0;
    await using server = await startServer({
      authority: (url) => ({
        server: url,
        credentials: () => Promise.resolve({ headers: { authorization: `Bearer ${generation}` }, tls: {} }),
        refused: () => {
          refusals += 1;
          generation += 1;
        },
      }),
    });
    const tokens: (string | undefined)[] = [];
    const demand = (code: number) => (request: Parameters<typeof hang>[0], response: Parameters<typeof hang>[1]) => {
      tokens.push(request.headers.authorization);
      json(code, {})(request, response);
    };
    server.answer(demand(401), demand(200));
    await server.transport.json(write);
    expect(tokens).to.deep.equal(['Bearer 1', 'Bearer 2']);
    server.answer(demand(401), demand(401), demand(200));
    expect((await refusal(server.transport.json(write))).code).to.equal(401);
    expect(refusals).to.equal(2);
  });
});
