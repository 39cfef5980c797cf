import { expect } from 'chai';
import { isGone, isTransportError } from '../../../operator/src/kube/errors.ts';
import type { ResourceType } from '../../../operator/src/kube/resource.ts';
import { watch } from '../../../operator/src/kube/watch.ts';
import type { WatchEvent } from '../../../operator/src/kube/watch.ts';
import { TestClock } from '../../support/clock.ts';
import { eventually } from '../../support/kit/eventually.ts';
import { lines, startServer } from '../../support/kit/http-server.ts';
import type { Answer } from '../../support/kit/http-server.ts';
import { withoutLeaks } from '../../support/leaks.ts';

const podType: ResourceType = { group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };

function event(type: string, name: string, resourceVersion: string): string {
  return `${JSON.stringify({ type, object: { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'a', resourceVersion } } })}\n`;
}

interface Watching {
  readonly events: readonly WatchEvent[];
  readonly error: unknown;
  readonly request: string;
}

/** Watches until the stream ends or fails. */
async function watched(answer: Answer, clock = new TestClock(), whileOpen?: () => Promise<void>, initialEvents = false, serverClock = clock): Promise<Watching> {
  await using server = await startServer({ clock: serverClock });
  server.answer(answer);
  const events: WatchEvent[] = [];
  const signal = new AbortController().signal;
  const reading = (async () => {
    for await (const next of watch(server.transport, podType, { labels: 'a=b', ...(initialEvents ? { initialEvents } : { resourceVersion: '7' }), signal, clock, random: () => 0.5 })) events.push(next);
  })().then(() => undefined, (thrown: unknown) => thrown);
  await eventually(() => expect(server.requests).to.have.length(1));
  await whileOpen?.();
  const error = await reading;
  return { events, error, request: server.requests[0] ?? '' };
}

describe('a watch', () => {
  withoutLeaks();

  it('asks for bookmarks, a random time limit, and the version to go on from', async () => {
    const { request } = await watched(lines().thenEnd);
    expect(request).to.equal('GET /api/v1/pods?watch=true&allowWatchBookmarks=true&timeoutSeconds=450&labelSelector=a%3Db&resourceVersion=7');
  });

  it('gives events in order, however the bytes are cut', async () => {
    const text = event('ADDED', 'é-1', '8') + event('MODIFIED', 'é-1', '9') + event('DELETED', 'é-1', '10');
    const whole = Buffer.from(text);
    const cuts = Array.from({ length: Math.ceil(whole.length / 7) }, (_, index) => whole.subarray(index * 7, index * 7 + 7).toString('latin1'));
    const { events } = await watched((_request, response) => {
      for (const cut of cuts) response.write(Buffer.from(cut, 'latin1'));
      response.end();
    });
    expect(events.map((each) => (each.type === 'BOOKMARK' ? '' : `${each.type} ${each.object.metadata.name} ${each.object.metadata.resourceVersion ?? ''}`)))
      .to.deep.equal(['ADDED é-1 8', 'MODIFIED é-1 9', 'DELETED é-1 10']);
  });

  it('tells a bookmark, and the one that ends what existed before', async () => {
    const bookmark = (resourceVersion: string, annotations?: object) => `${JSON.stringify({ type: 'BOOKMARK', object: { kind: 'Pod', metadata: { resourceVersion, annotations } } })}\n`;
    const { events } = await watched(lines(bookmark('9'), bookmark('10', { 'k8s.io/initial-events-end': 'true' })).thenEnd);
    expect(events).to.deep.equal([
      { type: 'BOOKMARK', resourceVersion: '9', initialEventsEnd: false },
      { type: 'BOOKMARK', resourceVersion: '10', initialEventsEnd: true },
    ]);
  });

  it('fails as gone on an ERROR event with code 410', async () => {
    const status = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version: 7 (90)' };
    const { events, error } = await watched(lines(event('ADDED', 'x', '8'), `${JSON.stringify({ type: 'ERROR', object: status })}\n`));
    expect(events).to.have.length(1);
    expect(isGone(error)).to.equal(true);
  });

  for (const [what, line] of [['cut in half', '{"type":"ADDED","object":{"meta\n'], ['of another shape', '{"hello":1}\n'], ['of an unknown type', event('EXPLODED', 'x', '8')]] as const) {
    it(`fails as garbled on a line ${what}, since an update may be lost`, async () => {
      const { error } = await watched(lines(event('ADDED', 'x', '8'), line));
      expect(isTransportError(error, 'GARBLED')).to.equal(true);
    });
  }

  it('takes a stream that ends inside an event for a lost connection', async () => {
    const { error } = await watched(lines(event('ADDED', 'x', '8'), '{"type":"ADD').thenEnd);
    expect(isTransportError(error, 'CONNECTION_FAILED')).to.equal(true);
  });

  it('drops a stream whose other end has fallen silent', async () => {
    const clock = new TestClock();
    const { error } = await watched(lines(event('ADDED', 'x', '8')), clock, async () => {
      await eventually(() => expect(clock.timers).to.equal(1));
      await clock.advance(80_000);
    });
    expect(isTransportError(error, 'TIMED_OUT')).to.equal(true);
  });

  it('drops it too where the time since the last word rounds to just below the limit', async () => {
    const clock = new TestClock();
    // 251450.056 + 75000 is less than 75000 after 251450.056, in double precision.
    const heard = new TestClock();
    await heard.advance(251_450.056);
    const { error } = await watched(lines(event('ADDED', 'x', '8')), clock, async () => {
      await eventually(() => expect(clock.timers).to.equal(1));
      await clock.advance(400_000);
    }, false, heard);
    expect(isTransportError(error, 'TIMED_OUT')).to.equal(true);
  });

  it('drops one that falls silent before all that exists was sent sooner, since a store is empty until then', async () => {
    const clock = new TestClock();
    const { error } = await watched(lines(event('ADDED', 'x', '8')), clock, async () => {
      await eventually(() => expect(clock.timers).to.equal(1));
      await clock.advance(20_000);
    }, true);
    expect(isTransportError(error, 'TIMED_OUT')).to.equal(true);
  });

  it('waits for the next bookmark once all that exists was sent', async () => {
    const clock = new TestClock();
    const end = `${JSON.stringify({ type: 'BOOKMARK', object: { kind: 'Pod', metadata: { resourceVersion: '9', annotations: { 'k8s.io/initial-events-end': 'true' } } } })}\n`;
    const { error } = await watched((_request, response) => {
      response.write(end);
      void eventually(() => expect(clock.monotonic()).to.equal(60_000)).then(() => response.end());
    }, clock, async () => {
      await eventually(() => expect(clock.timers).to.equal(1));
      await clock.advance(60_000);
    }, true);
    expect(error).to.equal(undefined);
  });
});
