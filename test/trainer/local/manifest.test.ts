import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { withAssignments } from '../../../trainer-image/src/local/assignments.ts';
import { parseFlags, usage } from '../../../trainer-image/src/local/flags.ts';
import { ManifestRefused, readJob } from '../../../trainer-image/src/local/manifest.ts';
import type { LocalJob } from '../../../trainer-image/src/local/manifest.ts';
import { mountedFolders } from '../../../trainer-image/src/local/mounts.ts';
import type { Terminal } from '../../../trainer-image/src/local/terminal.ts';
import { codeOf, folder, root } from '../support.ts';
import { jobYaml } from './support.ts';

const terminal = (input: string): Terminal => ({
  directory: root, environment: {}, columns: undefined, now: () => 0,
  input: () => Promise.resolve(input),
  print: () => undefined, tell: () => undefined, onInterrupt: () => undefined,
});

async function read(yaml: string, ...args: string[]): Promise<LocalJob> {
  const flags = parseFlags(['-f', '-', ...args]);
  if (flags === undefined) throw new Error('Help was asked for.');
  return readJob(flags, terminal(yaml));
}

const bare = 'data: {source: {uri: "file:///x"}, target: price}\nmodel: {preset: MLP}\n';

describe('the manifest of anneal-train', () => {
  it('is a TrainingJob, with the defaults of the API server', async () => {
    const { name, spec, checkpoint, unused } = await read(jobYaml('file:///x'));
    expect(name).to.equal('blobs');
    expect(spec).to.have.nested.property('data.split.validation', 0.15);
    expect(checkpoint).to.deep.equal({ keep: 2, intervalSeconds: 0 });
    expect(unused).to.deep.equal([]);
  });

  it('may be the content of spec.trainer alone', async () => {
    expect(await read(bare)).to.deep.include({ name: 'model', unused: [] });
    expect((await read(bare, '--name', 'house-prices')).name).to.equal('house-prices');
    expect((await read(bare, '--set', 'fit.epochs=7')).spec.fit.epochs).to.equal(7);
  });

  it('may be one of several documents', async () => {
    const both = `${jobYaml('file:///x', { name: 'one' })}---\n${jobYaml('file:///y', { name: 'two' })}---\nkind: ConfigMap\n`;
    expect((await read(both, '--name', 'two')).spec.data.source.uri).to.equal('file:///y');
    expect(await codeOf(() => read(both))).to.include({ code: 'COMMAND_INVALID' }).and.have.property('message').that.contains('"one", "two"');
    expect((await codeOf(() => read(both, '--name', 'three'))).message).to.contain('no TrainingJob named "three"');
    expect((await codeOf(() => read('kind: HyperparamSweep\napiVersion: anneal.dev/v1alpha1\n'))).message).to.contain('HyperparamSweep');
    expect((await codeOf(() => read(''))).message).to.contain('holds no TrainingJob');
  });

  it('names what takes a cluster, and only what was written', async () => {
    const spec = '  replicas: 2\n  nodePool: {provider: Existing, nodeSelector: {a: b}}\n  checkpoint: {keep: 5, interval: {mode: Auto}, s3: {bucket: models}}\n';
    const { unused, checkpoint } = await read(jobYaml('file:///x', { spec }));
    expect(unused).to.deep.equal(['replicas', 'nodePool', 'checkpoint.s3', 'checkpoint.interval.mode: Auto']);
    expect(checkpoint).to.deep.equal({ keep: 5, intervalSeconds: 0 });
    expect((await read(jobYaml('file:///x', { spec: '  checkpoint: {interval: {mode: Fixed, seconds: 60}}\n' }))).checkpoint.intervalSeconds).to.equal(60);
  });

  it('is read as kubectl reads it', async () => {
    expect((await read(bare, '--set', 'fit.epochs=010')).spec.fit.epochs).to.equal(8);
    const { message, at } = await codeOf(() => read('data: [\n'));
    expect(at).to.equal('-');
    expect(message).to.match(/is no YAML: .*\(\d+:\d+\)/);
    expect((await codeOf(() => read(`${bare}model: {preset: CNN}\n`))).message).to.contain('duplicate');
  });

  it('is refused with all that is wrong with it', async () => {
    const refused = await read(jobYaml('ftp://x', { fit: '{epochs: 0}' })).catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(ManifestRefused);
    expect((refused as ManifestRefused).violations.map(({ at }) => at)).to.deep.equal(['spec.trainer.fit.epochs', 'spec.trainer.data.source.uri']);
  });

  it('is told from a job of roles, and from another version', async () => {
    expect((await codeOf(() => read('apiVersion: anneal.dev/v1alpha1\nkind: TrainingJob\nmetadata: {name: a}\nspec: {roles: []}\n'))).at).to.equal('spec.roles');
    expect((await codeOf(() => read('apiVersion: anneal.dev/v1\nkind: TrainingJob\nmetadata: {name: a}\nspec: {}\n'))).at).to.equal('apiVersion');
  });
});

describe('--set', () => {
  const object = { spec: { trainer: { data: { pipeline: [{ scale: {} }] }, fit: { epochs: 3 } } } };

  it('sets fields by their path in the API, or from trainer on', () => {
    for (const path of ['spec.trainer.fit.epochs', 'trainer.fit.epochs', 'fit.epochs']) expect(withAssignments(object, [`${path}=9`])).to.have.nested.property('spec.trainer.fit.epochs', 9);
    expect(withAssignments(object, ['checkpoint.keep=1'])).to.have.nested.property('spec.checkpoint.keep', 1);
    expect(withAssignments(object, ['metadata.name=x'])).to.have.nested.property('metadata.name', 'x');
  });

  it('takes YAML, items of lists and names with dots', () => {
    expect(withAssignments(object, ['model.units=[64, 32]'])).to.deep.nested.property('spec.trainer.model.units', [64, 32]);
    expect(withAssignments(object, ['data.pipeline.0.scale.method=MinMax'])).to.have.nested.property('spec.trainer.data.pipeline[0].scale.method', 'MinMax');
    expect(withAssignments(object, ['pod.nodeSelector.example\\.com/zone=a=b'])).to.deep.nested.property('spec.pod.nodeSelector', { 'example.com/zone': 'a=b' });
    expect(withAssignments(object, ['fit.epochs='])).to.have.nested.property('spec.trainer.fit.epochs', null);
    expect(object.spec.trainer.fit.epochs).to.equal(3);
  });

  for (const wrong of ['fit.epochs', '=3', 'fit..epochs=3', 'data.pipeline.1.scale=3', 'fit.epochs.more=3', 'fit.epochs=[']) {
    it(`refuses ${wrong}`, async () => {
      expect(await codeOf(() => withAssignments(object, [wrong]))).to.include({ code: 'COMMAND_INVALID' });
    });
  }
});

describe('--mount', () => {
  const spec = (uri: string, from?: string): LocalJob['spec'] => ({ data: { source: { uri } }, model: from === undefined ? {} : { from: { uri: from } } }) as unknown as LocalJob['spec'];
  const sourceFolder = (of: LocalJob['spec'], mounts: readonly string[], directory: string): string | undefined => mountedFolders(of, mounts, directory).sourceFolder;

  it('gives the folder that stands for a claim or a ConfigMap', async () => {
    await using place = await folder();
    expect(sourceFolder(spec('pvc://lake/2026/x.csv'), [`pvc://lake=${place.path}`], '/')).to.equal(place.path);
    expect(sourceFolder(spec('configmap://digits/x.csv'), ['configmap://digits=.'], place.path)).to.equal(place.path);
    expect(sourceFolder(spec('file:///x.csv'), [], '/')).to.equal(undefined);
  });

  it('stands for the claim of a saved model too', async () => {
    await using place = await folder();
    expect(mountedFolders(spec('file:///x.csv', 'pvc://digits/model'), [`pvc://digits=${place.path}`], '/')).to.deep.equal({ sourceFolder: undefined, modelFolder: place.path });
    expect(await codeOf(() => mountedFolders(spec('file:///x.csv', 'pvc://digits/model'), [], '/'))).to.include({ code: 'SPEC_SOURCE', at: 'spec.trainer.model.from.uri' });
  });

  it('is asked for where a source needs it, and nowhere else', async () => {
    await using place = await folder();
    const missing = await codeOf(() => sourceFolder(spec('configmap://digits/x.csv'), [], '/'));
    expect(missing).to.include({ code: 'SPEC_SOURCE', at: 'spec.trainer.data.source.uri' });
    expect(missing.message).to.contain('--mount configmap://digits=DIR');
    for (const mount of [`pvc://other=${place.path}`, `pvc://lake=${place.path}/none`, 'pvc://lake', 's3://x=/']) {
      expect(await codeOf(() => sourceFolder(spec('pvc://lake/x.csv'), [mount], '/'))).to.include({ code: 'COMMAND_INVALID' });
    }
  });
});

describe('flags', () => {
  it('are all in the documentation', () => {
    const page = readFileSync(path.join(root, 'docs/anneal-train.md'), 'utf8');
    const flags = [...usage.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, flag = '']) => flag).filter((flag) => flag !== '--file' && flag !== '--help');
    expect(flags).to.have.length.above(8);
    expect(flags.filter((flag) => !page.includes(`| \`${flag}`))).to.deep.equal([]);
  });

  it('are refused in one sentence', async () => {
    for (const args of [[], ['-f'], ['-f', 'x', '--threads', '0'], ['-f', 'x', '--threads', 'two'], ['-f', 'x', '--epochs', '3'], ['-f', 'x', 'y']]) {
      const { code, message } = await codeOf(() => parseFlags(args));
      expect(code, args.join(' ')).to.equal('COMMAND_INVALID');
      expect(message).not.to.contain('\n');
    }
  });
});
