import { expect } from 'chai';
import fc from 'fast-check';
import { askPython } from '../../../hack/python/venv.ts';
import { classWeightsOf } from '../../../trainer-image/src/train/class-weights.ts';
import { codeOf } from '../support.ts';

const program = `
import json, sys
import numpy as np
from sklearn.utils.class_weight import compute_class_weight
print(json.dumps([list(compute_class_weight('balanced', classes=np.arange(one['classes']), y=np.array(one['codes']))) for one in json.load(sys.stdin)]))
`;

const codesCase = fc.integer({ min: 2, max: 6 }).chain((classes) => fc.record({
  classes: fc.constant(classes),
  // Each class at least once.
  codes: fc.array(fc.nat(classes - 1), { maxLength: 50 }).map((codes) => [...codes, ...Array.from({ length: classes }, (_, place) => place)]),
}));

describe('weights of classes', () => {
  it('are balanced as scikit-learn balances them', async function suite() {
    this.timeout(300_000);
    const cases = fc.sample(codesCase, 30);
    const theirs = await askPython('science', program, cases) as number[][];
    cases.forEach(({ classes, codes }, index) => {
      const names = Array.from({ length: classes }, (_, place) => String(place));
      classWeightsOf('Balanced', names, Int32Array.from(codes)).forEach((weight, place) => expect(weight).to.be.closeTo(theirs[index]?.[place] ?? NaN, 1e-12));
    });
  });

  it('are taken by name, and 1 where none is given', () => {
    expect(classWeightsOf({ b: 3, c: 0 }, ['a', 'b', 'c'], Int32Array.of(0))).to.deep.equal([1, 3, 0]);
  });

  it('are refused for what is no class', async () => {
    expect(await codeOf(() => classWeightsOf({ d: 3 }, ['a', 'b'], Int32Array.of(0)))).to.include({ code: 'SPEC_CONFLICT', at: 'spec.trainer.fit.classWeights', message: 'There is no class "d"; there are "a", "b". Write one of them.' });
  });
});
