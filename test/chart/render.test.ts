import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';
import { load } from 'js-yaml';

import { chart, helm, renderArguments, renderChart, repository } from '../../hack/chart/helm.ts';
import { readmeWithValues, valueRows } from '../../hack/chart/values.ts';
import { binary } from '../../hack/cluster/index.ts';
import { namesOf, parseManifests } from '../support/manifests.ts';
import type { Manifest } from '../support/manifests.ts';

const everyOption = join(import.meta.dirname, 'every-option.yaml');

describe('the chart', function chartSuite() {
  this.timeout(60_000);

  before(async function buildHelm() {
    this.timeout(1_800_000);
    await binary('helm');
  });

  it('passes helm lint with its defaults and with every option', async () => {
    for (const values of [[], ['--values', everyOption]]) {
      const result = await helm(['lint', '--strict', '--kube-version', 'v1.35.0', chart, ...values]);
      expect(result.code, result.stdout + result.stderr).to.equal(0);
    }
  });

  it('creates by default the CRDs, the operator with its rights, the team roles and nothing else', async () => {
    expect(namesOf(parseManifests(await renderChart()))).to.deep.equal([
      'ClusterRole/anneal-data-scientist', 'ClusterRole/anneal-deployments', 'ClusterRole/anneal-experiments', 'ClusterRole/anneal-ml-engineer',
      'ClusterRole/anneal-observe', 'ClusterRole/anneal-operator', 'ClusterRole/anneal-serving', 'ClusterRole/anneal-viewer',
      'ClusterRoleBinding/anneal-operator',
      'CustomResourceDefinition/hyperparamsweeps.anneal.dev', 'CustomResourceDefinition/modeldeployments.anneal.dev', 'CustomResourceDefinition/trainingjobs.anneal.dev',
      'Deployment/anneal', 'Lease/anneal-operator', 'Role/anneal-leader-election', 'RoleBinding/anneal-leader-election', 'Service/anneal', 'ServiceAccount/anneal',
    ]);
  });

  it('adds what every option asks for', async () => {
    const names = namesOf(parseManifests(await renderChart({ valuesFiles: [everyOption] })));
    expect(names).to.include.members(['NetworkPolicy/anneal', 'PodDisruptionBudget/anneal', 'PrometheusRule/anneal', 'ServiceMonitor/anneal', 'ServiceAccount/operator']);
  });

  it('sets every value of its schema somewhere in the every-option file, so that no option goes untested', async () => {
    const set = load(await readFile(everyOption, 'utf8')) as Record<string, unknown>;
    const missing = (await valueRows()).filter(({ name }) => at(set, name) === undefined).map(({ name }) => name);
    expect(missing).to.deep.equal([]);
  });

  it('carries each CRD as it was generated, with the policy that keeps it', async () => {
    const rendered = parseManifests(await renderChart()).filter(({ kind }) => kind === 'CustomResourceDefinition');
    const folder = join(chart, 'files', 'crds');
    for (const file of await readdir(folder)) {
      const generated = load(await readFile(join(folder, file), 'utf8')) as Manifest;
      const found = rendered.find(({ metadata }) => metadata.name === generated.metadata.name);
      expect(found?.spec).to.deep.equal(generated.spec);
      expect(found?.metadata.annotations).to.include({ 'helm.sh/resource-policy': 'keep' });
    }
  });

  it('leaves the CRDs out, or deletable, when told so', async () => {
    const crdsOf = async (set: string): Promise<readonly Manifest[]> => parseManifests(await renderChart({ set: [set] })).filter(({ kind }) => kind === 'CustomResourceDefinition');
    expect(await crdsOf('crds.enabled=false')).to.have.lengthOf(0);
    for (const { metadata } of await crdsOf('crds.keep=false')) expect(metadata.annotations).to.equal(undefined);
  });

  it('prefixes everything with the release when its name is another', async () => {
    // One lease for all releases in a namespace: two operators there must not both lead.
    const names = namesOf(parseManifests(await renderChart({ release: 'ml' }))).filter((name) => !/^(CustomResourceDefinition|Lease)\//.test(name));
    for (const name of names) expect(name).to.match(/\/ml-anneal/);
  });

  it('gives the operator its rights on workloads only in the namespace that it watches', async () => {
    const all = parseManifests(await renderChart({ set: ['operator.watchNamespace=team-a'] }));
    const cluster = all.find(({ kind, metadata }) => kind === 'ClusterRole' && metadata.name === 'anneal-operator');
    expect(cluster?.rules?.flatMap(({ resources }) => resources)).not.to.include('pods');
    const roles = all.filter(({ kind, metadata }) => kind === 'Role' && metadata.name === 'anneal-operator');
    expect(roles.map(({ metadata }) => metadata.namespace)).to.deep.equal(['team-a']);
    for (const role of roles) expect(role.rules?.flatMap(({ resources }) => resources)).to.include('pods');
  });

  it('lets the operator write what it writes, and nothing else', async () => {
    const operator = parseManifests(await renderChart()).find(({ kind, metadata }) => kind === 'ClusterRole' && metadata.name === 'anneal-operator');
    const writes = (operator?.rules ?? []).flatMap(({ resources, verbs }) => resources.map((resource) => [resource, verbs.filter((verb) => !['get', 'list', 'watch'].includes(verb))] as const));
    expect(Object.fromEntries(writes.filter(([, verbs]) => verbs.length > 0))).to.deep.equal({
      'trainingjobs': ['create', 'delete'],
      'trainingjobs/status': ['patch'], 'hyperparamsweeps/status': ['patch'], 'modeldeployments/status': ['patch'],
      'trainingjobs/finalizers': ['update'], 'hyperparamsweeps/finalizers': ['update'], 'modeldeployments/finalizers': ['update'],
      'pods': ['create', 'delete'], 'services': ['create', 'patch'], 'persistentvolumeclaims': ['create', 'patch', 'delete'],
      'secrets': ['create'], 'resourceclaimtemplates': ['create'],
      'deployments': ['create', 'patch'], 'horizontalpodautoscalers': ['create', 'patch', 'delete'], 'poddisruptionbudgets': ['create', 'patch'],
      'volumesnapshots': ['create', 'patch'], 'events': ['create', 'patch'],
      'workloads': ['create', 'patch', 'delete'], 'workloads/status': ['patch'], 'podgroups': ['create', 'patch', 'delete'],
      'nodepools': ['create', 'patch', 'delete'], 'tokenreviews': ['create'],
    });
    expect(operator?.rules?.flatMap(({ resources }) => resources)).not.to.include.oneOf(['configmaps', 'customresourcedefinitions', 'volumesnapshotclasses']);
  });

  it('refuses labels that would take the place of its own, by which the operator is found', async () => {
    for (const value of ['commonLabels', 'podLabels']) {
      const result = await helm(renderArguments({ set: [`${value}.app\\.kubernetes\\.io/name=other`] }));
      expect(result.code).not.to.equal(0);
      expect(result.stderr).to.include("invalid propertyName 'app.kubernetes.io/name'");
    }
  });

  it('grants nobody a wildcard, a look into a Secret, or the right to grant more', async () => {
    for (const valuesFiles of [[], [everyOption]]) {
      for (const { kind, metadata, rules = [] } of parseManifests(await renderChart({ valuesFiles }))) {
        for (const rule of rules) {
          const where = `${kind}/${metadata.name}`;
          expect([...rule.apiGroups, ...rule.resources, ...rule.verbs], where).not.to.include('*');
          // The operator writes keys that pods share, and reads none.
          if (rule.resources.includes('secrets')) expect(rule, where).to.deep.equal({ apiGroups: [''], resources: ['secrets'], verbs: ['create'] });
          expect(rule.verbs, where).not.to.include.oneOf(['escalate', 'bind', 'impersonate']);
        }
      }
    }
  });

  it('pins an image by its digest where one is given', async () => {
    const text = await renderChart({ valuesFiles: [everyOption] });
    expect(text).to.include(`image: registry.example.com/anneal/operator@sha256:${'a'.repeat(64)}`);
    expect(text).to.include('--trainer-image=registry.example.com/anneal/trainer:1.2.3');
  });

  it('has the version of the project', async () => {
    const { version } = JSON.parse(await readFile(join(repository, 'package.json'), 'utf8')) as { version: string };
    const described = load(await readFile(join(chart, 'Chart.yaml'), 'utf8')) as Record<string, unknown>;
    expect(described).to.include({ version, appVersion: version });
  });

  it('documents every value in its README as the schema and the defaults have it', async () => {
    expect(await readFile(join(chart, 'README.md'), 'utf8'), 'run: sh hack/run.sh hack/chart/values.ts').to.equal(await readmeWithValues());
    for (const { name, description, value } of await valueRows()) {
      expect(description, name).not.to.equal('');
      expect(value, `${name} has no default in values.yaml`).not.to.equal(undefined);
    }
  });
});

describe('a wrong value', function wrongValues() {
  this.timeout(60_000);

  const cases = [
    { set: 'replica=2', says: /additional properties 'replica' not allowed/ },
    { set: 'image.tagg=1', says: /at '\/image': additional properties 'tagg' not allowed/ },
    { set: 'replicas=0', says: /at '\/replicas': minimum: got 0, want 1/ },
    { set: 'operator.logLevel=loud', says: /at '\/operator\/logLevel': value must be one of 'error', 'warn', 'info', 'debug'/ },
    { set: 'image.digest=abc', says: /at '\/image\/digest': 'abc' does not match pattern/ },
    { set: 'operator.watchNamespace=Team_A', says: /at '\/operator\/watchNamespace': 'Team_A' does not match pattern/ },
    { set: 'crds.keep=sometimes', says: /at '\/crds\/keep': got string, want boolean/ },
    { set: 'metrics.serviceMonitor.interval=often', says: /at '\/metrics\/serviceMonitor\/interval'/ },
    { set: 'operator.extraArgs={verbose}', says: /at '\/operator\/extraArgs\/0'/ },
  ];
  for (const { set, says } of cases) {
    it(`is refused with its place and the reason: ${set}`, async () => {
      const result = await helm(renderArguments({ set: [set] }));
      expect(result.code).not.to.equal(0);
      expect(result.stderr).to.match(says);
    });
  }

  it('is refused in a values file too', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'anneal-values-'));
    try {
      const file = join(folder, 'values.yaml');
      await writeFile(file, 'metrics: {serviceMonitor: {enable: true}}\n');
      const result = await helm(renderArguments({ valuesFiles: [file] }));
      expect(result.stderr).to.match(/at '\/metrics\/serviceMonitor': additional properties 'enable' not allowed/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

function at(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((object, key) => (object as Record<string, unknown> | undefined)?.[key], value);
}
