import { expect } from 'chai';
import { halves, relation } from '../../../../trainer-image/src/data/profile/relation.ts';
import type { SampledTarget } from '../../../../trainer-image/src/data/profile/sample.ts';
import { random } from '../../../../trainer-image/src/data/random.ts';
import type { Column } from '../../../../trainer-image/src/data/table.ts';
import { number, text } from '../tables.ts';

const rows = 4000;
const source = random(5, 'test');
const uniform = (): number => source.uint32() / 2 ** 32;
const each = <T>(value: (row: number) => T): T[] => Array.from({ length: rows }, (_, row) => value(row));

const classesOf = (codes: readonly number[]): SampledTarget => ({ task: 'Classification', codes: Int32Array.from(codes), classes: Math.max(...codes) + 1 });
const strength = (column: Column, target: SampledTarget): number => relation(column, target, halves(rows, 0));

describe('how much a column says about the target', () => {
  const balanced = each(() => source.below(2));
  const rare = each(() => (uniform() < 0.01 ? 1 : 0));

  it('is 1 for the target under another name, as text or number, sorted or not', () => {
    expect(strength(text('t', ...balanced.map((code) => (code === 1 ? 'yes' : 'no'))), classesOf(balanced))).to.be.above(0.99);
    expect(strength(number('n', ...balanced.map((code) => code * 3 + uniform())), classesOf(balanced))).to.be.above(0.99);
    const sorted = [...balanced].sort();
    expect(strength(number('n', ...sorted), classesOf(sorted))).to.be.above(0.99);
    const alternating = each((row) => row % 2);
    expect(strength(number('n', ...alternating), classesOf(alternating))).to.be.above(0.99);
  });

  it('is near 1 for a number that separates one row of a hundred', () => {
    expect(strength(number('n', ...rare.map((code) => uniform() + code)), classesOf(rare))).to.be.above(0.9);
  });

  it('is 0 for noise, for an identifier, and for a constant', () => {
    for (const target of [classesOf(balanced), classesOf(rare), { task: 'Regression', values: Float64Array.from(each(uniform)) } as const]) {
      expect(strength(number('n', ...each(uniform)), target)).to.be.below(0.02);
      expect(strength(text('id', ...each((row) => `id ${row}`)), target)).to.be.below(0.02);
      expect(strength(text('t', ...each(() => 'ab'[source.below(2)] ?? '')), target)).to.be.below(0.02);
      expect(strength(number('n', ...each(() => 7)), target)).to.be.below(1e-3);
    }
  });

  it('is what information theory says of a class that is told wrongly one time in ten', () => {
    const wrong = 0.1;
    const told = balanced.map((code) => (uniform() < wrong ? 1 - code : code));
    const entropy = -(wrong * Math.log2(wrong) + (1 - wrong) * Math.log2(1 - wrong));
    expect(strength(text('t', ...told.map(String)), classesOf(balanced))).to.be.closeTo(1 - entropy, 0.05);
    expect(strength(number('n', ...told), classesOf(balanced))).to.be.closeTo(1 - entropy, 0.05);
  });

  it('is the explained share of the variance of a number', () => {
    const values = each(() => 1e6 + uniform());
    const noisy = values.map((value) => value + uniform());
    expect(strength(number('n', ...values.map((value) => -5 * value)), { task: 'Regression', values: Float64Array.from(values) })).to.be.above(0.99);
    expect(strength(number('n', ...values), { task: 'Regression', values: Float64Array.from(noisy) })).to.be.closeTo(0.5, 0.05);
  });

  it('counts it when a value is missing only for one class', () => {
    expect(strength(number('n', ...balanced.map((code) => (code === 1 ? NaN : uniform()))), classesOf(balanced))).to.be.above(0.99);
    expect(strength(text('t', ...balanced.map((code) => (code === 1 ? null : 'ab'[source.below(2)] ?? ''))), classesOf(balanced))).to.be.above(0.99);
  });

  it('is 0 for a target that never changes', () => {
    expect(strength(number('n', ...each(uniform)), { task: 'Regression', values: new Float64Array(rows) })).to.equal(0);
  });
});
