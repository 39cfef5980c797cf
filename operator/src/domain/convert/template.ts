/** Pod templates: what a role of a TrainingJob takes over as it is, and what Anneal decides itself. */
import { labels as ours } from '../../api/index.ts';
import type { DraftTemplate } from './draft.ts';
import { isObject, mapTexts, type Json, type JsonObject } from './json.ts';
import { tag } from './metadata.ts';
import type { Node } from './node.ts';
import type { Reader } from './reader.ts';

export interface TemplateContext {
  /** Name of the job, for the host names that the old operator gave to its pods. */
  readonly jobName: string;
  /** Names under which the old operator looks for the container that trains. */
  readonly trainers: readonly string[];
}

export function readTemplate(template: Reader, context: TemplateContext): DraftTemplate {
  const metadata = readTemplateMetadata(template.at('metadata'));
  const spec = template.need('spec', '{containers: [{name: main, image: example.com/train:1}]}');
  reportOldNames(spec, context.jobName);
  return { ...(Object.keys(metadata).length === 0 ? {} : { metadata }), spec: translate(readPodSpec(spec, context)) };
}

function readTemplateMetadata(metadata: Reader | undefined): JsonObject {
  if (metadata === undefined) return {};
  metadata.ignore('creationTimestamp');
  for (const [name, field] of metadata.entries()) {
    if (!['labels', 'annotations', 'creationTimestamp'].includes(name)) field.lose('Anneal names its pods itself and gives them labels and annotations only.', 'Leave it out.');
  }
  const kept = ['labels', 'annotations'].map((field) => {
    const entries = metadata.at(field)?.entries() ?? [];
    for (const [name, label] of entries) if (name.startsWith('anneal.dev/')) label.lose('Labels of this domain are Anneal\'s own.', 'Use a domain of yours.');
    return [field, Object.fromEntries(entries.filter(([name]) => !name.startsWith('anneal.dev/')).map(([name, value]) => [name, tag(value)]))] as const;
  });
  return Object.fromEntries(kept.filter(([, tags]) => Object.keys(tags).length > 0));
}

function readPodSpec(spec: Reader, context: TemplateContext): JsonObject {
  const fields: [string, Json][] = [];
  for (const [name, field] of spec.entries()) {
    if (name === 'restartPolicy') readRestartPolicy(field);
    else if (name === 'hostname' || name === 'subdomain') field.lose('Anneal gives each pod a host name of its own, by which the others find it.', 'Leave it out.');
    else if (name === 'containers') fields.push([name, readContainers(field, context.trainers)]);
    else if (name === 'initContainers') fields.push([name, field.items().map(readContainer)]);
    else fields.push([name, field.take()]);
  }
  if (spec.at('containers') === undefined) spec.need('containers', '[{name: main, image: example.com/train:1}]');
  return Object.fromEntries(fields);
}

/** The job's own restart policy counts, for the old operators as for Anneal. */
function readRestartPolicy(field: Reader): void {
  if (field.scalar() === 'Never') return;
  field.lose('The kubelet never restarts a container of a training pod; Anneal makes a new pod, and counts it.', 'Set spec.failurePolicy.budgets.applicationError to how often it may.');
}

/** The container that trains comes first, because its end decides about the pod. */
function readContainers(field: Reader, trainers: readonly string[]): Json {
  const items = field.items();
  if (items.length === 0) field.fail('is empty; a pod needs a container.');
  const read = items.map((item) => ({ item, name: item.at('name')?.node }));
  const position = read.findIndex(({ name }) => name?.kind === 'scalar' && trainers.includes(String(name.value)));
  if (position === -1 && trainers.length > 0 && items.length > 1) {
    field.remark(`None of the containers is called ${trainers.join(' or ')}, so the first is taken for the one that trains.`, 'Put the one that trains first.');
  }
  if (position > 0) field.remark('The container that trains comes first now, because its end decides about the pod.', 'Nothing is to be done.');
  const first = Math.max(position, 0);
  return [...items.slice(first, first + 1), ...items.slice(0, first), ...items.slice(first + 1)].map(readContainer);
}

export function readContainer(container: Reader): Json {
  const name = container.need('name', 'main').scalar();
  const image = container.need('image', 'example.com/train:1').scalar();
  if (typeof name !== 'string' || typeof image !== 'string') container.fail('needs a name and an image that are texts.');
  for (const field of ['command', 'args']) for (const word of container.at(field)?.items() ?? []) expectText(word);
  for (const variable of container.at('env')?.items() ?? []) {
    variable.need('name', 'RATE');
    variable.text('value');
  }
  return container.take();
}

/** YAML makes numbers and truth values of words without quotes, which a pod then refuses. */
function expectText(word: Reader): void {
  const value = word.scalar();
  if (typeof value !== 'string') word.fail(`is ${value}; it must be a text, so write it in quotes.`);
}

/** Labels that the old operators put on pods, and those by which Anneal says the same. */
const renamed: Readonly<Record<string, string>> = {
  'training.kubeflow.org/job-name': ours.trainingJob,
  'training.kubeflow.org/replica-type': ours.role,
  'training.kubeflow.org/replica-index': ours.index,
  'jobset.sigs.k8s.io/jobset-name': ours.trainingJob,
  'jobset.sigs.k8s.io/replicatedjob-name': ours.role,
  'batch.kubernetes.io/job-completion-index': ours.index,
};

/** Fields that read a label of their own pod read Anneal's. */
function replaceField(text: string): string {
  return text.replace(/^metadata\.(?:labels|annotations)\['([^']+)'\]$/, (whole, name: string) => (renamed[name] === undefined ? whole : `metadata.labels['${renamed[name]}']`));
}

function translate(spec: JsonObject): JsonObject {
  const translated = mapTexts(spec, replaceField);
  return isObject(translated) ? translated : spec;
}

/** Texts that are kept and will not do what they did, because they speak of things that the old operator made. */
function reportOldNames(template: Reader, jobName: string): void {
  const escaped = jobName.replace(/[^\w-]/g, '\\$&');
  const host = new RegExp(`(?<![\\w.-])${escaped}-(?:master|worker|chief|ps|evaluator|launcher|node)-\\d+`, 'i');
  for (const { path, text } of textsOf(template.node)) {
    const name = host.exec(text)?.[0];
    if (name !== undefined) template.warn(path, `It names a pod of the old operator, ${name}; Anneal's pods have other host names.`, 'Take the addresses from the environment: TF_CONFIG, MASTER_ADDR, the hostfile or ANNEAL_HOSTS.');
    const label = oldLabel.exec(text)?.[0];
    if (label !== undefined && replaceField(text) === text) template.warn(path, `It speaks of ${label}, which is no label of Anneal's pods.`, `Anneal's are ${ours.trainingJob}, ${ours.role} and ${ours.index}.`);
    if (text.includes('discover_hosts.sh')) template.warn(path, 'Anneal does not write discover_hosts.sh: the hosts of an MPI job stay the same.', 'Use mpirun with the hostfile, or framework: Custom with minReplicas and maxReplicas.');
  }
}

const oldLabel = /(?:training\.kubeflow\.org|trainer\.kubeflow\.org|jobset\.sigs\.k8s\.io|batch\.kubernetes\.io)\/[\w-]+/;

/** Texts, and names of fields, which are texts too in label selectors. */
function textsOf(node: Node): readonly { readonly path: string; readonly text: string }[] {
  if (node.kind === 'scalar') return typeof node.value === 'string' ? [{ path: node.path, text: node.value }] : [];
  if (node.kind === 'sequence') return node.items.flatMap(textsOf);
  return [...node.fields].flatMap(([name, field]) => [{ path: field.path, text: name }, ...textsOf(field)]);
}
