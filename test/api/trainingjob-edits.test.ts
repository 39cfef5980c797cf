import { expect } from 'chai';
import { join } from 'node:path';
import { readCrds, root } from '../../hack/gen/schema.ts';
import { withCluster } from '../support/cluster.ts';
import { Kubectl } from '../support/kubernetes.ts';

const trainer = (epochs: number) => ({ data: { source: { uri: 'https://example.com/x.csv' }, target: 'label' }, model: { preset: 'MLP' }, fit: { epochs } });
const roles = (image: string, extra: object = {}) => [{ name: 'worker', template: { spec: { containers: [{ name: 'main', image, ...extra }] } } }];

describe('an edit of a TrainingJob', function editsSuite() {
  this.timeout(120_000);
  const cluster = withCluster({ crds: readCrds().map(({ plural }) => join(root, 'charts/anneal/files/crds', `${plural}.yaml`)) });
  const kubectl = new Kubectl(cluster);
  const apply = (name: string, spec: object) => kubectl.apply({ apiVersion: 'anneal.dev/v1alpha1', kind: 'TrainingJob', metadata: { name }, spec });
  const refusal = async (edit: Promise<void>): Promise<string> => edit.then(() => '', (error: unknown) => String(error instanceof Error ? error.message : error));
  const fixed = /trainer, framework, roles, .*accelerator and checkpoint\.volume stay as they are.*make a new TrainingJob/;

  it('may not change what is trained, on what, or where it is kept, so that no attempt mixes two runs', async () => {
    await apply('declared', { trainer: trainer(5) });
    expect(await refusal(apply('declared', { trainer: trainer(6) }))).to.match(fixed);
    expect(await refusal(apply('declared', { trainer: trainer(5), accelerator: { resource: 'nvidia.com/gpu' } }))).to.match(fixed);
    expect(await refusal(apply('declared', { trainer: trainer(5), checkpoint: { volume: { claimName: 'other' } } }))).to.match(fixed);
    await apply('own', { roles: roles('example.com/a:1', { env: [{ name: 'RATE', value: '1' }] }) });
    expect(await refusal(apply('own', { roles: roles('example.com/b:1', { env: [{ name: 'RATE', value: '1' }] }) }))).to.match(fixed);
    expect(await refusal(apply('own', { roles: roles('example.com/a:1', { env: [{ name: 'RATE', value: '2' }] }) }))).to.match(fixed);
  });

  it('may change how the job is run: from the next attempt on it has more memory, larger budgets, another limit', async () => {
    await apply('steered', { trainer: trainer(5) });
    const spec = { trainer: trainer(5), pod: { resources: { limits: { memory: '4Gi' } } }, failurePolicy: { budgets: { outOfMemory: 3 } }, suspend: true, activeDeadlineSeconds: 60, ttlSecondsAfterFinished: 5 };
    await apply('steered', spec);
    await kubectl.setStatus('tj', 'steered', { attempt: 1 });
    await apply('steered', { ...spec, suspend: false });
  });

  it('may change everything while the job is suspended and never had a pod, as the template of a sweep', async () => {
    await apply('template', { trainer: trainer(5), suspend: true });
    await apply('template', { trainer: trainer(6), suspend: true });
    await kubectl.setStatus('tj', 'template', { attempt: 0 });
    await apply('template', { trainer: trainer(7), suspend: true });
    await kubectl.setStatus('tj', 'template', { attempt: 1 });
    expect(await refusal(apply('template', { trainer: trainer(8), suspend: true }))).to.match(fixed);
  });

  it('may change how many pods an elastic job has, within its bounds, and no other job', async () => {
    const role = (replicas: number, bounds: object) => ({ framework: 'PyTorch', roles: [{ ...roles('example.com/a:1')[0], replicas, ...bounds }] });
    const bounds = { minReplicas: 1, maxReplicas: 4 };
    await apply('elastic', role(2, bounds));
    await apply('elastic', role(4, bounds));
    expect(await refusal(apply('elastic', role(5, bounds)))).to.match(/replicas must lie between minReplicas and maxReplicas/);
    await apply('rigid', role(2, {}));
    expect(await refusal(apply('rigid', role(3, {})))).to.match(fixed);
    await apply('trained', { trainer: trainer(5), replicas: 2, ...bounds });
    await kubectl.run('scale', 'tj', 'trained', '--replicas=3');
    expect((await kubectl.get('tj', 'trained')).spec?.replicas).to.equal(3);
  });

  it('may not switch between trainer and roles even then', async () => {
    await apply('switched', { trainer: trainer(5), suspend: true });
    expect(await refusal(kubectl.run('patch', 'tj', 'switched', '--type=merge', '-p', JSON.stringify({ spec: { trainer: null, roles: roles('example.com/a:1') } })).then(() => undefined))).to.match(/make a new TrainingJob to switch/);
  });
});
