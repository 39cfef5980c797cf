import { expect } from 'chai';
import { serialiseByKey } from '../../../hack/cluster/drivers/serialise.ts';

describe('work by key', () => {
  it('of one key runs in order, of another at once', async () => {
    const serialise = serialiseByKey();
    const order: string[] = [];
    const gate = Promise.withResolvers<undefined>();
    const first = serialise('a', async () => {
      await gate.promise;
      order.push('first of a');
    });
    const second = serialise('a', () => Promise.resolve(order.push('second of a')));
    await serialise('b', () => Promise.resolve(order.push('b')));
    gate.resolve(undefined);
    await Promise.all([first, second]);
    expect(order).to.deep.equal(['b', 'first of a', 'second of a']);
  });

  it('goes on after a failure, which only its own caller sees', async () => {
    const serialise = serialiseByKey();
    const failed = serialise('a', () => Promise.reject(new Error('disk full')));
    const next = serialise('a', () => Promise.resolve('done'));
    expect(await failed.catch((error: unknown) => String(error))).to.equal('Error: disk full');
    expect(await next).to.equal('done');
  });
});
