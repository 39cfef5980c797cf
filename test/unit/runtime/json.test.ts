import { expect } from 'chai';
import { sameJson, withoutEmptyMaps } from '../../../operator/src/runtime/json.ts';

describe('a status before it is applied', () => {
  it('loses maps that are empty, at any depth, and nothing else', () => {
    const status = { best: { parameters: {}, trial: 0 }, progress: { metrics: {} }, failures: [], summary: '', seconds: 0, list: [{}] };
    expect(withoutEmptyMaps(status)).to.deep.equal({ best: { trial: 0 }, failures: [], summary: '', seconds: 0, list: [{}] });
  });

  it('is the same as one that never had them', () => {
    expect(sameJson(withoutEmptyMaps({ a: 1, b: {}, c: undefined }), { a: 1 })).to.equal(true);
  });
});
