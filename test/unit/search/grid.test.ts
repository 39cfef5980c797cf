import { expect } from 'chai';
import { gridPoint, gridSize } from '../../../operator/src/domain/search/grid.ts';
import { plannedTrials, proposalOf } from '../../../operator/src/domain/search/suggest.ts';
import { categorical, float, grid, int, random } from '../../support/builders/sweep.ts';

function points(...parameters: Parameters<typeof gridPoint>[0]): unknown[] {
  return Array.from({ length: Number(gridSize(parameters)) }, (_, place) => gridPoint(parameters, place));
}

describe('a grid', () => {
  it('goes through its combinations like nested loops, the last parameter fastest', () => {
    expect(points(categorical('optimizer', 'Adam', 'SGD'), int('units', 1, 3))).to.deep.equal([
      { optimizer: 'Adam', units: 1 }, { optimizer: 'Adam', units: 2 }, { optimizer: 'Adam', units: 3 },
      { optimizer: 'SGD', units: 1 }, { optimizer: 'SGD', units: 2 }, { optimizer: 'SGD', units: 3 },
    ]);
  });

  it('writes decimal steps as a person would', () => {
    expect(points(float('dropout', 0, 0.3, { step: 0.1 }))).to.deep.equal([0, 0.1, 0.2, 0.3].map((dropout) => ({ dropout })));
    expect(points(float('rate', 1e-7, 5e-7, { step: 2e-7 }))).to.deep.equal([1e-7, 3e-7, 5e-7].map((rate) => ({ rate })));
    expect(points(float('shift', -0.2, 0.1, { step: 0.1 }))).to.deep.equal([-0.2, -0.1, 0, 0.1].map((shift) => ({ shift })));
  });

  it('ends with the last step that does not pass max', () => {
    expect(points(int('units', 8, 30, { step: 8 }))).to.deep.equal([8, 16, 24].map((units) => ({ units })));
    expect(points(float('dropout', 0, 0.5, { step: 0.2 }))).to.deep.equal([0, 0.2, 0.4].map((dropout) => ({ dropout })));
  });

  it('takes whole JSON values of a Categorical', () => {
    expect(points(categorical('units', [64], [64, 32], { a: false }))).to.deep.equal([{ units: [64] }, { units: [64, 32] }, { units: { a: false } }]);
  });

  it('has no combination after its last', () => {
    const parameters = [int('units', 1, 3)];
    expect(gridPoint(parameters, 2)).to.deep.equal({ units: 3 });
    expect(gridPoint(parameters, 3)).to.equal(undefined);
  });

  it('knows its size even where no number of ours could count it', () => {
    const wide = Array.from({ length: 32 }, (_, index) => int(`p${index}`, 0, 2 ** 53 - 1));
    expect(gridSize(wide)).to.equal(2n ** (53n * 32n));
    expect(gridPoint(wide, 1)).to.include({ p0: 0, p31: 1 });
  });
});

describe('the number of trials', () => {
  const six = { parameters: [categorical('optimizer', 'Adam', 'SGD'), int('units', 1, 3)], algorithm: grid };
  const limits = { parallelism: 1, failures: 0 };

  it('is the size of the grid, or less where limits.trials says so', () => {
    expect(plannedTrials({ ...six, limits })).to.equal(6);
    expect(plannedTrials({ ...six, limits: { ...limits, trials: 4 } })).to.equal(4);
    expect(plannedTrials({ ...six, limits: { ...limits, trials: 40 } })).to.equal(6);
  });

  it('counts the template where a grid begins with it', () => {
    const search = { ...six, algorithm: { ...grid, firstTrial: 'Template' } as const };
    expect(plannedTrials({ ...search, limits })).to.equal(7);
    expect(proposalOf(search, 0)).to.deep.equal({ kind: 'Template' });
    expect(proposalOf(search, 1)).to.deep.equal({ kind: 'Sampled', values: { optimizer: 'Adam', units: 1 } });
    expect(proposalOf(search, 6)).to.deep.equal({ kind: 'Sampled', values: { optimizer: 'SGD', units: 3 } });
    expect(proposalOf(search, 7)).to.equal(undefined);
  });

  it('is not cut short silently where the grid has more than a sweep can run', () => {
    const huge = { parameters: [int('a', 1, 200), int('b', 1, 200)], algorithm: grid };
    expect(plannedTrials({ ...huge, limits })).to.deep.equal({
      problem: 'The grid has 40000 trials, and a sweep runs at most 10000. Set limits.trials, or use larger steps.',
    });
    expect(plannedTrials({ ...huge, limits: { ...limits, trials: 5 } })).to.equal(5);
  });

  it('is limits.trials for Random, however few values there are', () => {
    expect(plannedTrials({ parameters: [categorical('a', 1)], algorithm: random, limits: { ...limits, trials: 6 } })).to.equal(6);
  });
});

describe('the first trial', () => {
  it('is the template for Random, unless it is to be sampled', () => {
    const parameters = [int('units', 1, 1000)];
    expect(proposalOf({ parameters, algorithm: random }, 0)).to.deep.equal({ kind: 'Template' });
    const sampled = { parameters, algorithm: { ...random, firstTrial: 'Sampled' } as const };
    expect(proposalOf(sampled, 0)).to.deep.equal(proposalOf({ parameters, algorithm: random }, 1));
  });

  it('is the first combination for Grid, unless it is to be the template', () => {
    expect(proposalOf({ parameters: [int('units', 1, 3)], algorithm: grid }, 0)).to.deep.equal({ kind: 'Sampled', values: { units: 1 } });
  });
});
