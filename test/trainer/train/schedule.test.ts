import { expect } from 'chai';
import fc from 'fast-check';
import { askPython } from '../../../hack/python/venv.ts';
import { judgePlateau, learningRateAt, startPlateau } from '../../../trainer-image/src/train/schedule.ts';
import type { PlateauState, ScheduleSpec } from '../../../trainer-image/src/train/schedule.ts';

const program = `
import json, os, sys
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
import keras
S = keras.optimizers.schedules

def rates(one):
    base, spec = float(one['base']), one['spec']
    kind, steps, rate = spec['kind'], spec['decaySteps'], float(spec['rate'])
    if kind == 'Cosine':
        warmup = spec['warmupSteps']
        made = S.CosineDecay(0.0, steps, rate, warmup_target=base, warmup_steps=warmup) if warmup else S.CosineDecay(base, steps, rate)
    else: made = S.ExponentialDecay(base, steps, rate, staircase=kind == 'Step')
    return [float(made(step)) for step in one['steps']]

def plateau(one):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(float(one['base'])), 'mse')
    spec = one['spec']
    callback = keras.callbacks.ReduceLROnPlateau('val_loss', spec['rate'], spec['patience'], min_delta=spec['minDelta'], cooldown=spec['cooldown'], min_lr=spec['minLearningRate'], mode='min')
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

const ratesCase: fc.Arbitrary<RatesCase> = fc.constantFrom('Exponential', 'Step', 'Cosine').chain((kind) => fc.record({
  base: between(1e-4, 1),
  spec: fc.record({ kind: fc.constant(kind), decaySteps: fc.integer({ min: 1, max: 50 }), rate: between(0.01, 0.99), warmupSteps: kind === 'Cosine' ? fc.integer({ min: 0, max: 20 }) : fc.constant(0) }),
  steps: fc.array(fc.nat(90), { minLength: 1, maxLength: 8 }),
}));

const plateauCase: fc.Arbitrary<PlateauCase> = fc.record({
  base: between(1e-4, 1),
  spec: fc.record({
    kind: fc.constant('Plateau' as const), rate: fc.constantFrom(0.1, 0.5), patience: fc.integer({ min: 1, max: 4 }), minDelta: fc.constantFrom(0, 0.01), cooldown: fc.nat(3), minLearningRate: fc.constantFrom(0, 0.001, 0.05),
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
      // Keras computes in float32; a step on a boundary of Step may fall on either side there.
      if (spec.kind === 'Step' && step % (spec.decaySteps ?? 1) === 0) return;
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
    fc.assert(fc.property(fc.constantFrom('Constant', 'Exponential', 'Step', 'Cosine', 'Plateau'), fc.integer({ min: 1, max: 100 }), fc.nat(99), (kind, warmupSteps, step) => {
      const schedule = { kind, warmupSteps } as const;
      if (step < warmupSteps) expect(learningRateAt(0.5, schedule, step)).to.be.closeTo((0.5 * step) / warmupSteps, 1e-12);
      expect(learningRateAt(0.5, schedule, warmupSteps)).to.be.closeTo(0.5, 1e-12);
    }));
  });

  it('are constant when nothing is said', () => {
    expect(learningRateAt(0.25, undefined, 1000)).to.equal(0.25);
  });
});
