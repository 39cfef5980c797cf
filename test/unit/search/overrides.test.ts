import { expect } from 'chai';
import { templateDigests } from '../../../operator/src/domain/search/digest.ts';
import { overrideProblem, trialBase, trialSpec } from '../../../operator/src/domain/search/trial-spec.ts';
import { job, withRole } from '../../support/builders/training-job.ts';

const template = job().spec;

function made(overrides: Record<string, unknown>, values: Record<string, unknown> = {}, spec = template): Record<string, unknown> {
  const result = trialSpec(spec, overrides, values);
  if ('problem' in result) throw new Error(result.problem.message);
  return result.spec as Record<string, unknown>;
}

function refused(overrides: Record<string, unknown>, ...parameters: string[]): string | undefined {
  const problem = overrideProblem(overrides, parameters.map((name) => ({ name })));
  return problem === undefined ? undefined : `${problem.code}: ${problem.message}`;
}

function refusedByTemplate(overrides: Record<string, unknown>, spec = template): string {
  const result = trialSpec(spec, overrides, {});
  return 'problem' in result ? `${result.problem.code}: ${result.problem.message}` : 'made';
}

describe('an override', () => {
  it('sets a field by its path, and makes the objects on the way', () => {
    expect(made({ 'trainer.fit.optimizer.learningRate': 0.01 })).to.have.deep.nested.property('trainer.fit', { epochs: 5, optimizer: { learningRate: 0.01 } });
  });

  it('leaves the template as it is', () => {
    const before = JSON.stringify(template);
    made({ 'trainer.fit.epochs': 9, 'trainer.model': { preset: 'CNN' } });
    expect(JSON.stringify(template)).to.equal(before);
  });

  it('reaches items of lists by their number', () => {
    const spec = job(withRole(2)).spec;
    expect(made({ 'roles.0.replicas': '${n}', 'roles.0.template.spec.containers.0.args': ['--rate=${rate}'] }, { n: 4, rate: 0.1 }, spec)).to.have.deep.nested.property('roles[0]', {
      name: 'worker', replicas: 4, template: { spec: { containers: [{ name: 'main', image: 'example.com/work:1', args: ['--rate=0.1'] }] } },
    });
  });

  it('reaches keys with dots by a backslash', () => {
    expect(made({ 'pod.nodeSelector.example\\.com/zone': 'a' })).to.have.deep.property('pod', { nodeSelector: { 'example.com/zone': 'a' } });
  });

  it('cannot touch what every object inherits', () => {
    const spec = made({ '__proto__.polluted': true, 'trainer.constructor.prototype.polluted': true });
    expect(Object.keys(spec)).to.include('__proto__');
    expect({}).not.to.have.property('polluted');
  });
});

describe('a placeholder', () => {
  it('alone takes the value with its type', () => {
    expect(made({ 'trainer.a': '${p}' }, { p: 0.5 })).to.have.nested.property('trainer.a', 0.5);
    expect(made({ 'trainer.a': '${p}' }, { p: [64, 32] })).to.have.deep.nested.property('trainer.a', [64, 32]);
    expect(made({ 'trainer.a': '${p}' }, { p: false })).to.have.nested.property('trainer.a', false);
  });

  it('within a text becomes part of it', () => {
    expect(made({ 'trainer.a': 'rate-${p}/${q}' }, { p: 0.5, q: 'x' })).to.have.nested.property('trainer.a', 'rate-0.5/x');
    expect(made({ 'trainer.a': '${p}${p}' }, { p: 1 })).to.have.nested.property('trainer.a', '11');
    expect(made({ 'trainer.a': 'v=${p}' }, { p: { b: [1] } })).to.have.nested.property('trainer.a', 'v={"b":[1]}');
  });

  it('is found at any depth of a value', () => {
    expect(made({ trainer: { a: [{ b: '${p}' }] } }, { p: 2 })).to.have.nested.property('trainer.a[0].b', 2);
  });

  it('is not filled into what was filled in', () => {
    expect(made({ 'trainer.a': '${p}' }, { p: '${q}', q: 1 })).to.have.nested.property('trainer.a', '${q}');
  });

  it('is a text of its own after a second dollar', () => {
    expect(made({ 'trainer.a': 'echo $${HOME} ${p}' }, { p: 1 })).to.have.nested.property('trainer.a', 'echo ${HOME} 1');
  });
});

describe('overrides that cannot be meant', () => {
  const cases: readonly [what: string, overrides: Record<string, unknown>, sentence: string][] = [
    ['an unknown parameter', { 'trainer.fit.epochs': '${epoch}' }, 'UnknownParameter: The override trainer.fit.epochs refers to the parameter "epoch", which the sweep does not have; it has epochs. Write one of them, or $${ for the characters themselves.'],
    ['a parameter that nothing uses', { 'trainer.fit.epochs': 3 }, 'UnusedParameter: No override uses the parameter epochs, so its values would change nothing. Write "${epochs}" where it belongs, or remove the parameter.'],
    ['a brace that is not closed', { 'trainer.fit.epochs': '${epochs' }, 'BadPlaceholder: The override trainer.fit.epochs has a ${ without a } in "${epochs". Write ${name} for a parameter, or $${ for the characters themselves.'],
    ['a path with an empty part', { 'trainer..epochs': '${epochs}' }, 'BadPath: The override "trainer..epochs" has an empty part. Write the fields\' names with one dot between them, for example trainer.fit.epochs.'],
    ['a field of the sweep\'s own', { ttlSecondsAfterFinished: '${epochs}' }, 'ReservedPath: The override ttlSecondsAfterFinished sets ttlSecondsAfterFinished, which a sweep leaves out of its trials. Remove the override.'],
    ['two overrides of one field', { 'trainer.fit': { epochs: '${epochs}' }, 'trainer.fit.epochs': 3 }, 'OverlappingPaths: The overrides trainer.fit and trainer.fit.epochs set the same field. Keep one of them.'],
  ];
  for (const [what, overrides, sentence] of cases) {
    it(`${what}: is told in a sentence`, () => expect(refused(overrides, 'epochs')).to.equal(sentence));
  }

  it('are no problem where a path only begins like another', () => {
    expect(refused({ 'trainer.fit.epoch': '${epochs}', 'trainer.fit.epochs': 3 }, 'epochs')).to.equal(undefined);
  });

  it('with this template: a path through a value', () => {
    expect(refusedByTemplate({ 'trainer.fit.epochs.max': 3 })).to.equal('PathThroughValue: The override trainer.fit.epochs.max goes through trainer.fit.epochs, which is 5 and has no fields. Correct the path.');
  });

  it('with this template: an item that a list does not have', () => {
    expect(refusedByTemplate({ 'roles.1.replicas': 3 }, job(withRole(1)).spec)).to.equal('NoSuchItem: The override roles.1.replicas names "1" in the list roles, which has items 0 to 0.');
    expect(refusedByTemplate({ 'roles.worker.replicas': 3 }, job(withRole(1)).spec)).to.equal('NoSuchItem: The override roles.worker.replicas names "worker" in the list roles, which has items 0 to 0.');
    expect(refusedByTemplate({ 'roles.0.replicas': 3 })).to.equal('NoSuchItem: The override roles.0.replicas names item 0 of roles, which the template does not set. Set the whole list, or set it in the template.');
  });
});

describe('what a trial takes over from the template', () => {
  const whole = job({ suspend: true, ttlSecondsAfterFinished: 60, backup: { on: ['Succeeded'] } }).spec;

  it('is all but suspend, backup and the time to live', () => {
    expect(trialBase(whole)).to.have.all.keys('trainer', 'replicas', 'checkpoint', 'failurePolicy', 'cleanPodPolicy');
  });

  it('has the same digest whatever those are, and whatever the order of the keys', () => {
    expect(templateDigests(whole, { a: 1, b: 2 })).to.deep.equal(templateDigests(template, { b: 2, a: 1 }));
  });

  it('has another digest when anything else differs', () => {
    const other = job({ activeDeadlineSeconds: 60 }).spec;
    expect(templateDigests(other, {}).template).not.to.equal(templateDigests(template, {}).template);
    expect(templateDigests(template, { a: 1 }).overrides).not.to.equal(templateDigests(template, {}).overrides);
  });
});
