import { expect } from 'chai';
import type { TrainingJob } from '@anneal/operator/api';
import { assess } from '../../../operator/src/controllers/hyperparamsweep/assess.ts';
import type { Observed, SweepStatus } from '../../../operator/src/controllers/hyperparamsweep/observe.ts';
import { announceRefusal, planSweep } from '../../../operator/src/controllers/hyperparamsweep/plan.ts';
import { refusalIn } from '../../../operator/src/controllers/hyperparamsweep/refusal.ts';
import { statusOf } from '../../../operator/src/controllers/hyperparamsweep/status.ts';
import { ApiError } from '../../../operator/src/kube/errors.ts';
import type { Outcome } from '../../../operator/src/runtime/index.ts';
import { failedWith, grid, random, runningTrial, seenSweep, succeededWith, sweep, trial } from '../../support/builders/sweep.ts';
import { now } from '../../support/builders/training-job.ts';

function reported(seen: Observed, outcome: Outcome = { kind: 'done', writes: 0 }): SweepStatus {
  return statusOf(seen, assess(seen), outcome, now);
}

function condition(status: SweepStatus, type: string): string | undefined {
  const found = status.conditions?.find((one) => one.type === type);
  return found === undefined ? undefined : `${found.status} ${found.reason}: ${found.message}`;
}

const good = (number: number, value: number): TrainingJob => trial(number, succeededWith({ val_accuracy: value }));

describe('the status of a sweep', () => {
  it('counts the trials, and says it in a few words', () => {
    const status = reported(seenSweep(sweep({ limits: { parallelism: 2 } }), [good(0, 0.5), trial(1, failedWith('OutOfMemory', 'Too big.')), trial(2, runningTrial)]));
    expect(status.trials).to.deep.equal({ summary: '2/6 done, 1 running, 1 failed', planned: 6, created: 3, running: 1, succeeded: 1, failed: 1, outcomes: 'SF.' });
  });

  it('names the best trial with its value, its parameters and its model', () => {
    const seen = seenSweep(sweep({ algorithm: grid }), [good(0, 0.5), good(1, 0.98765), good(2, 0.98765)]);
    expect(reported(seen).best).to.deep.equal({
      trial: 1, trainingJob: 'tune-1', value: 0.98765, summary: 'val_accuracy 0.9877', parameters: { epochs: 2 }, model: succeededWith({ val_accuracy: 0.98765 }).model,
    });
  });

  it('takes the smallest value where the objective says Minimize', () => {
    expect(reported(seenSweep(sweep({ direction: 'Minimize' }), [good(0, 0.5), good(1, 0.2), good(2, 0.3)])).best?.trial).to.equal(1);
  });

  it('takes the last reported metrics where the model has none', () => {
    const roles = trial(0, { ...succeededWith({}), progress: { metrics: { val_accuracy: 0.7 } } });
    expect(reported(seenSweep(sweep(), [roles])).best?.value).to.equal(0.7);
  });

  it('takes no value that is not a finite number', () => {
    const status = reported(seenSweep(sweep(), [good(0, NaN), good(1, Infinity), good(2, 0.1)]));
    expect([status.trials?.outcomes, status.best?.trial]).to.deep.equal(['MMS', 2]);
  });

  it('keeps the best although its TrainingJob was deleted', () => {
    const best = { trial: 0, trainingJob: 'tune-0', value: 0.9, summary: 'val_accuracy 0.9', parameters: {} };
    expect(reported(seenSweep(sweep({ status: { best, trials: { outcomes: 'S' } } }), [good(1, 0.8)])).best).to.deep.equal(best);
  });

  it('forecasts by the mean duration and the rounds that are left', () => {
    expect(reported(seenSweep(sweep({ limits: { trials: 6, parallelism: 2 } }), [good(0, 0.5), trial(1)])).remainingSeconds).to.equal(300);
    expect(reported(seenSweep(sweep(), [trial(0)]))).not.to.have.property('remainingSeconds');
    expect(reported(seenSweep(sweep({ suspend: true }), [good(0, 0.5)]))).not.to.have.property('remainingSeconds');
  });

  it('says when it began and when it ended', () => {
    const status = reported(seenSweep(sweep({ limits: { trials: 1 } }), [good(0, 0.5)]));
    expect([status.startTime, status.completionTime]).to.deep.equal(['2026-03-01T12:00:00Z', '2026-03-01T12:00:00Z']);
    expect(status).not.to.have.property('remainingSeconds');
  });

  it('has no condition without a sentence', () => {
    const situations = [[], [trial(0)], [trial(0, runningTrial)], [good(0, 1), trial(1, failedWith('', ''))]];
    for (const jobs of situations) {
      for (const suspend of [false, true]) {
        for (const one of reported(seenSweep(sweep({ suspend }), jobs)).conditions ?? []) expect(`${one.type}: ${one.message}`).to.match(/: .*\S/);
      }
    }
  });
});

describe('the conditions of a sweep', () => {
  it('are Unknown until a trial runs, and say what it waits for', () => {
    expect(condition(reported(seenSweep(sweep())), 'Ready')).to.equal('Unknown Starting: Trials are being made.');
    const waiting = trial(0, { conditions: [{ type: 'Ready', status: 'Unknown', reason: 'Unschedulable', message: 'Pod tune-0 has no node.', lastTransitionTime: '' }] });
    expect(condition(reported(seenSweep(sweep(), [waiting])), 'Ready')).to.equal('Unknown Unschedulable: TrainingJob tune-0 does not run yet: Pod tune-0 has no node.');
  });

  it('are True while trials run', () => {
    const status = reported(seenSweep(sweep(), [trial(0, runningTrial)]));
    expect([condition(status, 'Ready'), condition(status, 'Running')]).to.deep.equal(['True Running: 1 trial runs.', 'True Running: 1 trial runs.']);
  });

  it('tell which trials failed and why, the newest three', () => {
    const jobs = [0, 1, 2].map((number) => trial(number, failedWith('OutOfMemory', `${number} was too big.`)));
    const status = reported(seenSweep(sweep({ limits: { failures: 9 }, status: { trials: { outcomes: 'FFF.' } } }), jobs));
    expect(condition(status, 'TrialsHealthy')).to.equal(
      'False SomeFailed: 4 trials failed; one more than 9 ends the sweep. The newest: tune-1 failed (OutOfMemory): 1 was too big. tune-2 failed (OutOfMemory): 2 was too big. tune-3 was deleted before its end.',
    );
    expect(condition(reported(seenSweep(sweep(), [trial(0)])), 'TrialsHealthy')).to.equal('True NoneFailed: No trial failed.');
  });

  it('say that the sweep is on its way to fail, and then that it failed', () => {
    const bad = (number: number) => trial(number, failedWith('OutOfMemory', 'Too big.'));
    const stopping = reported(seenSweep(sweep({ limits: { failures: 0 } }), [bad(0), trial(1, runningTrial)]));
    expect(condition(stopping, 'Ready')).to.equal('False TooManyFailedTrials: 1 trial failed, and limits.failures allows 0. No more are made; the sweep ends with the 1 that still run.');
    expect(condition(stopping, 'Failed')).to.equal(undefined);
    const failed = reported(seenSweep(sweep({ limits: { failures: 0 } }), [bad(0)]));
    expect(condition(failed, 'Failed')).to.match(/^True TooManyFailedTrials/);
    expect(condition(failed, 'Ready')).to.match(/^False TooManyFailedTrials/);
  });

  it('remember a suspension', () => {
    const suspended = reported(seenSweep(sweep({ suspend: true }), [trial(0)]));
    expect(condition(suspended, 'Suspended')).to.equal('True Suspended: spec.suspend is true.');
    expect(condition(suspended, 'Ready')).to.match(/^Unknown Suspended/);
    expect(condition(reported(seenSweep(sweep({ status: suspended }), [trial(0)])), 'Suspended')).to.equal('False Resumed: The sweep went on.');
  });

  it('stay as they are after the end', () => {
    const first = reported(seenSweep(sweep({ limits: { trials: 1 } }), [good(0, 0.5)]));
    expect(reported(seenSweep(sweep({ limits: { trials: 1 }, status: first })))).to.deep.equal(first);
  });
});

describe('a trial that the API server refuses', () => {
  const error = new ApiError('POST', 422, { reason: 'Invalid', message: 'TrainingJob "tune-1" is invalid: spec.trainer.fit.epochs: must be at most 5' });

  function refused(seen: Observed, place: number): Outcome {
    const action = planSweep(seen, assess(seen)).actions.filter(({ kind }) => kind === 'Create')[place];
    if (action === undefined) throw new Error('There is no such create.');
    return { kind: 'failed', action, error };
  }

  const options = { algorithm: { ...random, firstTrial: 'Sampled' as const } };

  it('shows the server\'s own sentence, and is not asked for again', () => {
    const seen = seenSweep(sweep(options));
    const status = reported(seen, refused(seen, 0));
    expect(condition(status, 'Ready')).to.equal('False TrialRefused: The API server refused TrainingJob tune-0: TrainingJob "tune-1" is invalid: spec.trainer.fit.epochs: must be at most 5');
    expect(status.trials?.outcomes).to.equal('');
    const again = seenSweep(sweep({ ...options, status }));
    expect(planSweep(again, assess(again)).actions).to.deep.equal([]);
    expect([condition(reported(again), 'Ready'), reported(again).refusal]).to.deep.equal([condition(status, 'Ready'), status.refusal]);
  });

  it('is asked for again when the sweep is edited', () => {
    const seen = seenSweep(sweep(options));
    const status = reported(seen, refused(seen, 0));
    const edited = sweep({ ...options, status });
    const again = seenSweep({ ...edited, metadata: { ...edited.metadata, generation: 2 } });
    expect(assess(again).stage.kind).to.equal('Active');
  });

  it('holds the sweep as long as no values were accepted, even if the template was', () => {
    const seen = seenSweep(sweep({ limits: { parallelism: 2 } }));
    const status = reported(seen, refused(seen, 1));
    expect(status.refusal?.trial).to.equal(1);
    expect(condition(status, 'Ready')).to.match(/^False TrialRefused/);
  });

  it('counts as failed once other values were accepted, and the sweep goes on with the next', () => {
    const seen = seenSweep(sweep({ ...options, limits: { parallelism: 3 } }));
    const status = reported(seen, refused(seen, 1));
    expect(status.trials).to.deep.include({ outcomes: '.R', created: 2, running: 1, failed: 1 });
    expect(condition(status, 'TrialsHealthy')).to.equal('False SomeFailed: 1 trial failed; one more than 3 ends the sweep. tune-1 was refused by the API server: TrainingJob "tune-1" is invalid: spec.trainer.fit.epochs: must be at most 5');
    const again = seenSweep(sweep({ ...options, limits: { parallelism: 3 }, status }), [trial(0, runningTrial)]);
    expect(planSweep(again, assess(again)).actions.map((action) => action.kind === 'Create' && action.object.metadata.name)).to.deep.equal(['tune-2', 'tune-3']);
  });

  it('is told by one event', () => {
    const seen = seenSweep(sweep(options));
    const outcome = refused(seen, 0);
    const events = announceRefusal(seen, refusalIn(outcome, seen, assess(seen)));
    expect(events.map((action) => action.kind === 'Emit' && action.event.note)).to.deep.equal(['The API server refused TrainingJob tune-0: TrainingJob "tune-1" is invalid: spec.trainer.fit.epochs: must be at most 5']);
    const known = seenSweep(sweep({ ...options, status: reported(seen, outcome) }));
    expect(announceRefusal(known, refusalIn(outcome, seen, assess(seen)))).to.deep.equal([]);
  });

  for (const message of [
    'admission webhook "validate.kyverno.svc" denied the request: every job needs the label cost-center',
    'trainingjobs.anneal.dev "tune-0" is forbidden: ValidatingAdmissionPolicy \'cost\' with binding \'cost\' denied request: every job needs the label cost-center',
  ]) {
    it(`is tried again where a policy of the cluster said no, since no edit of the sweep tells when that changes: ${message.split(' ', 2).join(' ')}`, () => {
      const seen = seenSweep(sweep(options));
      const status = reported(seen, { ...refused(seen, 0), error: new ApiError('POST', 400, { message }) } as Outcome);
      expect(condition(status, 'Ready')).to.equal(`False CreateFailed: POST was refused with 400 BadRequest: ${message}`);
      expect(status).not.to.have.any.keys('refusal', 'observedGeneration');
      const again = seenSweep(sweep({ ...options, status }));
      expect(planSweep(again, assess(again)).actions.map(({ kind }) => kind)).to.include('Create');
    });
  }

  it('is another matter than an API server that is away: that is told and tried again', () => {
    const seen = seenSweep(sweep(options));
    const [action] = planSweep(seen, assess(seen)).actions;
    if (action === undefined) throw new Error('A trial is to be created.');
    const status = reported(seen, { kind: 'failed', action, error: new ApiError('POST', 503, {}) });
    expect(condition(status, 'Ready')).to.equal('False CreateFailed: POST was refused with 503 ServiceUnavailable');
    expect(status).not.to.have.any.keys('refusal', 'observedGeneration');
  });
});
