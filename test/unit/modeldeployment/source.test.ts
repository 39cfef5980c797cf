import { expect } from 'chai';
import { sourceOf } from '../../../operator/src/controllers/modeldeployment/source.ts';
import { modelOf, sweep, trainedJob } from '../../support/builders/model-deployment.ts';

describe('the source of a served model', () => {
  it('is the model of a TrainingJob that succeeded', () => {
    expect(sourceOf({ fromTrainingJob: 'digits' }, trainedJob('succeeded'), undefined)).to.deep.equal({ kind: 'Made', model: modelOf(1), trainingJob: 'digits' });
  });

  it('is the model of the best trial of a sweep that succeeded', () => {
    expect(sourceOf({ fromSweep: 'digits' }, undefined, sweep('succeeded'))).to.deep.equal({ kind: 'Made', model: modelOf(1, 'digits-2'), trainingJob: 'digits-2' });
  });

  it('says how far a source is that has not ended', () => {
    expect(sourceOf({ fromTrainingJob: 'digits' }, trainedJob('running'), undefined)).to.include({ kind: 'Pending', message: 'TrainingJob digits has not succeeded yet (40 %).' });
    expect(sourceOf({ fromSweep: 'digits' }, undefined, sweep('running'))).to.include({ kind: 'Pending', message: 'HyperparamSweep digits has not succeeded yet (3/6 trials).' });
  });

  const deleting = trainedJob('succeeded');
  const hopeless = [
    ['is not there', sourceOf({ fromTrainingJob: 'digits' }, undefined, undefined), 'TrainingJobNotFound', 'set spec.model to one that exists'],
    ['is being deleted', sourceOf({ fromTrainingJob: 'digits' }, { ...deleting, metadata: { ...deleting.metadata, deletionTimestamp: '2026-03-01T12:00:00Z' } }, undefined), 'TrainingJobNotFound', ''],
    ['failed', sourceOf({ fromTrainingJob: 'digits' }, trainedJob('failed'), undefined), 'TrainingJobFailed', 'It failed.'],
    ['left no model', sourceOf({ fromTrainingJob: 'digits' }, trainedJob('withoutModel'), undefined), 'TrainingJobHasNoModel', 'spec.trainer'],
    ['is a sweep that is not there', sourceOf({ fromSweep: 'digits' }, undefined, undefined), 'SweepNotFound', ''],
    ['is a sweep that failed', sourceOf({ fromSweep: 'digits' }, undefined, sweep('failed')), 'SweepFailed', 'It is failed.'],
  ] as const;
  it('quotes a job whose model is not known', () => {
    const trained = trainedJob('withoutModel');
    const unknown = { type: 'ModelKnown', status: 'False' as const, reason: 'ResultUnreadable', message: 'Its result cannot be read.', lastTransitionTime: '2026-03-01T12:00:00Z' };
    const of = { ...trained, status: { ...trained.status, conditions: [...(trained.status?.conditions ?? []), unknown] } };
    expect(sourceOf({ fromTrainingJob: 'digits' }, of, undefined)).to.deep.equal({
      kind: 'Missing', reason: 'TrainingJobHasNoModel', message: 'TrainingJob digits succeeded, but its model is not known: Its result cannot be read.',
    });
  });

  it('names the best trial where it has no model', () => {
    const searched = sweep('succeeded');
    const { best } = searched.status ?? {};
    if (best === undefined) throw new Error('There is no best trial.');
    const { model: _none, ...without } = best;
    const source = sourceOf({ fromSweep: 'digits' }, undefined, { ...searched, status: { ...searched.status, best: without } });
    expect(source).to.include({ kind: 'Missing', reason: 'SweepHasNoModel' });
    expect(source.kind === 'Missing' ? source.message : '').to.contain('TrainingJob digits-2, has no model');
  });

  for (const [situation, source, reason, words] of hopeless) {
    it(`says what to do where it ${situation}`, () => {
      expect(source).to.include({ kind: 'Missing', reason });
      expect(source.kind === 'Missing' ? source.message : '').to.contain(words);
    });
  }
});
