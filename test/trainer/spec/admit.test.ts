import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { load } from 'js-yaml';
import { admit } from '../../../trainer-image/src/spec/admit.ts';
import { compile } from '../../../trainer-image/src/spec/cel.ts';
import { trainingJobSchema } from '../../../trainer-image/src/spec/crd.ts';
import { fieldSchema, readCrdSchema } from '../../../trainer-image/src/spec/schema.ts';
import type { JsonObject, Rule, Schema } from '../../../trainer-image/src/spec/schema.ts';
import type { Violation } from '../../../trainer-image/src/spec/violations.ts';
import { root } from '../support.ts';

const schema = trainingJobSchema();
const shortest: JsonObject = { data: { source: { uri: 'file:///x' }, target: 'y' }, model: { preset: 'MLP' } };
const job = (trainer: JsonObject, spec: JsonObject = {}, name = 'a'): JsonObject => ({ apiVersion: 'anneal.dev/v1alpha1', kind: 'TrainingJob', metadata: { name }, spec: { ...spec, trainer } });

function violations(object: JsonObject): readonly Violation[] {
  const admission = admit(object, schema);
  return admission.kind === 'Refused' ? admission.violations : [];
}

function rulesOf(of: Schema, at: string): [string, Rule][] {
  const children = [...Object.entries(of.properties ?? {}), ...(of.items === undefined ? [] : [['[]', of.items] as const]), ...(of.additionalProperties === undefined ? [] : [['*', of.additionalProperties] as const])];
  return [...(of['x-kubernetes-validations'] ?? []).map((rule): [string, Rule] => [at, rule]), ...children.flatMap(([name, child]) => rulesOf(child, `${at}.${name}`))];
}

describe('admission without an API server', () => {
  describe('the rules of TrainingJob', () => {
    const rules = rulesOf({ properties: { spec: fieldSchema(schema, 'spec') ?? {} } }, '');

    it('are many', () => expect(rules).to.have.length.above(30));

    for (const [at, { rule, messageExpression }] of rules) {
      it(`compile at ${at}: ${rule.slice(0, 60)}`, () => {
        compile(rule);
        if (messageExpression !== undefined) compile(messageExpression);
      });
    }
  });

  describe('of each wrong manifest that is a TrainingJob', () => {
    const folder = path.join(root, 'test/api/wrong-manifests');
    const manifests = readdirSync(folder).map((name) => ({ name, text: readFileSync(path.join(folder, name), 'utf8') })).filter(({ text }) => text.includes('kind: TrainingJob\n'));

    it('there are some', () => expect(manifests).to.have.length.above(30));

    for (const { name, text } of manifests) {
      const [, expected = ''] = /^# expect: (.*)$/m.exec(text) ?? [];
      it(`refuses ${name}, saying: ${expected}`, () => {
        const told = violations(load(text) as JsonObject).map(({ at, message }) => `${at}: ${message}`);
        expect(told.join('\n')).to.match(new RegExp(expected));
      });
    }
  });

  it('takes whatever a user calls a class', () => {
    for (const name of ['constructor', '__proto__', 'toString', 'size', 'true', 'a-b']) {
      expect(violations(job({ ...shortest, fit: { classWeights: 'Given', weights: Object.fromEntries([[name, 2]]) } })), name).to.deep.equal([]);
    }
  });

  it('takes every TrainingJob of the examples', () => {
    for (const file of ['digits/1-train.yaml', 'tabular/fraud.yaml']) {
      expect(violations(load(readFileSync(path.join(root, 'docs/examples', file), 'utf8')) as JsonObject), file).to.deep.equal([]);
    }
  });

  it('names the field that was probably meant', () => {
    const [told] = violations(job({ ...shortest, fit: { epoch: 3 } }));
    expect(told).to.include({ kind: 'UnknownField', at: 'spec.trainer.fit.epoch', message: 'unknown field "spec.trainer.fit.epoch"' });
    expect(told?.sentence).to.contain('did you mean "epochs"?');
    expect(violations(job({ ...shortest, fit: { bathcSize: 3 } }))[0]?.sentence).to.contain('"batchSize"');
    expect(violations(job({ ...shortest, fit: { shuffle: 3 } }))[0]?.sentence).to.contain('spec.trainer.fit has epochs, batchSize');
    expect(violations({ ...job(shortest), metadata: { name: 'a', lables: {} } })[0]).to.include({ at: 'metadata.lables' });
  });

  it('looks at no rule where a type is wrong, and says so', () => {
    const told = violations(job({ ...shortest, fit: { epochs: '3' }, model: { preset: 'CNN' } }));
    expect(told.map(({ at }) => at)).to.deep.equal(['spec.trainer.fit.epochs', '']);
    expect(told.at(-1)?.message).to.contain('some validation rules were not checked');
  });

  it('measures texts in characters, not in halves of them', () => {
    expect(violations(job({ ...shortest, data: { source: { uri: 'file:///x' }, target: '🙂'.repeat(253) } }))).to.deep.equal([]);
    expect(violations(job({ ...shortest, data: { source: { uri: 'file:///x' }, target: '🙂'.repeat(254) } }))[0]).to.include({ kind: 'TooLong' });
  });

  it('refuses what is twice in a set, by its place', () => {
    const told = violations(job({ ...shortest, data: { source: { uri: 'file:///x', csv: { missing: ['NA', '', 'NA', 'NA'] } }, target: 'y' } }));
    expect(told).to.deep.equal([{ kind: 'Duplicate', at: 'spec.trainer.data.source.csv.missing[2]', message: 'Duplicate value: "NA"', sentence: 'Duplicate value: "NA"' }]);
  });

  it('fills in defaults within a list, and in a default', () => {
    const admission = admit(job({ ...shortest, data: { source: { uri: 'file:///x' }, target: 'y', pipeline: [{ scale: {} }] } }), schema);
    const { spec } = admission.kind === 'Admitted' ? admission.object : {};
    expect(spec).to.have.nested.property('trainer.data.pipeline[0].scale.method', 'Standard');
    expect(spec).to.have.nested.property('trainer.fit.optimizer.learningRate', 0.001);
    expect(spec).to.have.nested.property('checkpoint.interval.mode', 'EveryEpoch');
  });

  it('takes a null for a field that is not there', () => {
    const admission = admit(job({ ...shortest, fit: { epochs: null, earlyStopping: null } }), schema);
    const { spec } = admission.kind === 'Admitted' ? admission.object : {};
    expect(spec).to.have.nested.property('trainer.fit.epochs', 20);
    expect(spec).not.to.have.nested.property('trainer.fit.earlyStopping');
  });

  it('changes nothing in what it was given, and keeps names that JavaScript has a use for', () => {
    const written = JSON.parse('{"metadata":{"name":"a"},"spec":{"pod":{"nodeSelector":{"__proto__":"x"}},"trainer":{"data":{"source":{"uri":"file:///x"},"target":"y"},"model":{"preset":"MLP"}}}}') as JsonObject;
    const before = JSON.stringify(written);
    const admission = admit(written, schema);
    expect(JSON.stringify(written)).to.equal(before);
    expect(JSON.stringify(admission)).to.contain('"nodeSelector":{"__proto__":"x"}');
  });

  it('finds no schema that it would understand in part', () => {
    const crd = (keyword: string): string => `spec: {versions: [{schema: {openAPIV3Schema: {properties: {a: {${keyword}}}}}}]}`;
    expect(() => readCrdSchema(crd('type: string, uniqueItems: true'))).to.throw('the keyword uniqueItems');
    expect(() => readCrdSchema(crd('anyOf: [{type: string}]'))).to.throw('anyOf');
  });
});

describe('CEL', () => {
  const value = (expression: string, self: unknown = {}): unknown => compile(expression).evaluate(self);

  it('has the functions of Kubernetes on text and lists', () => {
    expect(value("'abc 123'.find('[0-9]+')")).to.equal('123');
    expect(value("'1 22'.findAll('[0-9]+') == ['1', '22']")).to.equal(true);
    expect(value("'a-b'.replace('-', '$&')")).to.equal('a$&b');
    expect(value("'abc'.charAt(1)")).to.equal('b');
    expect(value('[1, 2, 2].isSorted() && ![2, 1].isSorted()')).to.equal(true);
    expect(value('[1, 2].sum() == 3 && [0.5, 0.25].sum() == 0.75')).to.equal(true);
    expect(value('[3, 1].min() == 1 && [3, 1].max() == 3 && [3, 1].indexOf(1) == 1 && [3, 3].lastIndexOf(3) == 1')).to.equal(true);
  });

  it('matches by RE2, and leaves texts in quotes alone', () => {
    expect(value("self.matches('(?i)^ABC\\\\z')", 'abc')).to.equal(true);
    expect(value("self == '.matches('", '.matches(')).to.equal(true);
    expect(() => value("self.matches('(?<=a)b')", 'ab')).to.throw();
  });

  it('refuses what is no CEL, or calls what is not there', () => {
    expect(() => compile('self.')).to.throw();
    expect(() => compile('self.isUUID()')).to.throw('isUUID');
  });
});
