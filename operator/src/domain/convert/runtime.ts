/**
 * A TrainJob with its TrainingRuntime, as kubeflow/trainer puts the two together: the runtime's template, the TrainJob's patches over
 * it, and over these what the TrainJob says of trainer and initialisers.
 */
import { mapping, merge, type Node, type Watch } from './node.ts';
import type { Ledger, Reader } from './reader.ts';

const ancestorLabel = 'trainer.kubeflow.org/trainjob-ancestor-step';
export const trainerContainer = 'node';

/** What a patch may hold; kubeflow/trainer drops the rest, so it stays unread here and is reported. */
const containerPatch = { name: true, env: true, volumeMounts: true, securityContext: true } as const;
const podPatch = {
  metadata: { labels: true, annotations: true },
  spec: {
    serviceAccountName: true, volumes: true, initContainers: containerPatch, containers: containerPatch, imagePullSecrets: true, securityContext: true,
    nodeSelector: true, affinity: true, tolerations: true, schedulingGates: true, terminationGracePeriodSeconds: true,
  },
} as const;
const tags = { labels: true, annotations: true } as const;
const jobPatch = { name: true, template: { metadata: tags, spec: { template: podPatch } } } as const;

interface Shape {
  readonly [field: string]: Shape | true;
}

/** What is overwritten needs no report; what is for nothing does. */
export function watchOf(ledger: Ledger): Watch {
  return {
    replaced: (node) => ledger.see(node),
    unmatched: (node) => {
      ledger.see(node);
      ledger.note({ kind: 'Lost', path: node.path, why: 'The runtime has no job or container of that name.', instead: 'Correct the name, or leave it out.' });
    },
  };
}

/** The runtime's template with the TrainJob's patches, of metadata and of the JobSet's spec. */
export function patched(template: Node, patches: Reader | undefined, watch: Watch): Node {
  return (patches?.items() ?? []).reduce((merged, patch) => {
    // Who wrote a patch and when does nothing to the pods.
    patch.ignore('manager', 'time');
    if (patch.text('manager')?.startsWith('kueue.x-k8s.io/') === true) {
      patch.loseField('trainingRuntimeSpec', 'Kueue wrote it when it admitted the job, for the nodes of that admission.', 'Nothing is to be done: it is decided anew.');
      return merged;
    }
    const over = patch.at('trainingRuntimeSpec')?.at('template')?.node;
    return over === undefined ? merged : merge(merged, pickTemplate(over), watch);
  }, template);
}

function pickTemplate(template: Node): Node {
  const metadata = field(template, 'metadata');
  const jobs = field(field(template, 'spec'), 'replicatedJobs');
  return mapping(template.path, {
    metadata: metadata === undefined ? undefined : pick(metadata, tags),
    spec: jobs === undefined ? undefined : mapping(template.path, { replicatedJobs: pick(jobs, jobPatch) }),
  });
}

/** The parts of a mapping, or of each item of a list, that the shape names. */
function pick(node: Node, shape: Shape): Node {
  if (node.kind === 'sequence') return { ...node, items: node.items.map((item) => pick(item, shape)) };
  if (node.kind === 'scalar') return node;
  const fields = [...node.fields].flatMap(([name, value]): [string, Node][] => {
    const part = shape[name];
    if (part === undefined) return [];
    return [[name, part === true ? value : pick(value, part)]];
  });
  return { ...node, fields: new Map(fields) };
}

/** Puts fields over a container of a job's pods, where there is one of that name. */
export function overContainer(job: Node, container: string, over: Node, watch: Watch): Node {
  const path = over.path;
  const wrap = (...names: readonly string[]) => (node: Node): Node => names.reduceRight((inner, name) => mapping(path, { [name]: inner }), node);
  const named = containersOf(job).find((candidate) => scalarOf(field(candidate, 'name')) === container);
  const name = named === undefined ? undefined : field(named, 'name');
  if (name === undefined) return job;
  const list: Node = { kind: 'sequence', path, items: [merge(mapping(path, { name }), over, watch)] };
  return merge(job, wrap('template', 'spec', 'template', 'spec', 'containers')(list), watch);
}

export function ancestorOf(job: Node): string | undefined {
  return scalarOf(field(field(field(field(job, 'template'), 'metadata'), 'labels'), ancestorLabel));
}

export function nameOf(job: Node): string {
  return scalarOf(field(job, 'name')) ?? '';
}

function containersOf(job: Node): readonly Node[] {
  const pod = field(field(field(field(job, 'template'), 'spec'), 'template'), 'spec');
  const containers = field(pod, 'containers');
  return containers?.kind === 'sequence' ? containers.items : [];
}

export function field(node: Node | undefined, name: string): Node | undefined {
  return node?.kind === 'mapping' ? node.fields.get(name) : undefined;
}

export function scalarOf(node: Node | undefined): string | undefined {
  return node?.kind === 'scalar' ? String(node.value) : undefined;
}

/** Labels of a Job that others read, so that the rest can be told lost. */
export const readLabels: readonly string[] = [ancestorLabel];
