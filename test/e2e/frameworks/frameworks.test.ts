import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { load } from 'js-yaml';
import { projectRoot } from '../../../hack/cluster/places.ts';
import { until } from '../../../hack/cluster/until.ts';
import { isTrue, labels, type TrainingJob } from '../../../operator/src/api/index.ts';
import { podType, trainingJobType } from '../../../operator/src/controllers/shared/resources.ts';
import type { KubeObject } from '../../../operator/src/kube/resource.ts';
import { RealCluster } from '../../support/real-cluster.ts';
import { frameworksArchive, frameworksImage } from './image.ts';

const minutes = 60_000;
const namespace = 'frameworks';
const examples = join(projectRoot, 'docs/examples/frameworks');

/** What Debian's packages need beside the example; the images that it names need none of it. */
const debianEnv: Readonly<Record<string, readonly object[]>> = {
  TensorFlow: [{ name: 'PYTHONPATH', value: '/opt/python' }],
  // torchrun 1.13 cannot read its own defaults of these two on Python 3.11; this says nothing of rank 0 either.
  PyTorch: [{ name: 'PET_REDIRECTS', value: '9:1' }, { name: 'PET_TEE', value: '9:1' }],
};

/** What a program of the examples prints last, by the role and index of its pod. */
type Words = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

interface PodOfJob extends KubeObject {
  readonly status?: { readonly phase?: string };
}

describe('the frameworks that users bring, in the jobs that the documentation shows', function frameworks() {
  this.timeout(10 * minutes);
  let cluster: RealCluster;

  before(async function start() {
    // A cold cache builds everything first.
    this.timeout(45 * minutes);
    const archive = await frameworksArchive((line) => void process.stderr.write(`${line}\n`));
    cluster = await RealCluster.start(`frameworks-${crypto.randomUUID().slice(0, 6)}`, { images: ['operator'] });
    await cluster.load(archive);
    await cluster.kubectl(['create', 'namespace', namespace]);
    const programs = (await readdir(examples)).filter((file) => file.endsWith('.py'));
    await cluster.kubectl(['create', 'configmap', 'programs', '-n', namespace, ...programs.map((file) => `--from-file=${join(examples, file)}`)]);
  });

  after(async () => {
    await cluster[Symbol.asyncDispose]();
  });

  /** The example of that name, run to its end with the image of this test. */
  async function run(name: string): Promise<{ readonly job: TrainingJob; readonly words: Words }> {
    const manifest = load(await readFile(join(examples, `${name}.yaml`), 'utf8')) as TrainingJob;
    for (const { template } of manifest.spec.roles ?? []) {
      for (const container of template.spec.containers) Object.assign(container, { image: frameworksImage, env: debianEnv[manifest.spec.framework ?? ''] ?? [] });
    }
    await cluster.kubectl(['apply', '-n', namespace, '-f', '-'], JSON.stringify(manifest));
    const key = { namespace, name };
    let job = await cluster.get<TrainingJob>(trainingJobType, key);
    await until(`${name} to end`, async () => {
      job = await cluster.get<TrainingJob>(trainingJobType, key);
      return isTrue(job.status?.conditions, 'Succeeded') || isTrue(job.status?.conditions, 'Failed');
    }, { timeoutSeconds: 480 });
    expect(isTrue(job.status?.conditions, 'Succeeded'), JSON.stringify(job.status)).to.equal(true);
    return { job, words: await lastWords(name) };
  }

  const podsOf = async (job: string): Promise<readonly PodOfJob[]> =>
    (await cluster.list<PodOfJob>(podType, namespace)).filter(({ metadata }) => metadata.labels?.[labels.trainingJob] === job);

  async function lastWords(job: string): Promise<Words> {
    const words = new Map<string, Readonly<Record<string, unknown>>>();
    for (const { metadata } of await podsOf(job)) {
      const lines = (await cluster.kubectl(['logs', '-n', namespace, metadata.name])).split('\n').filter((line) => line.startsWith('{'));
      const place = `${metadata.labels?.[labels.role]}-${metadata.labels?.[labels.index]}`;
      const last = lines.at(-1);
      if (last !== undefined) words.set(place, JSON.parse(last) as Readonly<Record<string, unknown>>);
    }
    return words;
  }

  function expectLearnt(weights: unknown): void {
    const [a, b, c] = weights as readonly number[];
    expect(a).to.be.closeTo(3, 0.05);
    expect(b).to.be.closeTo(-2, 0.05);
    expect(c).to.be.closeTo(1, 0.05);
  }

  it('train on three TensorFlow workers at once by TF_CONFIG alone', async () => {
    const { job, words } = await run('tensorflow-workers');
    expect([...words.keys()].sort()).to.deep.equal(['worker-0', 'worker-1', 'worker-2']);
    for (const [place, said] of words) expect(said).to.include({ task: place, replicas: 3 });
    const weights = [...words.values()].map((said) => JSON.stringify(said.weights));
    expect(new Set(weights).size, weights.join()).to.equal(1);
    expectLearnt(words.get('worker-0')?.weights);
    expect(job.status).to.include({ attempt: 1 });
  });

  it('train with TensorFlow\'s parameter servers, and end with the evaluator\'s last look', async () => {
    const { job, words } = await run('tensorflow-parameter-servers');
    expect(words.get('chief-0')).to.deep.include({ cluster: { chief: 1, ps: 2, worker: 2 } });
    expect(words.get('chief-0')?.devices).to.deep.equal(['/job:ps/replica:0/task:0/device:CPU:0', '/job:ps/replica:0/task:1/device:CPU:0']);
    expectLearnt(words.get('chief-0')?.weights);
    expect(words.get('evaluator-0')).to.include({ step: 400 });
    expect(words.get('evaluator-0')?.loss).to.be.below(0.01);
    expect(job.status).to.include({ attempt: 1 });
    await until('the parameter servers and workers, which never end by themselves, to be ended', async () => (await podsOf('tensorflow-parameter-servers')).length === 2, { timeoutSeconds: 90 });
  });

  it('train in two pods of torchrun by its PET_ variables alone', async () => {
    const { job, words } = await run('pytorch-workers');
    expect(words.get('worker-0')).to.include({ rank: 0, world: 2 });
    expect(words.get('worker-1')).to.include({ rank: 1, world: 2 });
    expect(words.get('worker-0')?.weights).to.deep.equal(words.get('worker-1')?.weights);
    expectLearnt(words.get('worker-0')?.weights);
    expect(job.status).to.include({ attempt: 1 });
  });

  it('train in the pods that have met when torchrun is elastic', async () => {
    const { words } = await run('pytorch-elastic');
    expect(words.size).to.equal(2);
    for (const said of words.values()) {
      expect(said.world).to.be.oneOf([1, 2]);
      expectLearnt(said.weights);
    }
  });

  it('start MPI processes in the workers over SSH, by hostfile and key of the job', async () => {
    const { job, words } = await run('mpi');
    expect(words.get('launcher-0')).to.deep.equal({ size: 4, sum: 6, hosts: ['worker-0', 'worker-0', 'worker-1', 'worker-1'] });
    expect(job.status).to.include({ attempt: 1 });
  });
});
