/** The jobs of a runtime that fetch data set and model before the training: init containers of the pods that train. */
import type { DraftRole, DraftTemplate } from './draft.ts';
import { readJob } from './jobset.ts';
import { isObject, listOf, withField, type Json } from './json.ts';
import { mapping, type Node } from './node.ts';
import { Reader } from './reader.ts';
import { ancestorOf, overContainer, watchOf } from './runtime.ts';
import { readContainer } from './template.ts';

const steps = { dataset: 'dataset-initializer', model: 'model-initializer' } as const;
/** Only containers that go on running may have these. */
const notOfInitContainers = ['livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle'];

export function withInitializers(roles: readonly DraftRole[], jobs: readonly Reader[], initializer: Reader | undefined): readonly DraftRole[] {
  initializer?.entries();
  const started = jobs.map((job) => new Reader(withAssets(job, initializer), job.ledger));
  for (const [asset, step] of Object.entries(steps)) {
    if (!jobs.some((job) => ancestorOf(job.node) === step)) initializer?.loseField(asset, `The runtime has no job for it, called ${step}.`, 'Fetch it in an init container of the role.');
  }
  return started.reduce((given, job) => withJob(given, job), roles);
}

/** What kubeflow/trainer writes from spec.initializer over the container of that name. */
function withAssets(job: Reader, initializer: Reader | undefined): Node {
  const [asset, step] = Object.entries(steps).find(([, name]) => name === ancestorOf(job.node)) ?? ['', ''];
  const given = initializer?.at(asset);
  if (given === undefined) return job.node;
  given.entries();
  const uri = given.at('storageUri')?.node;
  const secret = given.at('secretRef')?.node;
  const watch = watchOf(job.ledger);
  const withUri = uri === undefined ? job.node : overContainer(job.node, step, mapping(given.path, { env: list(given.path, variable('STORAGE_URI', uri)) }), watch);
  const env = given.at('env')?.node;
  const withEnv = env === undefined ? withUri : overContainer(withUri, step, mapping(given.path, { env }), watch);
  return secret === undefined ? withEnv : overContainer(withEnv, step, mapping(given.path, { envFrom: list(given.path, mapping(secret.path, { secretRef: secret })) }), watch);
}

function variable(name: string, value: Node): Node {
  return mapping(value.path, { name: { kind: 'scalar', path: value.path, value: name }, value });
}

function list(path: string, ...items: readonly Node[]): Node {
  return { kind: 'sequence', path, items };
}

function withJob(roles: readonly DraftRole[], job: Reader): readonly DraftRole[] {
  const pod = readJob(job);
  pod.loseField('metadata', 'It is no pod of its own any more.', 'Leave it out.');
  const spec = pod.need('spec', '{containers: [...]}');
  job.remark(
    'It runs as an init container of each pod that trains, and again with each attempt; it was a job before them all.',
    'To fetch only once, fill a volume that all pods share before the training, and drop the init container.',
  );
  const before = spec.at('initContainers')?.items().map(readContainer) ?? [];
  const containers = spec.need('containers', '[...]').items().map(readAsInitContainer);
  const joined = roles.map((role) => ({ ...role, template: withContainers(role.template, [...before, ...containers]) }));
  const withVolumes = joinList(joined, spec.at('volumes'));
  const withSecrets = joinList(withVolumes, spec.at('imagePullSecrets'));
  spec.ignore('restartPolicy');
  readAccount(spec, roles);
  for (const [name, field] of spec.entries()) {
    if (!['containers', 'initContainers', 'volumes', 'imagePullSecrets', 'restartPolicy', 'serviceAccountName'].includes(name)) {
      field.lose('It is a setting of a pod, and the pod is that of the trainer now.', 'Set it in the template of the role, if it is right for the trainer too.');
    }
  }
  return withSecrets;
}

function readAsInitContainer(container: Reader): Json {
  for (const name of notOfInitContainers) container.loseField(name, 'An init container has none.', 'Leave it out.');
  const value = readContainer(container);
  return isObject(value) ? Object.fromEntries(Object.entries(value).filter(([name]) => !notOfInitContainers.includes(name))) : value;
}

function withContainers(template: DraftTemplate, containers: readonly Json[]): DraftTemplate {
  return { ...template, spec: withField(template.spec, 'initContainers', [...listOf(template.spec, 'initContainers'), ...containers]) };
}

/** Adds what the roles do not have yet by name; what they have under that name with another content counts. */
function joinList(roles: readonly DraftRole[], field: Reader | undefined): readonly DraftRole[] {
  if (field === undefined) return roles;
  const name = field.path.endsWith('volumes') ? 'volumes' : 'imagePullSecrets';
  return field.items().reduce((given, item) => {
    const value = item.take();
    const key = isObject(value) && typeof value.name === 'string' ? value.name : '';
    return given.map((role) => {
      const present = listOf(role.template.spec, name);
      const same = present.find((other) => isObject(other) && other.name === key);
      if (same === undefined) return { ...role, template: { ...role.template, spec: withField(role.template.spec, name, [...present, value]) } };
      if (JSON.stringify(same) !== JSON.stringify(value)) item.lose(`The pods that train have another of that name, ${key}.`, 'Give it a name of its own.');
      return role;
    });
  }, roles);
}

function readAccount(spec: Reader, roles: readonly DraftRole[]): void {
  const account = spec.text('serviceAccountName');
  if (account === undefined || roles.every(({ template }) => template.spec.serviceAccountName === account)) return;
  spec.loseField('serviceAccountName', 'A pod has one service account, and it is the trainer\'s.', 'Give the role that account, if the trainer may have its rights.');
}
