import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { trainerEnv } from '@anneal/operator/api';
import type { TrainingFailure, TrainingResult } from '@anneal/operator/api';
import { errorCodes } from '../../trainer-image/src/errors.ts';
import { compile } from '../../trainer-image/src/spec/cel.ts';
import { threadsFor } from '../../trainer-image/src/threads.ts';
import { orderFrom } from '../../trainer-image/src/train/environment.ts';
import { terminationMessage } from '../../trainer-image/src/train/termination.ts';
import { codeOf, root, schema, trainerSpec } from './support.ts';
import type { Schema } from '../../trainer-image/src/spec/schema.ts';

describe('the documentation', () => {
  it('lists every error code as the source does', () => {
    const rows = Object.entries(errorCodes).map(([code, [, what]]) => `| \`${code}\` | ${what} |`);
    const page = readFileSync(path.join(root, 'docs/trainer.md'), 'utf8');
    const [, listed = ''] = /<!-- errors: [^\n]*\n([^]*?)\n<!-- \/errors -->/.exec(page) ?? [];
    expect(listed).to.equal(['| Code | What is wrong |', '|---|---|', ...rows].join('\n'));
  });
});

describe('the order of a run', () => {
  const spec = trainerSpec({ data: { source: { uri: 'file:///x' }, target: 'y' }, model: { preset: 'MLP' } });
  const environment = { [trainerEnv.spec]: JSON.stringify(spec), [trainerEnv.volume]: '/volume' };

  it('is read from the variables that the operator sets', () => {
    expect(orderFrom({ ...environment, [trainerEnv.attempt]: '4', [trainerEnv.jobUid]: 'uid', [trainerEnv.index]: '2', [trainerEnv.checkpointIntervalSeconds]: '60', [trainerEnv.checkpointKeep]: '3', [trainerEnv.sourceDirectory]: '/source', [trainerEnv.pseudonymKey]: '/keys/current', [trainerEnv.accelerator]: 'nvidia.com/gpu' }, () => 3))
      .to.deep.equal({ spec, volume: '/volume', attempt: 4, checkpointIntervalSeconds: 60, checkpointKeep: 3, sourceDirectory: '/source', pseudonymKey: '/keys/current', threads: 3, accelerator: 'nvidia.com/gpu', fence: { jobUid: 'uid', place: 'trainer-2', attempt: 4 } });
  });

  it('has the cache and the credentials of the data', () => {
    const order = orderFrom({ ...environment, [trainerEnv.dataCache]: '/cache', [trainerEnv.dataCacheBytes]: '1000', ANNEAL_SOURCE_KAFKA_USERNAME: 'me', [trainerEnv.sourceDirectory]: '/source' }, () => 1);
    expect(order).to.deep.include({ dataCache: { folder: '/cache', maxBytes: 1000 }, sourceCredentials: { ANNEAL_SOURCE_KAFKA_USERNAME: 'me' } });
  });

  it('takes an empty variable for one that is not set', () => {
    expect(orderFrom({ ...environment, [trainerEnv.accelerator]: '', [trainerEnv.attempt]: '' }, () => 1)).to.deep.equal({ spec, volume: '/volume', threads: 1, attempt: 1, checkpointIntervalSeconds: 0, checkpointKeep: 2, fence: { jobUid: '', place: 'trainer-0', attempt: 1 } });
  });

  const wrong: readonly (readonly [NodeJS.ProcessEnv, string])[] = [
    [{ [trainerEnv.spec]: undefined }, trainerEnv.spec],
    [{ [trainerEnv.spec]: '[]' }, trainerEnv.spec],
    [{ [trainerEnv.volume]: '' }, trainerEnv.volume],
    [{ [trainerEnv.attempt]: 'two' }, trainerEnv.attempt],
    [{ [trainerEnv.checkpointIntervalSeconds]: '-1' }, trainerEnv.checkpointIntervalSeconds],
  ];
  for (const [changed, at] of wrong) {
    it(`refuses ${at} = ${String(changed[at])} by name`, async () => {
      expect(await codeOf(() => orderFrom({ ...environment, ...changed }, () => 1))).to.include({ code: 'SPEC_INVALID', at });
    });
  }
});

describe('last words', () => {
  it('are JSON within the 4,096 bytes that Kubernetes keeps, however long the error', () => {
    for (const character of ['x', '\u0001', 'é', '🙂']) {
      const words = terminationMessage({ error: { code: 'DATA_CSV', at: 'rows.csv:1', message: character.repeat(5000) } });
      expect(Buffer.byteLength(words)).to.be.at.most(4096);
      expect((JSON.parse(words) as TrainingFailure).error.code).to.equal('DATA_CSV');
    }
  });

  it('keep the model of a result with too many metrics', () => {
    const metrics = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`metric_${at}`, at]));
    const model = { path: 'model', digest: `sha256:${'0'.repeat(64)}`, sizeBytes: 1 };
    expect((JSON.parse(terminationMessage({ metrics, epochs: 1, model })) as TrainingResult).model).to.deep.equal(model);
  });
});

describe('threads', () => {
  it('follow the CPU limit of the container', () => {
    expect(threadsFor(16, '200000 100000')).to.equal(2);
    expect(threadsFor(16, '150000 100000\n')).to.equal(2);
    expect(threadsFor(16, '50000 100000')).to.equal(1);
    expect(threadsFor(16, 'max 100000')).to.equal(16);
    expect(threadsFor(1, '400000 100000')).to.equal(1);
  });
});

describe('the schema of spec.trainer', () => {
  const each = (of: Schema, at: string): [string, Schema][] => [
    [at, of],
    ...Object.entries(of.properties ?? {}).flatMap(([name, field]) => each(field, `${at}.${name}`)),
    ...(of.items === undefined ? [] : each(of.items, `${at}[]`)),
  ];
  const fields = each(schema, 'trainer');

  it('describes and bounds every field', () => {
    for (const [at, { description, type, maxLength, maxItems, enum: values }] of fields) {
      expect(description, at).to.be.a('string').and.not.equal('');
      if (type === 'string' && values === undefined) expect(maxLength, at).to.be.a('number');
      if (type === 'array') expect(maxItems, at).to.be.a('number');
    }
  });

  it('has a rule beside each lowest number that is not whole, since the API server cuts it to one where the value is whole', () => {
    const fractional = fields.filter(([, { minimum }]) => minimum !== undefined && !Number.isInteger(minimum));
    expect(fractional).to.have.length.above(5);
    for (const [at, { minimum = 0, 'x-kubernetes-validations': rules = [] }] of fractional) {
      expect(rules.some(({ rule }) => compile(rule).evaluate(Math.trunc(minimum)) === false), at).to.equal(true);
      expect(rules.every(({ rule }) => compile(rule).evaluate(minimum)), at).to.equal(true);
    }
  });

  it('takes the shortest spec and fills in the rest', () => {
    const spec = trainerSpec({ data: { source: { uri: 'file:///x' }, target: 'y' }, model: { preset: 'MLP' } });
    expect(spec.fit).to.deep.equal({ epochs: 20, batchSize: 32, optimizer: { name: 'Adam', learningRate: 0.001 }, seed: 0 });
    expect(spec.data.split).to.deep.equal({ validation: 0.15, test: 0.15, seed: 0 });
  });
});
