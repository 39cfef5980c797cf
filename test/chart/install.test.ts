import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { chart, helm, renderChart } from '../../hack/chart/helm.ts';
import { binary, startControlPlane } from '../../hack/cluster/index.ts';
import type { TestControlPlane } from '../../hack/cluster/index.ts';
import { manifests } from '../../hack/manifests.ts';
import { namesOf, parseManifests } from '../support/manifests.ts';

/** Everything that may hold something of the release, cluster-wide. */
const kinds = [
  'serviceaccounts', 'roles', 'rolebindings', 'clusterroles', 'clusterrolebindings', 'services', 'deployments.apps',
  'poddisruptionbudgets', 'networkpolicies', 'pods', 'configmaps', 'secrets', 'leases', 'customresourcedefinitions',
].join(',');

/** On an API server of its own: it installs cluster-wide roles and CRDs, which other suites would see. */
describe('installing on a real API server', function installSuite() {
  this.timeout(120_000);
  let plane: TestControlPlane;
  let folder: string;

  before(async function start() {
    this.timeout(1_800_000);
    await binary('helm');
    plane = await startControlPlane({ withControllers: true });
    folder = await mkdtemp(join(tmpdir(), 'anneal-install-'));
  });

  after(async () => {
    await plane.dispose();
    await rm(folder, { recursive: true });
  });

  /** `kind/name` of what carries the release's label. */
  async function installed(): Promise<readonly string[]> {
    const list = JSON.parse(await plane.kubectl(['get', kinds, '--all-namespaces', '-l', 'app.kubernetes.io/part-of=anneal', '-o', 'json'])) as { items: Parameters<typeof namesOf>[0] };
    return namesOf(list.items);
  }

  async function restrictedNamespace(name: string): Promise<void> {
    await plane.kubectl(['create', 'namespace', name]);
    await plane.kubectl(['label', 'namespace', name, 'pod-security.kubernetes.io/enforce=restricted', 'pod-security.kubernetes.io/warn=restricted']);
  }

  async function helmOnPlane(...args: readonly string[]): Promise<string> {
    const result = await helm([...args, '--kubeconfig', plane.kubeconfigPath]);
    expect(result.code, result.stderr).to.equal(0);
    return result.stdout;
  }

  it('installs with helm, shows what to type next, upgrades, and uninstalls all but the CRDs', async () => {
    await restrictedNamespace('helm-system');
    const notes = await helmOnPlane('install', 'anneal', chart, '--namespace', 'helm-system');
    expect(notes).to.include('kubectl apply -f my-training-job.yaml');
    expect(await installed()).to.include.members(['Deployment/anneal', 'ClusterRole/anneal-operator', 'CustomResourceDefinition/trainingjobs.anneal.dev']);

    await helmOnPlane('upgrade', 'anneal', chart, '--namespace', 'helm-system', '--set', 'replicas=2', '--set', 'networkPolicy.enabled=true');
    expect(await installed()).to.include.members(['PodDisruptionBudget/anneal', 'NetworkPolicy/anneal']);

    await plane.kubectl(['create', '-f', '-'], { input: trainingJob('helm-system') });
    await helmOnPlane('uninstall', 'anneal', '--namespace', 'helm-system', '--wait', '--cascade', 'foreground');
    expect(await installed()).to.deep.equal([
      'CustomResourceDefinition/hyperparamsweeps.anneal.dev', 'CustomResourceDefinition/modeldeployments.anneal.dev', 'CustomResourceDefinition/trainingjobs.anneal.dev',
    ]);
    expect(await plane.kubectl(['get', 'tj', '--namespace', 'helm-system', '-o', 'name'])).to.include('trainingjob.anneal.dev/first');
    // A release of the same name finds the CRDs that it left and takes them back.
    await helmOnPlane('install', 'anneal', chart, '--namespace', 'helm-system');
    await helmOnPlane('uninstall', 'anneal', '--namespace', 'helm-system', '--wait');
  });

  it('makes pods that the Pod Security Standard "restricted" admits, in every variant', async () => {
    await restrictedNamespace('restricted');
    for (const set of [[], ['replicas=2'], ['operator.watchNamespace=restricted', 'image.pullPolicy=Always']]) {
      const deployment = parseManifests(await renderChart({ namespace: 'restricted', set })).find(({ kind }) => kind === 'Deployment');
      const template = (deployment?.spec as { template: { spec: unknown } }).template;
      const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'operator', namespace: 'restricted' }, spec: { ...(template.spec as object), serviceAccountName: 'default' } };
      // A Deployment is admitted whatever its pods are like: only a pod shows.
      expect(await plane.kubectl(['create', '--dry-run=server', '-f', '-'], { input: JSON.stringify(pod) })).to.include('pod/operator created');
    }
    const tests = await helm(['template', 'anneal', chart, '--namespace', 'restricted', '--kube-version', 'v1.35.0', '--show-only', 'templates/tests/metrics.yaml']);
    expect(await plane.kubectl(['create', '--dry-run=server', '-f', '-'], { input: tests.stdout })).to.include('pod/anneal-test created');
  });

  it('applies as plain manifests, server-side and twice, and is what the chart renders', async () => {
    const text = await manifests();
    const [namespace, ...rest] = parseManifests(text);
    expect(namespace?.metadata.name).to.equal('anneal-system');
    expect(rest).to.deep.equal(parseManifests(await renderChart()));

    const file = join(folder, 'anneal.yaml');
    await writeFile(file, text);
    for (const time of ['first', 'second']) {
      expect(await plane.kubectl(['apply', '--server-side', '-f', file]), time).to.include('deployment.apps/anneal serverside-applied');
    }
    expect(await installed()).to.deep.equal(namesOf(rest));
    expect(await plane.kubectl(['explain', 'trainingjob.spec'])).to.include('FIELDS');
  });

  it('hands what plain manifests installed over to helm', async () => {
    await plane.kubectl(['apply', '--server-side', '-f', '-'], { input: await manifests() });
    await helmOnPlane('upgrade', '--install', '--take-ownership', 'anneal', chart, '--namespace', 'anneal-system');
    expect(await helmOnPlane('list', '--namespace', 'anneal-system')).to.include('deployed');
  });

  it('lets each role of a team do its work and no more', async () => {
    await plane.kubectl(['apply', '--server-side', '-f', '-'], { input: await manifests() });
    await plane.kubectl(['create', 'namespace', 'team']);
    for (const role of ['viewer', 'data-scientist', 'ml-engineer']) {
      await plane.kubectl(['create', 'rolebinding', role, '--namespace', 'team', '--clusterrole', `anneal-${role}`, '--user', role]);
    }
    await plane.kubectl(['create', 'rolebinding', 'edit', '--namespace', 'team', '--clusterrole', 'edit', '--user', 'editor']);
    const review = (user: string, what: string): string => {
      const [verb = '', resource = ''] = what.split(' ');
      return JSON.stringify({ apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec: { user, resourceAttributes: { namespace: 'team', verb, ...resourceOf(resource) } } });
    };
    /** One answer a review, in their order; one kubectl for all. */
    const answers = async (reviews: readonly string[]): Promise<readonly boolean[]> => {
      const output = await plane.kubectl(['create', '-f', '-', '-o', 'jsonpath={.status.allowed}{"\\n"}'], { input: reviews.join('\n---\n') });
      return output.trim().split('\n').map((line) => line === 'true');
    };
    await eventually(async () => (await answers([review('ml-engineer', 'create modeldeployments.anneal.dev')]))[0] === true, 'the aggregation of the roles');
    const table: Record<string, readonly string[]> = {
      'get trainingjobs.anneal.dev': ['viewer', 'data-scientist', 'ml-engineer', 'editor'],
      'create trainingjobs.anneal.dev': ['data-scientist', 'ml-engineer', 'editor'],
      'delete hyperparamsweeps.anneal.dev': ['data-scientist', 'ml-engineer', 'editor'],
      'get modeldeployments.anneal.dev': ['viewer', 'data-scientist', 'ml-engineer', 'editor'],
      'patch modeldeployments.anneal.dev': ['ml-engineer', 'editor'],
      'update trainingjobs.anneal.dev/status': [],
      'get pods/log': ['data-scientist', 'ml-engineer', 'editor'],
      'get deployments.apps': ['ml-engineer', 'editor'],
      'get secrets': ['editor'],
      'create pods': ['editor'],
    };
    const users = ['viewer', 'data-scientist', 'ml-engineer', 'editor'];
    const questions = Object.keys(table).flatMap((what) => users.map((user) => ({ what, user })));
    const given = await answers(questions.map(({ what, user }) => review(user, what)));
    const asGiven = Object.fromEntries(Object.keys(table).map((what) => [what, users.filter((user) => given[questions.findIndex((question) => question.what === what && question.user === user)])]));
    expect(given).to.have.lengthOf(questions.length);
    expect(asGiven).to.deep.equal(table);
  });
});

function resourceOf(text: string): { readonly group: string; readonly resource: string; readonly subresource: string } {
  const [name = '', subresource = ''] = text.split('/');
  const [resource = '', ...group] = name.split('.');
  return { group: group.join('.'), resource, subresource };
}

function trainingJob(namespace: string): string {
  return JSON.stringify({
    apiVersion: 'anneal.dev/v1alpha1',
    kind: 'TrainingJob',
    metadata: { name: 'first', namespace },
    spec: {
      trainer: {
        data: { source: { format: 'CSV', uri: 'configmap://digits/digits.csv' }, target: 'label' },
        model: { preset: 'MLP' },
      },
    },
  });
}

async function eventually(holds: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`Waited 30 s in vain for ${what}.`);
  }
}
