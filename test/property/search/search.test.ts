import { expect } from 'chai';
import fc from 'fast-check';
import { gridSize } from '../../../operator/src/domain/search/grid.ts';
import { plannedTrials, proposalOf, suggest } from '../../../operator/src/domain/search/suggest.ts';
import { overrideProblem, trialSpec } from '../../../operator/src/domain/search/trial-spec.ts';
import { job } from '../../support/builders/training-job.ts';
import type { Parameter } from '../../support/builders/sweep.ts';

const json = fc.jsonValue({ maxDepth: 2 }).map((value): unknown => JSON.parse(JSON.stringify(value)));
const bounds = (most: number) => fc.tuple(fc.integer({ min: -most, max: most }), fc.nat(most)).map(([min, width]) => ({ min, max: min + width }));

const categorical = fc.uniqueArray(json, { minLength: 1, maxLength: 4, selector: (value) => JSON.stringify(value) }).map((values) => ({ type: 'Categorical' as const, values, scale: 'Linear' as const }));
const int = fc.tuple(bounds(5), fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined })).map(([range, step]) => ({ type: 'Int' as const, ...range, scale: 'Linear' as const, ...(step === undefined ? {} : { step }) }));
const steppedFloat = fc.tuple(bounds(40), fc.integer({ min: 1, max: 30 }), fc.constantFrom(10, 100, 1000)).map(([{ min, max }, step, unit]) => ({
  type: 'Float' as const, min: min / unit, max: max / unit, step: Math.max(step, (max - min) / 4) / unit, scale: 'Linear' as const,
}));
const freeFloat = fc.tuple(fc.double({ min: -1e100, max: 1e100, noNaN: true }), fc.double({ min: -1e100, max: 1e100, noNaN: true })).map(([a, b]) => ({ type: 'Float' as const, min: Math.min(a, b), max: Math.max(a, b), scale: 'Linear' as const }));
const logFloat = fc.tuple(fc.double({ min: 1e-100, max: 1e100, noNaN: true }), fc.double({ min: 1e-100, max: 1e100, noNaN: true })).map(([a, b]) => ({ type: 'Float' as const, min: Math.min(a, b), max: Math.max(a, b), scale: 'Log' as const }));
const logInt = fc.tuple(fc.integer({ min: 1, max: 2 ** 31 }), fc.nat(2 ** 31)).map(([min, width]) => ({ type: 'Int' as const, min, max: min + width, scale: 'Log' as const }));
const wideInt = fc.tuple(fc.maxSafeInteger(), fc.maxSafeInteger()).map(([a, b]) => ({ type: 'Int' as const, min: Math.min(a, b), max: Math.max(a, b), scale: 'Linear' as const }));

const named = (kind: fc.Arbitrary<Omit<Parameter, 'name'>>, most: number): fc.Arbitrary<Parameter[]> =>
  fc.array(kind, { minLength: 1, maxLength: most }).map((list) => list.map((parameter, index) => ({ name: `p${index}`, ...parameter })));
const gridParameters = named(fc.oneof(categorical, int, steppedFloat), 4);
const anyParameters = named(fc.oneof(categorical, int, steppedFloat, freeFloat, logFloat, logInt, wideInt), 5);
const seed = fc.nat(2 ** 31 - 1);

function expectInBounds(parameter: Parameter, value: unknown): void {
  if (parameter.type === 'Categorical') {
    expect(parameter.values?.map((one) => JSON.stringify(one))).to.include(JSON.stringify(value));
    return;
  }
  expect(value).to.be.a('number').and.to.be.within(parameter.min ?? NaN, parameter.max ?? NaN);
  if (parameter.type === 'Int') expect(Number.isSafeInteger(value)).to.equal(true);
  if (parameter.step !== undefined) {
    const steps = ((value as number) - (parameter.min ?? 0)) / parameter.step;
    expect(Math.abs(steps - Math.round(steps))).to.be.below(1e-6);
  }
}

describe('for any parameters and seed, Random', () => {
  const place = fc.nat(10_000);

  it('proposes a value within the bounds of each parameter', () => {
    fc.assert(fc.property(anyParameters, seed, place, (parameters, number, at) => {
      const values = suggest({ parameters, algorithm: { name: 'Random', seed: number } }, at);
      expect(Object.keys(values ?? {})).to.deep.equal(parameters.map(({ name }) => name));
      for (const parameter of parameters) expectInBounds(parameter, values?.[parameter.name]);
    }), { numRuns: 1000 });
  });

  it('proposes the same however often and in whatever order it is asked', () => {
    fc.assert(fc.property(anyParameters, seed, fc.array(place, { maxLength: 8 }), (parameters, number, places) => {
      const search = { parameters, algorithm: { name: 'Random', seed: number } as const };
      const forwards = places.map((at) => suggest(search, at));
      const backwards = places.toReversed().map((at) => suggest(search, at)).reverse();
      expect(backwards).to.deep.equal(forwards);
    }));
  });

  it('keeps the draws of a parameter when others come and go', () => {
    fc.assert(fc.property(anyParameters, seed, place, (parameters, number, at) => {
      const algorithm = { name: 'Random', seed: number } as const;
      const all = suggest({ parameters, algorithm }, at);
      for (const parameter of parameters) expect(suggest({ parameters: [parameter], algorithm }, at)).to.deep.equal({ [parameter.name]: all?.[parameter.name] });
    }));
  });
});

describe('for any parameters, Grid', () => {
  it('covers each combination exactly once, all within their bounds', () => {
    fc.assert(fc.property(gridParameters, (parameters) => {
      const size = gridSize(parameters);
      fc.pre(size <= 2000n);
      const search = { parameters, algorithm: { name: 'Grid', seed: 0 } as const };
      const points = Array.from({ length: Number(size) }, (_, at) => suggest(search, at));
      expect(new Set(points.map((point) => JSON.stringify(point))).size).to.equal(Number(size));
      for (const point of points) for (const parameter of parameters) expectInBounds(parameter, point?.[parameter.name]);
      expect(suggest(search, Number(size))).to.equal(undefined);
    }), { numRuns: 300 });
  });

  it('has as many combinations as the product of the values of each parameter', () => {
    fc.assert(fc.property(gridParameters, (parameters) => {
      expect(gridSize(parameters)).to.equal(parameters.map((one) => gridSize([one])).reduce((product, count) => product * count, 1n));
    }));
  });
});

describe('for any search', () => {
  const algorithm = fc.record({ name: fc.constantFrom('Grid' as const, 'Random' as const), seed }, { requiredKeys: ['name', 'seed'] });
  const firstTrial = fc.constantFrom('Template' as const, 'Sampled' as const, undefined);

  it('more trials change none of the earlier ones, and each planned trial has a proposal', () => {
    fc.assert(fc.property(gridParameters, algorithm, firstTrial, fc.integer({ min: 1, max: 30 }), (parameters, base, first, trials) => {
      const search = { parameters, algorithm: { ...base, ...(first === undefined ? {} : { firstTrial: first }) } };
      const plan = (limit: number) => plannedTrials({ ...search, limits: { trials: limit, parallelism: 1, failures: 0 } });
      const [planned, more] = [plan(trials), plan(trials + 10)];
      expect(planned).to.be.at.most(more as number);
      const proposals = (count: number) => Array.from({ length: count }, (_, trial) => proposalOf(search, trial));
      expect(proposals(more as number).slice(0, planned as number)).to.deep.equal(proposals(planned as number));
      expect(proposals(planned as number)).not.to.include(undefined);
    }));
  });
});

describe('for any values, overrides', () => {
  const values = fc.record({ a: json, b: json });
  const path = fc.array(fc.constantFrom('trainer', 'model', 'fit', 'x', '0', 'roles', '__proto__', 'constructor', 'a.b'), { minLength: 1, maxLength: 4 });
  const written = path.map((segments) => segments.map((segment) => segment.replace('.', '\\.')).join('.'));

  it('put a lone placeholder\'s value where the path says, and nothing anywhere else', () => {
    fc.assert(fc.property(path, values, (segments, parameters) => {
      const text = segments.map((segment) => segment.replace('.', '\\.')).join('.');
      const result = trialSpec(job().spec, { [text]: '${a}' }, parameters);
      if ('problem' in result) return;
      let found: unknown = result.spec;
      for (const segment of segments) found = Object.getOwnPropertyDescriptor(found, segment)?.value;
      expect(found).to.deep.equal(parameters.a);
      const base = trialSpec(job().spec, {}, {});
      const [top = ''] = segments;
      for (const [key, value] of Object.entries('spec' in base ? base.spec : {})) if (key !== top) expect((result.spec as Record<string, unknown>)[key]).to.deep.equal(value);
    }), { numRuns: 500 });
  });

  it('end in a spec or in a sentence, never in an exception', () => {
    const text = fc.oneof(fc.string(), fc.array(fc.constantFrom('${', '}', '$', 'a', 'b', '${a}', '$${'), { maxLength: 6 }).map((pieces) => pieces.join('')));
    fc.assert(fc.property(fc.dictionary(fc.oneof(fc.string(), written), fc.oneof(text, json), { maxKeys: 4 }), values, (overrides, parameters) => {
      const problem = overrideProblem(overrides, [{ name: 'a' }, { name: 'b' }]);
      const result = problem === undefined ? trialSpec(job().spec, overrides, parameters) : { problem };
      if ('problem' in result) expect(result.problem.message).to.match(/^[A-Z].*\.$/s);
      else expect(JSON.stringify(result.spec)).to.be.a('string');
    }), { numRuns: 1000 });
  });
});
