import { expect } from 'chai';
import { folder, succeeded, train, trainerSpec } from '../support.ts';
import { science } from '../data/parity.ts';

interface DataSet {
  readonly X: readonly (readonly number[])[];
  readonly y: readonly number[];
  /** Mean of scikit-learn's scores over the folds, for each of several seeds that deal the folds and draw the first weights. */
  readonly scores: Readonly<Record<Model, readonly number[]>>;
}

type Model = 'linear' | 'mlp';
type Name = 'digits' | 'wine' | 'breast_cancer' | 'diabetes';

const seeds = 8;
const folds = 5;
const hidden = 24;

/** The same penalty as scikit-learn's C = 1, which stands beside the sum of the losses, and not their mean. */
const penalties = (rows: number): number => 1 / (2 * rows * (1 - 1 / folds));

const program = `
from sklearn import datasets
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.compose import TransformedTargetRegressor
out = {}
for name in ["digits", "wine", "breast_cancer", "diabetes"]:
    X, y = getattr(datasets, "load_" + name)(return_X_y=True)
    classes = name != "diabetes"
    def scores(model):
        means = []
        for seed in range(given["seeds"]):
            cut = (StratifiedKFold if classes else KFold)(given["folds"], shuffle=True, random_state=seed)
            means.append(cross_val_score(make_pipeline(StandardScaler(), model(seed)), X, y, cv=cut, scoring="accuracy" if classes else "r2").mean())
        return means
    mlp = dict(hidden_layer_sizes=(given["hidden"],), alpha=0, learning_rate_init=0.005, batch_size=32, max_iter=20)
    out[name] = {"X": X, "y": y, "scores": {
        "linear": scores(lambda seed: LogisticRegression(C=1, max_iter=5000) if classes else TransformedTargetRegressor(Ridge(alpha=1), transformer=StandardScaler())),
        "mlp": scores(lambda seed: MLPClassifier(random_state=seed, **mlp) if classes else TransformedTargetRegressor(MLPRegressor(random_state=seed, **mlp), transformer=StandardScaler())),
    }}
answer(out)`;

const csvOf = ({ X, y }: DataSet): string => [[...(X[0] ?? []).keys()].map((at) => `x${at}`).join(',') + ',y', ...X.map((row, at) => `${row.join(',')},${y[at] ?? ''}`)].join('\n');

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const deviationOf = (values: readonly number[]): number => Math.sqrt(values.reduce((sum, value) => sum + (value - meanOf(values)) ** 2, 0) / (values.length - 1));

describe('scores of a cross-validation', function suite() {
  this.timeout(600_000);
  let sets: Readonly<Record<Name, DataSet>>;
  before(async () => {
    sets = await science(program, { seeds, folds, hidden });
  });

  const models: Readonly<Record<Model, (rows: number) => object>> = {
    linear: (rows) => ({ model: { preset: 'Linear', l2: penalties(rows) }, fit: { epochs: 60, batchSize: 32, optimizer: { learningRate: 0.005 } } }),
    mlp: () => ({ model: { preset: 'MLP', units: [hidden] }, fit: { epochs: 20, batchSize: 32, optimizer: { learningRate: 0.005 } } }),
  };

  for (const name of ['digits', 'wine', 'breast_cancer', 'diabetes'] as const) {
    for (const model of ['linear', 'mlp'] as const) {
      it(`lie among those of scikit-learn: ${model}, ${name.replace('_', ' ')}`, async () => {
        const { [name]: set } = sets;
        await using place = await folder();
        const spec = trainerSpec({
          data: { source: { uri: place.write('rows.csv', csvOf(set)) }, target: 'y', task: name === 'diabetes' ? 'Regression' : 'Classification', split: { validation: 0, test: 0 }, pipeline: [{ scale: { method: 'Standard' } }] },
          validation: { kFold: folds },
          ...models[model](set.y.length),
        });
        const { metrics } = succeeded(await train(spec, place.path));
        const ours = metrics[name === 'diabetes' ? 'cv_r2' : 'cv_accuracy'] ?? NaN;
        const theirs = set.scores[model];
        // Four deviations of one seed, and a floor where scikit-learn's seeds agree by chance.
        expect(ours, theirs.map((score) => score.toFixed(4)).join(' ')).to.be.closeTo(meanOf(theirs), 4 * deviationOf(theirs) + 0.003);
      });
    }
  }
});
