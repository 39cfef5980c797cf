import { expect } from 'chai';
import fc from 'fast-check';
import { hashJson, sameJson } from '../../../operator/src/runtime/json.ts';

/** The same value with the fields of every object in another order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).reverse().map(([name, item]) => [name, reversed(item)]));
}

/** No number keys, whose order JavaScript fixes, and no `__proto__`, which is no field. */
const json = fc.jsonValue().filter((value) => !JSON.stringify(value).includes('__proto__'));

describe('JSON, for any value', () => {
  it('equals and hashes the same in any order of its fields', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(sameJson(value, reversed(value))).to.equal(true);
        expect(hashJson(reversed(value))).to.equal(hashJson(value));
      }),
    );
  });

  it('equals another exactly when their text is equal once sorted', () => {
    fc.assert(
      fc.property(json, json, (a, b) => {
        expect(sameJson(a, b)).to.equal(hashJson(a) === hashJson(b));
      }),
    );
  });

  it('takes a field that is undefined for one that is not there', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), json), (value) => {
        expect(sameJson(value, { ...value, 'never before seen': undefined })).to.equal(true);
      }),
    );
  });
});
