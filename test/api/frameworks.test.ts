import { expect } from 'chai';
import { until } from '../../hack/cluster/until.ts';
import { labels } from '../../operator/src/api/index.ts';
import { claimTemplateType, podType, secretType, serviceType } from '../../operator/src/controllers/shared/resources.ts';
import type { KubeObject, ResourceType } from '../../operator/src/kube/resource.ts';
import { operatorAgent, withOperator } from '../support/operator.ts';

interface Secret extends KubeObject {
  readonly type: string;
  readonly immutable?: boolean;
  readonly data: Readonly<Record<string, string>>;
}

describe('what the pods of a job share, on a real API server and with the rights of the chart', () => {
  const suite = withOperator();
  const container = { name: 'main', image: 'example.com/work:1' };
  const template = { spec: { containers: [container] } };
  const trainer = { data: { source: { uri: 'https://example.com/x.csv' }, target: 'label' }, model: { preset: 'MLP' }, fit: { epochs: 1 } };

  async function ofJob<T extends KubeObject>(type: ResourceType, job: string): Promise<readonly T[]> {
    const { items } = await suite.client.list<T>(type, (raw) => raw as T, { namespace: suite.namespace });
    return items.filter(({ metadata }) => metadata.labels?.[labels.trainingJob] === job);
  }

  async function withPods(name: string, count: number, spec: object): Promise<void> {
    await suite.create(name, spec);
    await until(`the pods of ${name}`, async () => (await ofJob(podType, name)).length === count, { timeoutSeconds: 30 });
  }

  it('is an SSH key pair with the hostfile for MPI', async () => {
    await withPods('mpi', 3, { framework: 'MPI', roles: [{ name: 'launcher', template }, { name: 'worker', replicas: 2, processesPerPod: 4, template }] });
    const [secret] = await ofJob<Secret>(secretType, 'mpi');
    expect(secret).to.include({ type: 'kubernetes.io/ssh-auth', immutable: true });
    expect(secret?.metadata.ownerReferences?.map(({ kind, name }) => `${kind} ${name}`)).to.deep.equal(['TrainingJob mpi']);
    expect(Buffer.from(secret?.data.hostfile ?? '', 'base64').toString()).to.match(/^worker-0\.\S+\.svc slots=4\nworker-1\.\S+\.svc slots=4\n$/);
  });

  it('is a certificate for replicas of the built-in trainer', async () => {
    await withPods('ring', 2, { trainer, replicas: 2 });
    const [secret] = await ofJob<Secret>(secretType, 'ring');
    expect(secret).to.include({ type: 'kubernetes.io/tls', immutable: true });
    expect(Object.keys(secret?.data ?? {}).sort()).to.deep.equal(['tls.crt', 'tls.key']);
  });

  it('is a template of claims for devices of a class', async () => {
    await withPods('devices', 2, { framework: 'PyTorch', roles: [{ name: 'worker', replicas: 2, accelerator: { deviceClassName: 'gpu.example.com', count: 2 }, template }] });
    const [claims] = await ofJob<KubeObject & { readonly spec: { readonly spec: object } }>(claimTemplateType, 'devices');
    expect(claims?.spec.spec).to.deep.equal({ devices: { requests: [{ name: 'accelerator', exactly: { deviceClassName: 'gpu.example.com', allocationMode: 'ExactCount', count: 2 } }] } });
    const [pod] = await ofJob<KubeObject & { readonly spec: { readonly resourceClaims?: readonly object[] } }>(podType, 'devices');
    expect(pod?.spec.resourceClaims).to.deep.equal([{ name: 'accelerator', resourceClaimTemplateName: claims?.metadata.name }]);
  });

  it('is a Service, also of a job with a name that a Service may not have', async () => {
    await withPods('2nd.run', 2, { framework: 'Custom', roles: [{ name: 'worker', replicas: 2, template }] });
    const [service] = await ofJob(serviceType, '2nd.run');
    expect(service?.metadata.name).to.match(/^job-2nd-run-pods-/);
  });

  it('is not asked for again while nothing changes', async () => {
    const mark = suite.audit.mark();
    await suite.patch(suite.key('mpi'), { ttlSecondsAfterFinished: 3600 });
    await until('the change to be seen', async () => ((await suite.get(suite.key('mpi'))).status?.conditions ?? []).every(({ observedGeneration }) => observedGeneration === 2), { timeoutSeconds: 30 });
    expect(suite.audit.writesBy(operatorAgent, mark).map(({ resource }) => resource)).not.to.include('secrets');
  });
});
