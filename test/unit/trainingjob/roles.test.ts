import { expect } from 'chai';
import type { TrainingJobSpec } from '@anneal/operator/api';
import { chiefOf, decidingPlaces, frameworkOf, placeKey, placesOf, restartScopeOf, rolesOf, successPolicyOf } from '../../../operator/src/domain/roles.ts';
import { job, role } from '../../support/builders/training-job.ts';

const spec = (over: Partial<TrainingJobSpec>) => job(over).spec;
const scopes = (of: TrainingJobSpec) => Object.fromEntries(rolesOf(of).map((one) => [one.name, restartScopeOf(of, one)]));

describe('the roles of a job', () => {
  it('are one of that name for the built-in trainer, with the replicas of the spec', () => {
    expect(placesOf(spec({ replicas: 2 })).map(placeKey)).to.deep.equal(['trainer/0', 'trainer/1']);
    expect(frameworkOf(spec({}))).to.equal('TensorFlowJS');
  });

  it('are led by the chief, the master or the launcher, else by worker 0, else by the first pod', () => {
    expect(chiefOf(spec({ roles: [role('worker', 2), role('chief')] }))).to.deep.equal({ role: 'chief', index: 0 });
    expect(chiefOf(spec({ roles: [role('ps'), role('worker', 2)] }))).to.deep.equal({ role: 'worker', index: 0 });
    expect(chiefOf(spec({ roles: [role('actor'), role('learner')] }))).to.deep.equal({ role: 'actor', index: 0 });
  });
});

describe('what a failed pod restarts', () => {
  it('is the gang where all compute together', () => {
    expect(scopes(spec({ framework: 'TensorFlow', roles: [role('chief'), role('worker', 3), role('evaluator')] }))).to.deep.equal({ chief: 'Gang', worker: 'Gang', evaluator: 'Pod' });
    expect(scopes(spec({ framework: 'PyTorch', roles: [role('master'), role('worker', 3)] }))).to.deep.equal({ master: 'Gang', worker: 'Gang' });
    expect(scopes(spec({ roles: [role('worker', 3)] }))).to.deep.equal({ worker: 'Gang' });
  });

  it('is one worker of parameter-server training, and one pod of an elastic role', () => {
    expect(scopes(spec({ framework: 'TensorFlow', roles: [role('chief'), role('ps', 2), role('worker', 3)] }))).to.deep.equal({ chief: 'Gang', ps: 'Gang', worker: 'Pod' });
    expect(scopes(spec({ framework: 'PyTorch', roles: [role('worker', 3, { minReplicas: 2, maxReplicas: 4 })] }))).to.deep.equal({ worker: 'Pod' });
    expect(scopes(spec({ replicas: 2, minReplicas: 1, maxReplicas: 4 }))).to.deep.equal({ trainer: 'Pod' });
  });

  it('is what the role says, where it says anything', () => {
    expect(scopes(spec({ roles: [role('worker', 3, { restartScope: 'Pod' })] }))).to.deep.equal({ worker: 'Pod' });
  });
});

describe('the pods that decide a success', () => {
  const names = (over: Partial<TrainingJobSpec>) => decidingPlaces(spec(over)).map(placeKey);
  const tensorflow = { framework: 'TensorFlow', roles: [role('chief'), role('ps', 2), role('worker', 2), role('evaluator')] } as const;

  it('follow from the framework', () => {
    expect(successPolicyOf(spec({ ...tensorflow, roles: [...tensorflow.roles] }))).to.equal('Chief');
    expect(names({ framework: 'TensorFlow', roles: [role('worker', 2)] })).to.deep.equal(['worker/0']);
    expect(names({ framework: 'MPI', roles: [role('launcher'), role('worker', 2)] })).to.deep.equal(['launcher/0']);
    expect(names({ framework: 'PyTorch', roles: [role('master'), role('worker')] })).to.deep.equal(['master/0', 'worker/0']);
    expect(names({ roles: [role('a'), role('b')] })).to.deep.equal(['a/0', 'b/0']);
  });

  it('follow from successPolicy, where it is set', () => {
    expect(names({ ...tensorflow, roles: [...tensorflow.roles], successPolicy: 'ChiefAndEvaluator' })).to.deep.equal(['chief/0', 'evaluator/0']);
    expect(names({ ...tensorflow, roles: [...tensorflow.roles], successPolicy: 'AllWorkers' })).to.deep.equal(['chief/0', 'worker/0', 'worker/1']);
  });
});
