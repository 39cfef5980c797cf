import { expect } from 'chai';
import { Client } from '../../../operator/src/kube/client.ts';
import type { KubeObject } from '../../../operator/src/kube/resource.ts';
import { Reflector } from '../../../operator/src/runtime/reflector.ts';
import { Store } from '../../../operator/src/runtime/store.ts';
import { silentLog } from '../../../operator/src/telemetry/log.ts';
import { createMetrics } from '../../../operator/src/telemetry/metrics.ts';
import { TestClock } from '../../support/clock.ts';
import { eventually } from '../../support/kit/eventually.ts';
import { json, startServer } from '../../support/kit/http-server.ts';
import { children } from '../../support/kit/widgets.ts';

const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'held', namespace: 'a', uid: 'u', resourceVersion: '10' } };
const expired = `${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } })}\n`;

/** The most that full jitter may draw. */
const latest = (): number => 1 - Number.EPSILON;

describe('a store whose server was away for long', () => {
  it('lists anew within a second of the answer that its version is gone', async () => {
    const clock = new TestClock();
    await using server = await startServer({ clock });
    const stepMs = 250;
    let absences = 0;
    const listed: number[] = [];
    const gone: number[] = [];
    server.answer((request, response) => {
      const url = request.url ?? '';
      if (url.includes('sendInitialEvents')) json(422, { kind: 'Status', code: 422, reason: 'Invalid' })(request, response);
      else if (!url.includes('watch=true')) {
        listed.push(clock.monotonic());
        json(200, { metadata: { resourceVersion: '10' }, items: [object] })(request, response);
      } else if (absences < 10) {
        absences += 1;
        response.destroy();
      } else {
        gone.push(clock.monotonic());
        response.end(expired);
      }
    });
    const reflector = new Reflector(new Store(children), { client: new Client(server.transport, { fieldManager: 'test' }), clock, random: latest, log: silentLog, metrics: createMetrics() });
    reflector.start();
    await eventually(async () => {
      await clock.advance(stepMs);
      expect(listed).to.have.length.above(1);
    });
    await reflector.stop();
    expect(absences).to.equal(10);
    expect((listed[1] ?? NaN) - (gone[0] ?? NaN)).to.be.within(0, 1_000 + stepMs);
  });
});

describe('a store whose server answers with older lists', () => {
  it('keeps what it holds however often that happens, and gives in after a minute, since then it is a restored backup', async () => {
    const clock = new TestClock();
    await using server = await startServer({ clock });
    let list: { readonly metadata: object; readonly items: readonly KubeObject[] } = { metadata: { resourceVersion: '10' }, items: [object] };
    let lists = 0;
    server.answer((request, response) => {
      const url = request.url ?? '';
      if (url.includes('sendInitialEvents')) json(422, { kind: 'Status', code: 422, reason: 'Invalid' })(request, response);
      else if (url.includes('watch=true')) response.end(expired);
      else {
        lists += 1;
        json(200, list)(request, response);
      }
    });
    const store: Store = new Store(children);
    const client = new Client(server.transport, { fieldManager: 'test' });
    const reflector = new Reflector(store, { client, clock, random: () => 0, log: silentLog, metrics: createMetrics() });
    reflector.start();
    const step = async (holds: () => void): Promise<void> => eventually(async () => {
      await clock.advance(1);
      holds();
    });
    await step(() => expect(store.size).to.equal(1));
    list = { metadata: { resourceVersion: '5' }, items: [] };
    const before = lists;
    await step(() => expect(lists).to.be.above(before + 10));
    expect(store.size).to.equal(1);
    await clock.advance(60_000);
    await step(() => expect(store.size).to.equal(0));
    await reflector.stop();
  });
});
