import { expect } from 'chai';
import { Writable } from 'node:stream';
import { createLog, redact } from '../../../operator/src/telemetry/log.ts';

describe('the log', () => {
  it('is one JSON object a line, with the fields that were bound', () => {
    const written: string[] = [];
    const stream = new Writable({
      write: (chunk: Buffer, _encoding, next) => {
        written.push(chunk.toString());
        next();
      },
    });
    const log = createLog('info', stream).with({ controller: 'trainingjob' });
    log.info('Pod created', { key: 'a/x' });
    log.debug('Nothing to see');
    expect(written).to.have.length(1);
    expect(JSON.parse(written[0] ?? '')).to.include({ level: 'info', message: 'Pod created', controller: 'trainingjob', key: 'a/x' });
  });

  it('hides what looks like a credential, wherever it stands', () => {
    expect(redact({ authorization: 'Basic abc', nested: { apiKey: 'k', name: 'x' }, text: 'sent Bearer abc.def-1 to it' })).to.deep.equal({
      authorization: '[redacted]', nested: { apiKey: '[redacted]', name: 'x' }, text: 'sent Bearer [redacted] to it',
    });
    const token = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln';
    expect(JSON.stringify(redact(new Error(`refused ${token}`, { cause: new Error(token) })))).not.to.contain('eyJ');
  });

  it('survives an object that holds itself', () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    expect(() => JSON.stringify(redact(circle))).not.to.throw();
  });
});
