import { expect } from 'chai';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runConvert } from '../../../operator/src/cli/convert.ts';
import { parseYaml } from '../../../operator/src/cli/yaml.ts';
import { temporaryFolder, type TemporaryFolder } from '../../support/folder.ts';

const job = (name: string, more = '') => `
apiVersion: kubeflow.org/v1
kind: TFJob
metadata: {name: ${name}}
spec: {${more} tfReplicaSpecs: {Worker: {template: {spec: {containers: [{name: tensorflow, image: "example.com/a:1", args: ["on", "0400", "# no"]}]}}}}}
`;

describe('anneal convert', () => {
  let folder: TemporaryFolder;
  beforeEach(async () => {
    folder = await temporaryFolder();
  });
  afterEach(() => folder[Symbol.asyncDispose]());

  async function anneal(args: readonly string[], input = ''): Promise<{ code: number; out: string; err: string }> {
    let [out, err] = ['', ''];
    const code = await runConvert(args, {
      directory: folder.path,
      input: () => Promise.resolve(input),
      print: (text) => { out += text; },
      tell: (text) => { err += text; },
    });
    return { code, out, err };
  }

  const write = (name: string, text: string): void => writeFileSync(join(folder.path, name), text);
  const jobsIn = (out: string) => parseYaml({ name: 'output', text: out }).map(({ content }) => content as { metadata: { name: string }; spec: { roles: { template: { spec: { containers: { args: string[] }[] } } }[] } });

  it('reads a file beside which it was called, and texts come out as texts', async () => {
    write('job.yaml', job('mnist'));
    const { code, out, err } = await anneal(['-f', 'job.yaml']);
    expect({ code, err }).to.deep.equal({ code: 0, err: '' });
    expect(out).to.match(/^# From the TFJob mnist \(job\.yaml\)\.\napiVersion: anneal\.dev\/v1alpha1\n/);
    expect(jobsIn(out)[0]?.spec.roles[0]?.template.spec.containers[0]?.args).to.deep.equal(['on', '0400', '# no']);
  });

  it('reads standard input, and all the manifests of a folder', async () => {
    mkdirSync(join(folder.path, 'jobs/more'), { recursive: true });
    write('jobs/b.yml', job('b'));
    write('jobs/more/a.json', JSON.stringify(parseYaml({ name: 'a', text: job('a') })[0]?.content));
    write('jobs/notes.txt', 'not a manifest');
    const names = jobsIn((await anneal(['-f', 'jobs', '-f', '-'], `${job('c')}---\n${job('d')}`)).out).map(({ metadata }) => metadata.name);
    expect(names).to.deep.equal(['b', 'a', 'c', 'd']);
  });

  it('lists above each job and on standard error what was lost', async () => {
    const { code, out, err } = await anneal(['-f', '-'], `${job('fine')}---\n${job('odd', 'novel: 1,')}`);
    expect(code).to.equal(0);
    expect(err).to.match(/^standard input, document 2: lost spec\.novel: The converter does not know this field\..*\n$/);
    expect(out).to.match(/---\n# From the TFJob odd \(standard input, document 2\)\.\n# Lost:\n# {3}spec\.novel: .*\napiVersion/);
  });

  it('passes over what is no training job, with a sentence', async () => {
    const claim = 'apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\n';
    const { code, out, err } = await anneal(['-f', '-'], `${claim}---\n${job('fine')}---\n# nothing here\n`);
    expect(code).to.equal(0);
    expect(err).to.equal('standard input, document 1: PersistentVolumeClaim data is passed over, because it is no training job that the converter knows.\n');
    expect(jobsIn(out)).to.have.length(1);
  });

  it('names two jobs that would become one, and prints nothing', async () => {
    const pytorch = job('mnist').replace('TFJob', 'PyTorchJob').replace('tfReplica', 'pytorchReplica').replace('name: tensorflow', 'name: pytorch');
    const { code, out, err } = await anneal(['-f', '-'], `${job('mnist')}---\n${pytorch}---\n${job('other')}`);
    expect({ code, out }).to.deep.equal({ code: 2, out: '' });
    expect(err).to.equal('standard input, document 2: metadata.name: the PyTorchJob mnist would become the same TrainingJob as the TFJob of standard input, document 1; rename one of them, or convert them apart.\n');
    const apart = job('mnist').replace('name: mnist', 'name: mnist, namespace: team-b');
    expect((await anneal(['-f', '-'], `${job('mnist')}---\n${apart}`)).code).to.equal(0);
  });

  it('prints nothing where one document is wrong, and says which, with 2', async () => {
    const { code, out, err } = await anneal(['-f', '-'], `${job('fine')}---\n${job('wrong').replace('image', 'picture')}`);
    expect({ code, out }).to.deep.equal({ code: 2, out: '' });
    expect(err).to.match(/^standard input, document 2: spec\.tfReplicaSpecs\.Worker\.template\.spec\.containers\[0\]\.image: is missing; .*\n$/);
  });

  it('prints nothing under --strict where a field was lost, with 1', async () => {
    const { code, out, err } = await anneal(['-f', '-', '--strict'], job('odd', 'novel: 1,'));
    expect({ code, out }).to.deep.equal({ code: 1, out: '' });
    expect(err).to.include('1 field was lost, and --strict allows none.');
    expect((await anneal(['-f', '-', '--strict'], job('fine'))).code).to.equal(0);
  });

  it('keeps the name of a file or field from ending the comment that it stands in', async () => {
    const { out } = await anneal(['-f', '-'], job('odd', '"a\\nkind: Secret": 1,'));
    expect(jobsIn(out)).to.have.length(1);
    expect(out).not.to.match(/^kind: Secret/m);
  });

  it('says in one sentence what is wrong with the command line or the files, with 2', async () => {
    write('broken.yaml', 'a: [');
    mkdirSync(join(folder.path, 'empty'), { recursive: true });
    const sentences: readonly [readonly string[], RegExp][] = [
      [[], /^There is nothing to convert; write -f FILE, or -f - for standard input\.\n$/],
      [['-f', 'nowhere.yaml'], /^nowhere\.yaml cannot be read: ENOENT.*\n$/],
      [['-f', 'broken.yaml'], /^broken\.yaml is no YAML: .*\n$/],
      [['-f', 'empty'], /^The folder empty holds no file that ends in \.yaml, \.yml or \.json\.\n$/],
      [['-f', '-', '--loud'], /^Unknown option '--loud'\. See anneal convert --help\.\n$/],
      [['-f', '-'], /^The input holds no manifest\.\n$/],
    ];
    for (const [args, sentence] of sentences) {
      const { code, out, err } = await anneal(args);
      expect({ code, out }).to.deep.equal({ code: 2, out: '' });
      expect(err).to.match(sentence);
    }
  });

  it('finds the runtime of a TrainJob in another file', async () => {
    const template = '{spec: {replicatedJobs: [{name: node, template: {metadata: {labels: {trainer.kubeflow.org/trainjob-ancestor-step: trainer}}, spec: {template: {spec: {containers: [{name: node, image: "example.com/a:1"}]}}}}}]}}';
    write('runtime.yaml', `apiVersion: trainer.kubeflow.org/v1alpha1\nkind: ClusterTrainingRuntime\nmetadata: {name: r}\nspec: {mlPolicy: {jax: {}}, template: ${template}}\n`);
    const trainJob = 'apiVersion: trainer.kubeflow.org/v1alpha1\nkind: TrainJob\nmetadata: {name: j}\nspec: {runtimeRef: {name: r}}\n';
    expect((await anneal(['-f', '-'], trainJob)).code).to.equal(2);
    const { code, out } = await anneal(['-f', '-', '--runtime', 'runtime.yaml'], trainJob);
    expect(code).to.equal(0);
    expect(out).to.include('framework: JAX');
  });
});
