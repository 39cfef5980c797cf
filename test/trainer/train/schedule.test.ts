import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { askPython } from '../../../hack/python/venv.ts';
import { judgePlateau, learningRateAt, startPlateau } from '../../../trainer-image/src/train/schedule.ts';
import type { PlateauState, ScheduleSpec } from '../../../trainer-image/src/train/schedule.ts';
import type { Metrics } from '../../../trainer-image/src/train/metrics.ts';
import { admitted, blobs, folder, succeeded, train, trainerSpec } from '../support.ts';

const program = `
import json, os, sys
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
import keras
S = keras.optimizers.schedules

def rates(one):
    base, spec = float(one['base']), one['spec']
    steps = spec['decaySteps']
    if spec['name'] == 'CosineDecay':
        warmup, alpha = spec['warmupSteps'], spec['alpha']
        made = S.CosineDecay(0.0, steps, alpha, warmup_target=base, warmup_steps=warmup) if warmup else S.CosineDecay(base, steps, alpha)
    else: made = S.ExponentialDecay(base, steps, float(spec['decayRate']), staircase=spec['staircase'])
    return [float(made(step)) for step in one['steps']]

def plateau(one):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(float(one['base'])), 'mse')
    spec = one['spec']
    callback = keras.callbacks.ReduceLROnPlateau('val_loss', spec['factor'], spec['patience'], min_delta=spec['minDelta'], cooldown=spec['cooldown'], min_lr=spec['minLearningRate'], mode='min')
    callback.set_model(model)
    callback.on_train_begin()
    told = []
    for epoch, value in enumerate(one['values']):
        callback.on_epoch_end(epoch, {'val_loss': value})
        told.append(float(model.optimizer.learning_rate))
    return told

asked = json.load(sys.stdin)
print(json.dumps({'rates': [rates(one) for one in asked['rates']], 'plateaus': [plateau(one) for one in asked['plateaus']]}))
`;

interface RatesCase { readonly base: number; readonly spec: ScheduleSpec; readonly steps: readonly number[] }
interface PlateauCase { readonly base: number; readonly spec: ScheduleSpec; readonly values: readonly number[] }

const between = (min: number, max: number) => fc.double({ min, max, noNaN: true });

const decaying = { decaySteps: fc.integer({ min: 1, max: 50 }) };

const ratesCase: fc.Arbitrary<RatesCase> = fc.record({
  base: between(1e-4, 1),
  spec: fc.oneof(
    fc.record({ name: fc.constant('ExponentialDecay' as const), ...decaying, decayRate: between(0.01, 0.99), staircase: fc.boolean() }),
    fc.record({ name: fc.constant('CosineDecay' as const), ...decaying, alpha: between(0, 0.99), warmupSteps: fc.integer({ min: 0, max: 20 }) }),
  ),
  steps: fc.array(fc.nat(90), { minLength: 1, maxLength: 8 }),
});

const plateauCase: fc.Arbitrary<PlateauCase> = fc.record({
  base: between(1e-4, 1),
  spec: fc.record({
    name: fc.constant('ReduceLROnPlateau' as const), factor: fc.constantFrom(0.1, 0.5), patience: fc.integer({ min: 1, max: 4 }), minDelta: fc.constantFrom(0, 0.01), cooldown: fc.nat(3), minLearningRate: fc.constantFrom(0, 0.001, 0.05),
  }),
  // Few different values, so that epochs are often no better.
  values: fc.array(fc.integer({ min: 0, max: 20 }).map((value) => value / 10), { minLength: 1, maxLength: 30 }),
});

describe('schedules of the learning rate', function suite() {
  this.timeout(300_000);
  const [rates, plateaus] = [fc.sample(ratesCase, 60), fc.sample(plateauCase, 60)];
  let theirs: { readonly rates: readonly (readonly number[])[]; readonly plateaus: readonly (readonly number[])[] };

  before(async () => {
    theirs = await askPython('keras', program, { rates, plateaus }) as typeof theirs;
  });

  it('are those of Keras', () => {
    rates.forEach(({ base, spec, steps }, index) => steps.forEach((step, at) => {
      const expected = theirs.rates[index]?.[at] ?? NaN;
      // Keras computes in float32; a step on the edge of a stair may fall on either side there.
      if (spec.staircase === true && step % (spec.decaySteps ?? 1) === 0) return;
      expect(learningRateAt(base, spec, step), JSON.stringify({ base, spec, step })).to.be.closeTo(expected, 1e-5 * base);
    }));
  });

  it('wait for a plateau as Keras does', () => {
    plateaus.forEach(({ base, spec, values }, index) => {
      let state: PlateauState = startPlateau;
      values.forEach((value, epoch) => {
        state = judgePlateau(base, spec, state, { val_loss: value });
        expect(learningRateAt(base, spec, epoch, state), JSON.stringify({ base, spec, values, epoch })).to.be.closeTo(theirs.plateaus[index]?.[epoch] ?? NaN, 1e-5 * base);
      });
    });
  });

  it('warm up evenly, whatever follows', () => {
    fc.assert(fc.property(fc.constantFrom('Constant', 'ExponentialDecay', 'CosineDecay', 'ReduceLROnPlateau'), fc.integer({ min: 1, max: 100 }), fc.nat(99), (name, warmupSteps, step) => {
      const schedule = { name, warmupSteps, decaySteps: 1000 } as const;
      if (step < warmupSteps) expect(learningRateAt(0.5, schedule, step)).to.be.closeTo((0.5 * step) / warmupSteps, 1e-12);
      expect(learningRateAt(0.5, schedule, warmupSteps)).to.be.closeTo(0.5, 1e-12);
    }));
  });

  it('are constant when nothing is said', () => {
    expect(learningRateAt(0.25, undefined, 1000)).to.equal(0.25);
  });
});

describe('a run with a schedule', function suite() {
  this.timeout(60_000);

  /** Loss of each epoch on the validation rows; what differs from one to the next was learnt in it. */
  async function losses(schedule: string): Promise<number[]> {
    await using place = await folder();
    const spec = admitted(`
data:
  source: {uri: "${place.write('rows.csv', blobs(200))}"}
  target: colour
model: {preset: Linear}
fit:
  epochs: 4
  batchSize: 32
  optimizer: {name: SGD, learningRate: 0.1}
  schedule: ${schedule}
`);
    succeeded(await train(spec, place.path));
    const { history } = JSON.parse(readFileSync(path.join(place.path, 'model/metrics.json'), 'utf8')) as { history: Metrics[] };
    return history.map(({ val_loss: loss = NaN }) => loss);
  }

  it('learns as far as the rate lets it', async () => {
    const [first = NaN, ...rest] = await losses('{name: ExponentialDecay, decaySteps: 5, decayRate: 0.000001, staircase: true}');
    for (const loss of rest) expect(loss).to.be.closeTo(first, 1e-6);
    const decaying = await losses('{name: CosineDecay, decaySteps: 1000, alpha: 0.1}');
    decaying.reduce((before, loss) => (expect(loss).to.be.below(before - 1e-3), loss));
    const warming = await losses('{name: Constant, warmupSteps: 1000000}');
    expect(warming[3]).to.be.closeTo(warming[0] ?? NaN, 1e-3);
  });

  it('is slowed down where a metric gets no better', async () => {
    const [first = NaN, second = NaN, ...rest] = await losses('{name: ReduceLROnPlateau, metric: accuracy, factor: 0.000001, patience: 1, minDelta: 1}');
    expect(second).to.be.below(first - 1e-3);
    for (const loss of rest) expect(loss).to.be.closeTo(second, 1e-6);
  });

  it('is refused for a metric of another task', async () => {
    await using place = await folder();
    const spec = trainerSpec({ data: { source: { uri: place.write('rows.csv', blobs(60)) }, target: 'colour' }, model: { preset: 'Linear' }, fit: { schedule: { name: 'ReduceLROnPlateau', metric: 'val_mae' } } });
    expect(await train(spec, place.path)).to.have.nested.property('failure.error').that.includes({ code: 'SPEC_TASK_MISMATCH', at: 'spec.trainer.fit.schedule.metric' });
  });
});
