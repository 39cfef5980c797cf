import { expect } from 'chai';
import fc from 'fast-check';
import { podRequests, resourceList, sum, times } from '../../../operator/src/domain/scheduling/pod-requests.ts';
import { quantityOf, thousandths } from '../../../operator/src/domain/scheduling/quantity.ts';

describe('a quantity', () => {
  const cases: readonly (readonly [string | number, string])[] = [
    ['1', '1'], [2, '2'], ['500m', '500m'], ['1500m', '1500m'], ['0.1', '100m'], ['2Gi', '2147483648'], ['1.5Gi', '1610612736'], ['1e3', '1000'], ['1E', '1000000000000000000'],
    ['12E2', '1200'], ['1e-3', '1m'], ['100n', '1m'], ['.5', '500m'], ['5k', '5000'],
  ];
  for (const [text, expected] of cases) {
    it(`${text} is ${expected}`, () => expect(quantityOf(thousandths(text) ?? -1n)).to.equal(expected));
  }

  it('is nothing else', () => {
    for (const text of ['', 'one', '1 Gi', '-', '1KI', 'm', '.']) expect(thousandths(text), text).to.equal(undefined);
  });

  it('is read as it was written', () => {
    fc.assert(fc.property(fc.bigInt({ min: 0n, max: 10n ** 24n }), (amount) => {
      expect(thousandths(quantityOf(amount))).to.equal(amount);
    }));
  });
});

describe('the requests of a pod', () => {
  const container = (requests: object, more: object = {}) => ({ name: 'c', image: 'i', resources: { requests: requests as Record<string, string>, ...more } });

  it('are those of its containers, or of an init container that needs more, and its overhead', () => {
    const requests = podRequests({
      initContainers: [container({ cpu: '3', memory: '1Mi' }), { ...container({ cpu: '250m' }), restartPolicy: 'Always' }],
      containers: [container({ cpu: '500m', memory: '1Gi' }), container({}, { limits: { 'nvidia.com/gpu': 2 } })],
      overhead: { cpu: '10m' },
    });
    expect(resourceList(requests)).to.deep.equal({ cpu: '3010m', memory: '1073741824', 'nvidia.com/gpu': '2' });
  });

  it('are summed over pods', () => {
    const one = podRequests({ containers: [container({ cpu: '250m' })] });
    expect(resourceList(sum([times(one, 3), one]))).to.deep.equal({ cpu: '1' });
  });
});
