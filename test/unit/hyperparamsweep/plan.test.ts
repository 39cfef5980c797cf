import { expect } from 'chai';
import type { TrainingJob } from '@anneal/operator/api';
import { assess } from '../../../operator/src/controllers/hyperparamsweep/assess.ts';
import type { Observed } from '../../../operator/src/controllers/hyperparamsweep/observe.ts';
import { planSweep } from '../../../operator/src/controllers/hyperparamsweep/plan.ts';
import { fingerprintOf, templateDigests } from '../../../operator/src/domain/search/index.ts';
import { categorical, failedWith, grid, int, runningTrial, seenSweep, succeededWith, sweep, trial, type SweepOptions } from '../../support/builders/sweep.ts';
import { job, now } from '../../support/builders/training-job.ts';

function created(seen: Observed): TrainingJob[] {
  return planSweep(seen, assess(seen)).actions.flatMap((action) => (action.kind === 'Create' ? [action.object as TrainingJob] : []));
}

function names(seen: Observed): string[] {
  return created(seen).map(({ metadata }) => metadata.name);
}

function told(seen: Observed): string[] {
  return planSweep(seen, assess(seen)).actions.flatMap((action) => (action.kind === 'Emit' ? [`${action.event.type} ${action.event.reason}: ${action.event.note}`] : []));
}

function held(options: SweepOptions, jobs: readonly TrainingJob[] = [], template: TrainingJob | 'missing' = job()): string {
  const { stage } = assess(seenSweep(sweep(options), jobs, template));
  return 'reason' in stage ? `${stage.kind} ${stage.reason}: ${stage.message}` : stage.kind;
}

describe('the trials of a sweep', () => {
  it('begin with the template, unchanged but for what belongs to the job alone', () => {
    const template = job({ suspend: true, ttlSecondsAfterFinished: 60, backup: { on: ['Succeeded'] } });
    const [first] = created(seenSweep(sweep(), [], template));
    const { suspend: _suspend, ttlSecondsAfterFinished: _ttl, backup: _backup, ...shared } = template.spec;
    expect(first?.spec).to.deep.equal(shared);
  });

  it('are TrainingJobs with an owner, labels, and their values in an annotation', () => {
    const [, second] = created(seenSweep(sweep({ algorithm: grid, limits: { parallelism: 2 } })));
    expect(second).to.deep.include({ apiVersion: 'anneal.dev/v1alpha1', kind: 'TrainingJob' });
    const { annotations, ...metadata } = second?.metadata ?? { name: '' };
    expect(metadata).to.deep.equal({
      name: 'tune-1',
      namespace: 'team-a',
      labels: { 'app.kubernetes.io/managed-by': 'anneal', 'anneal.dev/sweep': 'tune', 'anneal.dev/trial': '1' },
      ownerReferences: [{ apiVersion: 'anneal.dev/v1alpha1', kind: 'HyperparamSweep', name: 'tune', uid: 'uid-of-tune', controller: true, blockOwnerDeletion: true }],
    });
    expect(annotations?.['anneal.dev/parameters']).to.equal('{"epochs":2}');
    expect(second?.spec.trainer?.fit.epochs).to.equal(2);
  });

  it('are made up to the parallelism, the next numbers first', () => {
    expect(names(seenSweep(sweep({ limits: { parallelism: 3 } })))).to.deep.equal(['tune-0', 'tune-1', 'tune-2']);
    expect(names(seenSweep(sweep({ limits: { parallelism: 3 } }), [trial(0, succeededWith({ val_accuracy: 0.5 })), trial(1, runningTrial)]))).to.deep.equal(['tune-2', 'tune-3']);
    expect(names(seenSweep(sweep({ limits: { parallelism: 1 } }), [trial(0, runningTrial)]))).to.deep.equal([]);
  });

  it('are no more than limits.trials, and no more than a grid has', () => {
    expect(names(seenSweep(sweep({ limits: { parallelism: 9 } })))).to.have.length(6);
    const four = { algorithm: grid, parameters: [categorical('optimizer', 'Adam', 'SGD'), int('units', 1, 2)], limits: { parallelism: 9 } };
    expect(names(seenSweep(sweep(four)))).to.deep.equal(['tune-0', 'tune-1', 'tune-2', 'tune-3']);
  });

  it('are not made again once the status knows them, even if they are gone', () => {
    const seen = seenSweep(sweep({ status: { trials: { outcomes: 'SF.' } } }));
    expect(assess(seen).ledger).to.deep.equal(['S', 'F', 'D']);
    expect(names(seen)).to.deep.equal(['tune-3']);
  });

  it('hold their place while they are being deleted', () => {
    expect(names(seenSweep(sweep(), [trial(0, runningTrial, { deletionTimestamp: '2026-03-01T12:00:00Z' })]))).to.deep.equal([]);
  });

  it('count again as running when a cache that lagged behind shows them after all', () => {
    const seen = seenSweep(sweep({ status: { trials: { outcomes: 'SD' } } }), [trial(1, runningTrial)]);
    expect(assess(seen).ledger).to.deep.equal(['S', '.']);
  });
});

describe('a sweep is held up, and says so in a sentence,', () => {
  it('while its template does not exist', () => {
    expect(held({}, [], 'missing')).to.equal('Waiting TemplateMissing: There is no TrainingJob digits to take the template from; create it, or correct spec.template.fromTrainingJob.');
  });

  it('while an override is wrong, before any trial is made', () => {
    expect(held({ overrides: { 'trainer.fit.epochs': '${epoch}' } })).to.match(/^Blocked UnknownParameter: The override trainer\.fit\.epochs refers to/);
  });

  it('when an override does not fit the template, once a trial would use it', () => {
    const overrides = { 'roles.0.replicas': '${epochs}' };
    expect(held({ overrides })).to.equal('Active');
    expect(held({ overrides }, [trial(0, succeededWith({ val_accuracy: 1 }))])).to.match(/^Blocked NoSuchItem: /);
  });

  it('while a TrainingJob that is not its own has the name of the next trial', () => {
    const stranger = { ...job(), metadata: { ...job().metadata, name: 'tune-1', uid: 'stranger' } };
    expect(held({}, [trial(0, succeededWith({ val_accuracy: 1 })), stranger])).to.equal(
      'Blocked TrialNameTaken: TrainingJob tune-1 exists and does not belong to this sweep. Delete it, or give the sweep another name.',
    );
  });

  it('while a trial of an earlier sweep of its name is still there', () => {
    const remains = trial(0);
    const owner = remains.metadata.ownerReferences?.map((reference) => ({ ...reference, uid: 'uid-of-the-earlier-tune' })) ?? [];
    expect(held({}, [{ ...remains, metadata: { ...remains.metadata, ownerReferences: owner } }])).to.match(/^Blocked TrialNameTaken/);
  });

  it('but makes the trials before a name that is taken', () => {
    const stranger = { ...job(), metadata: { ...job().metadata, name: 'tune-1', uid: 'stranger' } };
    expect(names(seenSweep(sweep({ limits: { parallelism: 3 } }), [stranger]))).to.deep.equal(['tune-0']);
  });

  it('when a grid has more combinations than a sweep can run', () => {
    expect(held({ algorithm: grid, parameters: [int('epochs', 1, 20_000)] })).to.match(/^Blocked TooManyCombinations: The grid has 20000 trials/);
  });

  it('while it is suspended; trials that run go on', () => {
    const seen = seenSweep(sweep({ suspend: true, limits: { parallelism: 2 } }), [trial(0, runningTrial)]);
    expect(assess(seen).stage.kind).to.equal('Suspended');
    expect(planSweep(seen, assess(seen)).actions).to.deep.equal([]);
  });
});

describe('a template that changes while the sweep runs', () => {
  const original = templateDigests(job().spec, sweep().spec.template.overrides);
  const status = { trials: { outcomes: 'S' }, template: { digest: original.template, overridesDigest: original.overrides } };

  it('holds the sweep, since its trials could not be compared', () => {
    expect(held({ status }, [], job({ activeDeadlineSeconds: 60 }))).to.equal(
      'Blocked TemplateChanged: The spec of TrainingJob digits is not what the sweep\'s earlier trials were made from. Put it back, or make a new HyperparamSweep.',
    );
    expect(held({ status, overrides: { 'trainer.fit.epochs': '${epochs}', 'trainer.fit.seed': 1 } })).to.equal(
      'Blocked TemplateChanged: spec.template.overrides is not what the sweep\'s earlier trials were made from. Put it back, or make a new HyperparamSweep.',
    );
  });

  it('holds nothing while it differs only in what trials do not take over', () => {
    expect(held({ status }, [], job({ suspend: true, ttlSecondsAfterFinished: 5 }))).to.equal('Active');
  });

  it('is recognised by a trial itself where a crash kept it from the status', () => {
    const made = trial(0, runningTrial, { annotations: { 'anneal.dev/template': fingerprintOf(original, 'Sampled') } });
    expect(held({ limits: { parallelism: 2 } }, [made])).to.equal('Active');
    expect(held({ limits: { parallelism: 2 } }, [made], job({ activeDeadlineSeconds: 60 }))).to.match(/^Blocked TemplateChanged: The spec of TrainingJob digits/);
  });

  it('may change its overrides as long as only the template itself was tried', () => {
    const first = trial(0, runningTrial, { annotations: { 'anneal.dev/template': fingerprintOf(original, 'Template') } });
    expect(held({ limits: { parallelism: 2 }, overrides: { 'trainer.fit.batchSize': '${epochs}' } }, [first])).to.equal('Active');
  });
});

describe('the end of a sweep', () => {
  const good = (number: number, value: number) => trial(number, succeededWith({ val_accuracy: value }));
  const bad = (number: number) => trial(number, failedWith('OutOfMemory', 'It used more than 1Gi.'));

  it('is success once all trials have ended and one of them has a value', () => {
    expect(held({ limits: { trials: 2 } }, [good(0, 0.5), bad(1)])).to.equal('Succeeded');
    expect(held({ limits: { trials: 2 } }, [good(0, 0.5), trial(1)])).to.equal('Active');
  });

  it('is failure when none has a value', () => {
    expect(held({ limits: { trials: 2 } }, [trial(0, succeededWith({ loss: 1 })), bad(1)])).to.equal('Failed NoTrialSucceeded: None of the 2 trials ended well with a value of val_accuracy.');
  });

  it('is failure when more fail than limits.failures allows, once those that run have ended', () => {
    expect(held({ limits: { failures: 1, parallelism: 3 } }, [bad(0), bad(1), trial(2, runningTrial)])).to.equal('Stopping TooManyFailedTrials: 2 trials failed, and limits.failures allows 1.');
    expect(held({ limits: { failures: 1, parallelism: 3 } }, [bad(0), bad(1), good(2, 1)])).to.equal('Failed TooManyFailedTrials: 2 trials failed, and limits.failures allows 1.');
    expect(held({ limits: { failures: 2, parallelism: 3 } }, [bad(0), bad(1), good(2, 1)])).to.equal('Active');
  });

  it('comes as soon as limits.trials is lowered to what has ended', () => {
    expect(held({ limits: { trials: 1 } }, [good(0, 0.5), good(1, 0.7)])).to.equal('Succeeded');
  });

  it('is for good: nothing is made or told after it', () => {
    const ended = { conditions: [{ type: 'Succeeded', status: 'True' as const, reason: 'Succeeded', message: '', lastTransitionTime: new Date(now).toISOString() }] };
    const seen = seenSweep(sweep({ status: ended, limits: { trials: 9 } }));
    expect(planSweep(seen, assess(seen)).actions).to.deep.equal([]);
  });
});

describe('the events of a sweep', () => {
  it('tell of a better trial, once', () => {
    const jobs = [trial(0, succeededWith({ val_accuracy: 0.912345 })), trial(1, runningTrial)];
    const sentence = 'Normal BestImproved: Trial tune-0 is the best so far: val_accuracy 0.9123.';
    expect(told(seenSweep(sweep(), jobs))).to.deep.equal([sentence]);
    expect(told(seenSweep(sweep({ status: { best: { trial: 0, trainingJob: 'tune-0', value: 0.912345 } } }), jobs))).to.deep.equal([]);
  });

  it('tell why a trial failed, once', () => {
    const jobs = [trial(0, failedWith('OutOfMemory', 'It used more than 1Gi.')), trial(1, succeededWith({ loss: 0.1, accuracy: 1 }))];
    expect(told(seenSweep(sweep(), jobs))).to.deep.equal([
      'Warning TrialFailed: tune-0 failed (OutOfMemory): It used more than 1Gi.',
      'Warning TrialFailed: tune-1 ended without a finite value of val_accuracy; it reported loss, accuracy.',
    ]);
    expect(told(seenSweep(sweep({ status: { trials: { outcomes: 'FM' } } }), jobs))).to.deep.equal([]);
    expect(told(seenSweep(sweep({ status: { trials: { outcomes: '.' } } })))).to.deep.equal(['Warning TrialFailed: tune-0 was deleted before its end.']);
  });

  it('tell how it ended', () => {
    expect(told(seenSweep(sweep({ limits: { trials: 1 } }), [trial(0, succeededWith({ val_accuracy: 0.5 }))])).at(-1)).to.equal(
      'Normal Succeeded: Trial tune-0 is the best of 1: val_accuracy is 0.5.',
    );
  });
});
