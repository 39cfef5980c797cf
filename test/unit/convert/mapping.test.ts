import { expect } from 'chai';
import { parseYaml } from '../../../operator/src/cli/yaml.ts';
import { convert, type DraftJob, type Note } from '../../../operator/src/domain/convert/index.ts';

const image = 'example.com/a:1';
const replica = (container: string, rest: object = {}) => ({ template: { spec: { containers: [{ name: container, image }] } }, ...rest });
const kubeflow = (kind: string, spec: object, apiVersion = 'kubeflow.org/v1') => ({ apiVersion, kind, metadata: { name: 'job' }, spec });
const tfJob = (tfReplicaSpecs: object, rest: object = {}) => kubeflow('TFJob', { tfReplicaSpecs, ...rest });
const pytorchJob = (pytorchReplicaSpecs: object, rest: object = {}) => kubeflow('PyTorchJob', { pytorchReplicaSpecs, ...rest });

function only(...documents: object[]): { readonly job: DraftJob; readonly notes: readonly Note[] } {
  const { conversions, errors } = convert(documents.map((content, index) => ({ at: `document ${index + 1}`, content })));
  const [conversion] = conversions;
  if (conversion === undefined || conversions.length > 1) throw new Error(`There is not one job: ${errors.join(' ')}`);
  return conversion;
}

function errorOf(...documents: object[]): string {
  return convert(documents.map((content) => ({ at: 'jobs.yaml', content }))).errors.join('\n');
}

describe('restart policies', () => {
  it('of roles that may never restart become a budget of no error', () => {
    expect(only(tfJob({ Worker: replica('tensorflow') })).job.spec.failurePolicy).to.deep.equal({ budgets: { applicationError: 0, outOfMemory: 0 } });
  });

  it('of one role among others become a rule for that role', () => {
    const { job } = only(tfJob({ Chief: replica('tensorflow', { restartPolicy: 'Never' }), Worker: replica('tensorflow', { restartPolicy: 'OnFailure' }) }));
    expect(job.spec.failurePolicy).to.deep.equal({ budgets: { applicationError: 10 }, rules: [{ when: { causes: ['ApplicationError', 'OutOfMemory'], roles: ['chief'] }, action: 'Fail' }] });
  });

  it('by exit code end the job at each code up to 127, and at none above', () => {
    const { job } = only(tfJob({ Worker: replica('tensorflow', { restartPolicy: 'ExitCode' }) }, { runPolicy: { backoffLimit: 4 } }));
    const { budgets, rules = [] } = job.spec.failurePolicy ?? {};
    expect(budgets).to.deep.equal({ applicationError: 4 });
    expect(rules.map(({ action }) => action)).to.deep.equal(['Fail', 'Fail']);
    expect(rules.flatMap(({ when }) => when?.exitCodes ?? [])).to.deep.equal(Array.from({ length: 127 }, (_, index) => index + 1));
    for (const { when } of rules) expect(when?.exitCodes).to.have.length.at.most(64);
  });

  it('that never retry make a backoff limit one that is lost', () => {
    const { notes } = only(tfJob({ Worker: replica('tensorflow', { restartPolicy: 'Never' }) }, { runPolicy: { backoffLimit: 4 } }));
    expect(notes.filter(({ kind }) => kind === 'Lost').map(({ path }) => path)).to.deep.equal(['spec.runPolicy.backoffLimit']);
  });
});

describe('roles', () => {
  it('are found in any capitals, and come with the leading one first', () => {
    const { job } = only(tfJob({ wOrKeR: replica('tensorflow', { replicas: 3 }), PS: replica('tensorflow'), CHIEF: replica('tensorflow') }));
    expect(job.spec.roles.map(({ name, replicas }) => [name, replicas])).to.deep.equal([['chief', 1], ['ps', 1], ['worker', 3]]);
  });

  it('put the container first that trains', () => {
    const spec = { containers: [{ name: 'proxy', image }, { name: 'pytorch', image }] };
    const { job } = only(pytorchJob({ Worker: { template: { spec } } }));
    expect((job.spec.roles[0]?.template.spec.containers as { name: string }[]).map(({ name }) => name)).to.deep.equal(['pytorch', 'proxy']);
  });

  it('of a PyTorchJob with a master end with it', () => {
    expect(only(pytorchJob({ Master: replica('pytorch'), Worker: replica('pytorch') })).job.spec.successPolicy).to.equal('Chief');
    expect(only(pytorchJob({ Worker: replica('pytorch') })).job.spec.successPolicy).to.equal(undefined);
  });

  it('that are elastic begin within their bounds', () => {
    const { job } = only(pytorchJob({ Worker: replica('pytorch', { replicas: 1 }) }, { elasticPolicy: { minReplicas: 2, maxReplicas: 4 } }));
    expect(job.spec.roles[0]).to.include({ replicas: 2, minReplicas: 2, maxReplicas: 4 });
  });

  it('of an MPI job have the slots of the hostfile, one where none are given', () => {
    const mpiReplicaSpecs = { Launcher: replica('main'), Worker: replica('main', { replicas: 2 }) };
    const { job } = only(kubeflow('MPIJob', { mpiReplicaSpecs }, 'kubeflow.org/v2beta1'));
    expect(job.spec.roles.map(({ name, processesPerPod }) => [name, processesPerPod])).to.deep.equal([['launcher', undefined], ['worker', 1]]);
    expect(job.spec.failurePolicy).to.deep.equal({ budgets: { applicationError: 6 } });
  });

  it('read labels of their own pod by the names that Anneal gives them', () => {
    const env = [{ name: 'JOB', valueFrom: { fieldRef: { fieldPath: "metadata.labels['training.kubeflow.org/job-name']" } } }];
    const { job, notes } = only(pytorchJob({ Worker: { template: { spec: { containers: [{ name: 'pytorch', image, env }] } } } }));
    expect(JSON.stringify(job)).to.include("metadata.labels['anneal.dev/training-job']");
    expect(notes).to.deep.equal([]);
  });
});

describe('scheduling', () => {
  it('by a policy is a gang of all pods, in the queue of Volcano', () => {
    const schedulingPolicy = { minAvailable: 2, queue: 'research', priorityClass: 'high', scheduleTimeoutSeconds: 30 };
    const { job, notes } = only(pytorchJob({ Worker: replica('pytorch', { replicas: 2 }) }, { runPolicy: { schedulingPolicy } }));
    expect(job.spec.scheduling).to.deep.equal({ gang: true, queueName: 'research', scheduler: 'Volcano', priorityClassName: 'high', gangTimeoutSeconds: 30 });
    expect(notes).to.deep.equal([]);
  });

  it('by Kueue is by the label, without the suspension that only Kueue would have ended', () => {
    const job = pytorchJob({ Worker: replica('pytorch') }, { runPolicy: { suspend: true } });
    const { spec, metadata } = only({ ...job, metadata: { name: 'job', labels: { 'kueue.x-k8s.io/queue-name': 'team' } } }).job;
    expect(spec.scheduling).to.deep.equal({ queueName: 'team', scheduler: 'Kueue' });
    expect(spec).not.to.have.property('suspend');
    expect(metadata).to.deep.equal({ name: 'job' });
    expect(only(pytorchJob({ Worker: replica('pytorch') }, { runPolicy: { suspend: true } })).job.spec.suspend).to.equal(true);
  });
});

describe('a TrainJob', () => {
  const container = { name: 'node', image, env: [{ name: 'A', value: 'runtime' }] };
  const job = { name: 'node', template: { metadata: { labels: { 'trainer.kubeflow.org/trainjob-ancestor-step': 'trainer' } }, spec: { template: { spec: { containers: [container] } } } } };
  const runtime = (mlPolicy: object) => ({ apiVersion: 'trainer.kubeflow.org/v1alpha1', kind: 'ClusterTrainingRuntime', metadata: { name: 'r' }, spec: { mlPolicy, template: { spec: { replicatedJobs: [job] } } } });
  const trainJob = (spec: object) => ({ apiVersion: 'trainer.kubeflow.org/v1alpha1', kind: 'TrainJob', metadata: { name: 'job' }, spec: { runtimeRef: { name: 'r' }, ...spec } });

  it('counts before its runtime, and its patches too', () => {
    const patch = { template: { spec: { replicatedJobs: [{ name: 'node', template: { spec: { template: { spec: { nodeSelector: { gpu: 'a100' } } } } } }] } } };
    const trainer = { numNodes: 3, image: 'example.com/b:2', env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }, { name: 'B', value: 'b' }] };
    const { job: result, notes } = only(runtime({ numNodes: 2, torch: {} }), trainJob({ trainer, runtimePatches: [{ manager: 'm', trainingRuntimeSpec: patch }] }));
    expect(notes).to.deep.equal([]);
    expect(result.spec.framework).to.equal('PyTorch');
    expect(result.spec.roles).to.deep.equal([{ name: 'worker', replicas: 3, template: { spec: { containers: [{ name: 'node', image: 'example.com/b:2', env: trainer.env }], nodeSelector: { gpu: 'a100' } } } }]);
  });

  it('does not take over the nodes that an admission by Kueue chose', () => {
    const trainingRuntimeSpec = { template: { spec: { replicatedJobs: [{ name: 'node', template: { spec: { template: { spec: { nodeSelector: { flavor: 'spot' } } } } } }] } } };
    const { job: result, notes } = only(runtime({ torch: {} }), trainJob({ runtimePatches: [{ manager: 'kueue.x-k8s.io/manager', trainingRuntimeSpec }] }));
    expect(result.spec.roles[0]?.template.spec).not.to.have.property('nodeSelector');
    expect(notes.map(({ kind, path }) => `${kind} ${path}`)).to.deep.equal(['Lost spec.runtimePatches[0].trainingRuntimeSpec']);
  });

  it('starts a PyTorch process for each core, as kubeflow/trainer does, unless its pods have accelerators', () => {
    const processes = (resourcesPerNode: object) => only(runtime({ torch: {} }), trainJob({ trainer: { resourcesPerNode } })).job.spec.roles[0]?.processesPerPod;
    expect(processes({ requests: { cpu: '3500m' } })).to.equal(4);
    expect(processes({ limits: { cpu: 2 } })).to.equal(2);
    expect(processes({ limits: { cpu: '8', 'nvidia.com/gpu': 1 } })).to.equal(undefined);
  });

  it('asks Volcano for the tier of HyperNodes that its runtime asks for', () => {
    const of = (networkTopology: object) => only({ ...runtime({}), spec: { ...runtime({}).spec, podGroupPolicy: { volcano: { networkTopology } } } }, trainJob({}));
    expect(of({ mode: 'hard', highestTierAllowed: 2 }).job.spec.scheduling).to.deep.equal({ gang: true, scheduler: 'Volcano', topology: { key: '2', mode: 'Required' } });
    expect(of({ mode: 'soft', highestTierAllowed: 1 }).job.spec.scheduling?.topology).to.deep.equal({ key: '1', mode: 'Preferred' });
    expect(of({ mode: 'hard' }).notes.map(({ kind }) => kind)).to.deep.equal(['Lost']);
  });

  it('is not converted without its runtime; the sentence says how to get it', () => {
    expect(errorOf(trainJob({}))).to.equal('jobs.yaml: spec.runtimeRef.name: the ClusterTrainingRuntime r is not in the input; save it with `kubectl get clustertrainingruntime r -o yaml > runtime.yaml` and add --runtime runtime.yaml.');
  });
});

describe('bad input', () => {
  const worker = replica('tensorflow');
  const cases: readonly [string, object, RegExp][] = [
    ['a number that is a text', tfJob({ Worker: { ...worker, replicas: 'two' } }), /^jobs\.yaml: spec\.tfReplicaSpecs\.Worker\.replicas: is "two"; write a whole number\.$/],
    ['a role that there is none of', tfJob({ Server: worker }), /spec\.tfReplicaSpecs\.Server: is no role of a TFJob, which has Chief, Master, PS, Worker, Evaluator\./],
    ['a role in two spellings', tfJob({ Worker: worker, worker }), /spec\.tfReplicaSpecs\.Worker: stands there twice/],
    ['a chief and a master', tfJob({ Chief: worker, Master: worker }), /spec\.tfReplicaSpecs\.Master: is the old name of the chief/],
    ['no role with a pod', tfJob({ Worker: { ...worker, replicas: 0 } }), /spec\.tfReplicaSpecs: has no role with a pod/],
    ['no roles at all', kubeflow('TFJob', {}), /spec\.tfReplicaSpecs: is missing; write for example/],
    ['a policy that there is none of', tfJob({ Worker: { ...worker, restartPolicy: 'Sometimes' } }), /restartPolicy: is "Sometimes"; write one of Always, OnFailure, Never, ExitCode\./],
    ['a container without an image', tfJob({ Worker: { template: { spec: { containers: [{ name: 'tensorflow' }] } } } }), /containers\[0\]\.image: is missing/],
    ['a number among the arguments', tfJob({ Worker: { template: { spec: { containers: [{ name: 'tensorflow', image, args: ['-n', 2] }] } } } }), /args\[1\]: is 2; it must be a text, so write it in quotes\./],
    ['a truth value in the environment', tfJob({ Worker: { template: { spec: { containers: [{ name: 'tensorflow', image, env: [{ name: 'A', value: true }] }] } } } }), /env\[0\]\.value: is true; write a text/],
    ['a version that was before', kubeflow('TFJob', {}, 'kubeflow.org/v1beta1'), /apiVersion: TFJob job is of kubeflow\.org\/v1beta1, and the converter knows kubeflow\.org\/v1;/],
    ['no object', ['a'], /is no object of Kubernetes/],
    ['no kind', { apiVersion: 'kubeflow.org/v1' }, /has no kind/],
    ['no name', { ...tfJob({ Worker: worker }), metadata: {} }, /metadata\.name: is missing/],
    ['a name that is too long', { ...tfJob({ Worker: worker }), metadata: { name: 'a'.repeat(64) } }, /name has 64 characters/],
  ];
  for (const [what, document, sentence] of cases) {
    it(`is said in one sentence: ${what}`, () => {
      expect(errorOf(document)).to.match(sentence);
      expect(errorOf(document)).not.to.include('\n');
    });
  }
});

describe('YAML', () => {
  const read = (text: string): unknown => parseYaml({ name: 'a.yaml', text })[0]?.content;

  it('is read as kubectl reads it: octal modes, yes and no, times that are texts', () => {
    expect(read('a: 0400\nb: yes\nc: "yes"\nd: 12:30\ne: 1_000\nf: 2024-01-01\ng: 0x10\nh: -07\ni: 0\nj: 0o17\nk: 1e3\nl: 08\nm: ~')).to.deep.equal({
      a: 256, b: true, c: 'yes', d: '12:30', e: 1000, f: '2024-01-01', g: 16, h: -7, i: 0, j: 15, k: 1000, l: 8, m: null,
    });
  });

  it('that is none is named with its file and line', () => {
    expect(() => read('a: 1\nb: [')).to.throw(/^a\.yaml is no YAML: .*\(\d+:\d+\)\.$/);
  });
});
