import { expect } from 'chai';
import { balanced } from '../../../trainer-image/src/data/balance.ts';
import { classWeights } from '../../../trainer-image/src/data/class-weights.ts';
import { tuneThresholds } from '../../../trainer-image/src/evaluate/thresholds.ts';
import { epochOrder, gather } from '../../../trainer-image/src/train/batches.ts';
import { createLearner } from '../../../trainer-image/src/train/learner.ts';
import { emptyTally } from '../../../trainer-image/src/train/metrics.ts';
import { payments } from './fraud.ts';
import type { ClassPart } from './fraud.ts';
import { science } from './parity.ts';

const methods = ['None', 'Weights', 'Oversample', 'SMOTE'] as const;
type Method = (typeof methods)[number];
const treatments = ['Weights', 'Oversample', 'SMOTE'] as const;

const target = { task: 'Classification', name: 'class', classes: ['honest', 'fraud'] } as const;
const seeds = [1, 2, 3];
const [rows, share] = [20_000, 0.01];
/** Rows that rare classes have then for each of the frequent one. */
const ratio = 0.1;
const network = { units: [16], batchSize: 500, learningRate: 0.003 };
/** A run that is cut short, and one whose loss has settled. */
const [few, enough] = [20, 60];

interface Trained {
  readonly few: Float32Array;
  readonly enough: Float32Array;
}

/** Probabilities of the test rows. */
function trained(train: ClassPart, test: ClassPart, method: Method, seed: number): Trained {
  const part = method === 'Oversample' || method === 'SMOTE' ? balanced(train, { method, ratio, neighbours: 5, seed }) : train;
  const learner = createLearner({
    model: { preset: 'MLP', units: network.units, activation: 'ReLU', dropout: 0, l2: 0 }, fit: { optimizer: { name: 'Adam', learningRate: network.learningRate }, seed }, target, shape: [train.features.width],
    ...(method === 'Weights' ? { classWeights: [...classWeights('Balanced', target.classes, train.targets)] } : {}),
  });
  const tally = emptyTally(target);
  let step = 0;
  let early = new Float32Array(0);
  for (let epoch = 0; epoch < enough; epoch++) {
    if (epoch === few) early = learner.predict(test).slice();
    const order = epochOrder(part.rows, seed, epoch);
    for (let from = 0; from < part.rows; from += network.batchSize) learner.learn(gather(part, order, from, Math.min(part.rows, from + network.batchSize)), step++, tally, network.learningRate);
  }
  const late = learner.predict(test);
  learner.dispose();
  return { few: early, enough: late };
}

const base64 = ({ buffer, byteOffset, byteLength }: Float32Array | Int32Array): string => Buffer.from(buffer, byteOffset, byteLength).toString('base64');

function floats(text: string): Float32Array {
  const bytes = Buffer.from(text, 'base64');
  return Float32Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(4 * at));
}

/** The same by scikit-learn and imbalanced-learn, trained to the end. */
async function theirs(sets: readonly Set[]): Promise<Record<Method, Float32Array>[]> {
  const answers = await science<Record<Method, string>[]>(`
import base64
from sklearn.neural_network import MLPClassifier
from imblearn.over_sampling import SMOTE, RandomOverSampler
read = lambda text, kind: np.frombuffer(base64.b64decode(text), dtype=kind)
def probabilities(method, X, y, T, seed):
    weights = np.where(y == 1, len(y) / (2 * (y == 1).sum()), len(y) / (2 * (y == 0).sum())) if method == "Weights" else None
    if method == "Oversample": X, y = RandomOverSampler(sampling_strategy=given["ratio"], random_state=seed).fit_resample(X, y)
    if method == "SMOTE": X, y = SMOTE(sampling_strategy=given["ratio"], random_state=seed).fit_resample(X, y)
    net = MLPClassifier(given["units"], alpha=0, batch_size=given["batchSize"], learning_rate_init=given["learningRate"], max_iter=given["epochs"], tol=0, n_iter_no_change=10**6, random_state=seed)
    return base64.b64encode(net.fit(X, y, sample_weight=weights).predict_proba(T).astype(np.float32).tobytes()).decode()
answer([{m: probabilities(m, read(s["X"], np.float32).reshape(len(read(s["y"], np.int32)), -1), read(s["y"], np.int32), read(s["T"], np.float32).reshape(len(read(s["y"], np.int32)), -1), s["seed"]) for m in given["methods"]} for s in given["sets"]])`, {
    ...network, ratio, methods, epochs: enough,
    sets: sets.map(({ seed, train, test }) => ({ seed, X: base64(train.features.range(0, train.rows)), y: base64(train.targets), T: base64(test.features.range(0, test.rows)) })),
  });
  return answers.map(({ None, Weights, Oversample, SMOTE }) => ({ None: floats(None), Weights: floats(Weights), Oversample: floats(Oversample), SMOTE: floats(SMOTE) }));
}

interface Set {
  readonly seed: number;
  readonly train: ClassPart;
  readonly test: ClassPart;
}

interface Told {
  /** Of the class fraud at the threshold 0.5. */
  readonly precision: number;
  readonly recall: number;
  /** With the threshold moved to the precision that training without balancing has at 0.5. */
  readonly recallAtPlainPrecision: number;
  /** Of training without balancing, with its threshold moved to this precision. */
  readonly plainRecall: number;
}

function told(all: Readonly<Record<Method, Float32Array>>, truth: Int32Array): Record<Method, Told> {
  const recallAt = (probabilities: Float32Array, precision: number): number => tuneThresholds({ task: 'Classification', classes: target.classes, probabilities, truth }, { maximise: 'RecallAtPrecision', precision })[0]?.value ?? 0;
  const plain = atHalf(all.None, truth);
  const of = (method: Method): Told => {
    const own = atHalf(all[method], truth);
    return { ...own, recallAtPlainPrecision: recallAt(all[method], plain.precision), plainRecall: recallAt(all.None, own.precision) };
  };
  return { None: of('None'), Weights: of('Weights'), Oversample: of('Oversample'), SMOTE: of('SMOTE') };
}

function atHalf(probabilities: Float32Array, truth: Int32Array): Pick<Told, 'precision' | 'recall'> {
  let [hits, chosen, there] = [0, 0, 0];
  truth.forEach((place, row) => {
    const isChosen = (probabilities[2 * row + 1] ?? NaN) >= 0.5;
    if (isChosen) chosen++;
    if (place === 1) there++;
    if (isChosen && place === 1) hits++;
  });
  return { precision: hits / chosen, recall: hits / there };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function table(results: Readonly<Record<string, readonly Record<Method, Told>[]>>): string {
  const columns = ['precision', 'recall', 'recallAtPlainPrecision', 'plainRecall'] as const;
  const lines = Object.entries(results).flatMap(([who, runs]) => methods.map((method) => [who, method, ...columns.map((column) => mean(runs.map((run) => run[method][column])).toFixed(2))].join(' | ')));
  return [['by', 'method', ...columns].join(' | '), ...lines].join('\n');
}

describe('one fraud among a hundred payments', function suite() {
  this.timeout(300_000);
  let ours: Record<Method, Told>[];
  let short: Record<Method, Told>[];
  let python: Record<Method, Told>[];

  before(async () => {
    const sets = seeds.map((seed): Set => ({ seed, train: payments(rows, share, seed), test: payments(rows, share, seed + 1000) }));
    const all = sets.map(({ seed, train, test }) => {
      const of = (method: Method): Trained => trained(train, test, method, seed);
      return { test, None: of('None'), Weights: of('Weights'), Oversample: of('Oversample'), SMOTE: of('SMOTE') };
    });
    const at = (stage: keyof Trained): Record<Method, Told>[] => all.map(({ test, None, Weights, Oversample, SMOTE }) => told({ None: None[stage], Weights: Weights[stage], Oversample: Oversample[stage], SMOTE: SMOTE[stage] }, test.targets));
    [ours, short] = [at('enough'), at('few')];
    python = (await theirs(sets)).map((each, set) => told(each, sets[set]?.test.targets ?? new Int32Array(0)));
    process.stdout.write(`${table({ [`${enough} epochs`]: ours, [`${few} epochs`]: short, [`scikit-learn, ${enough} epochs`]: python })}\n`);
  });

  for (const method of treatments) {
    it(`is found much more often with ${method} at the threshold 0.5, and so are more that are none`, () => {
      ours.forEach((run) => {
        expect(run[method].recall).to.be.above(run.None.recall + 0.05);
        expect(run[method].precision).to.be.below(run.None.precision - 0.05);
      });
    });

    it(`is found as often without ${method}, where training went on until the loss settled and the threshold is moved`, () => {
      expect(mean(ours.map((run) => run[method].recall - run[method].plainRecall))).to.be.within(-0.05, 0.05);
      // At the precision of training without it, nothing is won.
      expect(mean(ours.map((run) => run[method].recallAtPlainPrecision - run.None.recallAtPlainPrecision))).to.be.below(0.03);
    });

    it(`is found more often at equal precision with ${method} where training is cut short`, () => {
      short.forEach((run) => expect(run[method].recall).to.be.above(run[method].plainRecall));
      expect(mean(short.map((run) => run[method].recall - run[method].plainRecall))).to.be.above(0.05);
    });

    it(`is found as with ${method} of scikit-learn and imbalanced-learn`, () => {
      for (const figure of ['precision', 'recall', 'plainRecall'] as const) expect(mean(ours.map((run) => run[method][figure])), figure).to.be.closeTo(mean(python.map((run) => run[method][figure])), 0.07);
    });
  }
});
