import { expect } from 'chai';
import fc from 'fast-check';
import { mostProbable } from '../../../trainer-image/src/evaluate/classification.ts';
import type { ClassPredictions } from '../../../trainer-image/src/evaluate/predictions.ts';
import { decide, tuneThresholds } from '../../../trainer-image/src/evaluate/thresholds.ts';
import type { Objective } from '../../../trainer-image/src/evaluate/thresholds.ts';
import { classPredictions } from './support.ts';

const predictions = fc.record({
  rows: fc.integer({ min: 1, max: 40 }),
  classes: fc.constantFrom(2, 2, 3, 4),
  seed: fc.nat(10_000),
  steps: fc.constantFrom(undefined, 2, 5),
  skill: fc.constantFrom(-1, 0, 1, 4),
  weights: fc.boolean(),
}).map(({ steps, ...options }) => classPredictions({ ...options, ...(steps === undefined ? {} : { steps }) }));

const share = fc.constantFrom(0.1, 0.5, 0.75, 0.9, 1);
const cost = fc.double({ min: 0, max: 10, noNaN: true });
const objectives: fc.Arbitrary<Objective> = fc.oneof(
  fc.constant<Objective>({ maximise: 'F1' }),
  fc.constant<Objective>({ maximise: 'Youden' }),
  share.map((precision): Objective => ({ maximise: 'RecallAtPrecision', precision })),
  share.map((recall): Objective => ({ maximise: 'PrecisionAtRecall', recall })),
  fc.tuple(cost, cost, cost, cost).map(([falsePositive, falseNegative, truePositive, trueNegative]): Objective => ({ maximise: 'Cost', falsePositive, falseNegative, truePositive, trueNegative })),
);

/** The objective's value of "the class from this score on", straight from its definition. */
function valueAt({ classes, probabilities, truth, weights }: ClassPredictions, place: number, threshold: number, objective: Objective): number {
  const sums = { tp: 0, fp: 0, fn: 0, tn: 0 };
  truth.forEach((of, row) => {
    const chosen = (probabilities[row * classes.length + place] ?? NaN) >= threshold;
    sums[of === place ? (chosen ? 'tp' : 'fn') : chosen ? 'fp' : 'tn'] += weights?.[row] ?? 1;
  });
  const { tp, fp, fn, tn } = sums;
  const precision = tp === 0 ? 0 : tp / (tp + fp);
  const recall = tp / (tp + fn);
  switch (objective.maximise) {
    case 'F1': return tp === 0 ? 0 : 2 / (1 / precision + 1 / recall);
    case 'Youden': return recall - fp / (fp + tn);
    case 'RecallAtPrecision': return precision >= objective.precision - 1e-12 ? recall : -Infinity;
    case 'PrecisionAtRecall': return recall >= objective.recall - 1e-12 ? precision : -Infinity;
    case 'Cost': return -(fp * objective.falsePositive + fn * objective.falseNegative + tp * (objective.truePositive ?? 0) + tn * (objective.trueNegative ?? 0)) / (tp + fp + fn + tn);
  }
}

const scoresOf = ({ classes, probabilities, truth }: ClassPredictions, place: number): number[] => Array.from(truth, (_, row) => probabilities[row * classes.length + place] ?? NaN);

describe('a tuned threshold', () => {
  it('is as good as the best of all', () => {
    fc.assert(fc.property(predictions, objectives, (of, objective) => {
      const tuned = tuneThresholds(of, objective);
      for (const place of of.classes.length === 2 ? [1] : of.classes.keys()) {
        const best = Math.max(...[...scoresOf(of, place), 3].map((threshold) => valueAt(of, place, threshold, objective)));
        const found = tuned.find((threshold) => threshold.class === of.classes[place]);
        if (found === undefined) {
          const weight = (which: boolean): number => of.truth.reduce((sum, truth, row) => sum + ((truth === place) === which ? of.weights?.[row] ?? 1 : 0), 0);
          expect(best === -Infinity || weight(true) === 0 || weight(false) === 0).to.be.true;
        } else {
          expect(found.value).to.be.closeTo(best, 1e-9);
          expect(valueAt(of, place, found.threshold, objective)).to.be.closeTo(best, 1e-9);
        }
      }
    }), { numRuns: 500 });
  });

  it('lies between two scores, or beyond all', () => {
    fc.assert(fc.property(predictions, objectives, (of, objective) => {
      for (const { class: name, threshold } of tuneThresholds(of, objective)) {
        const scores = scoresOf(of, of.classes.indexOf(name));
        expect(threshold).to.be.within(0, 2);
        if (threshold > 0) expect(scores).not.to.include(threshold);
        // Not between two neighbours in 32 bits, but well between them.
        const above = Math.min(2, ...scores.filter((score) => score > threshold));
        const below = Math.max(0, ...scores.filter((score) => score < threshold));
        if (above <= 1 && threshold > 0) expect(threshold).to.be.closeTo((above + below) / 2, 1e-9);
      }
    }));
  });

  it('is told for the class that it is for', () => {
    const probabilities = Float32Array.from([0.9, 0.1, 0.7, 0.3, 0.55, 0.45, 0.4, 0.6]);
    const tuned = tuneThresholds({ task: 'Classification', classes: ['ham', 'spam'], probabilities, truth: Int32Array.from([0, 0, 1, 1]) }, { maximise: 'F1' });
    expect(tuned).to.have.length(1);
    expect(tuned[0]).to.deep.include({ class: 'spam', value: 1 });
    expect(tuned[0]?.threshold).to.be.closeTo(0.375, 1e-7);
  });

  it('may be to choose always, or never', () => {
    const of = classPredictions({ rows: 50, skill: 0, seed: 4 });
    const tuned = (objective: Objective): number | undefined => tuneThresholds(of, objective)[0]?.threshold;
    expect(tuned({ maximise: 'Cost', falsePositive: 0, falseNegative: 1 })).to.be.below(Math.min(...scoresOf(of, 1)) + 0.3);
    expect(tuned({ maximise: 'Cost', falsePositive: 1, falseNegative: 0 })).to.be.above(Math.max(...scoresOf(of, 1)));
  });

  it('is none where no decision is good enough', () => {
    const of = classPredictions({ rows: 40, steps: 1, skill: 0, seed: 3 });
    expect(tuneThresholds(of, { maximise: 'RecallAtPrecision', precision: 1 })).to.deep.equal([]);
  });
});

describe('decisions', () => {
  it('are the most probable class without thresholds', () => {
    fc.assert(fc.property(predictions, (of) => {
      expect(decide(of, [])).to.deep.equal(mostProbable(of));
    }));
  });

  it('choose the class of two where it reaches its threshold', () => {
    fc.assert(fc.property(predictions.filter(({ classes }) => classes.length === 2), fc.double({ min: 0, max: 1.1, noNaN: true }), fc.nat(1), (of, threshold, place) => {
      const chosen = decide(of, [{ class: of.classes[place] ?? '', threshold }]);
      scoresOf(of, place).forEach((score, row) => expect(chosen[row] === place).to.equal(score >= threshold));
    }));
  });

  it('choose among more a class that reaches its threshold, where there is one', () => {
    fc.assert(fc.property(predictions.filter(({ classes }) => classes.length > 2), fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 4, maxLength: 4 }), (of, drawn) => {
      const thresholds = of.classes.map((name, place) => ({ class: name, threshold: drawn[place] ?? 0 }));
      const reaches = (row: number, place: number): boolean => (of.probabilities[row * of.classes.length + place] ?? 0) >= (thresholds[place]?.threshold ?? NaN);
      decide(of, thresholds).forEach((chosen, row) => {
        if (of.classes.some((_, place) => reaches(row, place))) expect(reaches(row, chosen)).to.be.true;
      });
    }));
  });
});
