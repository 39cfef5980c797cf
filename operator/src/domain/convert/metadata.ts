/** Names, labels and annotations of the object that is converted. */
import type { DraftScheduling } from './draft.ts';
import type { JsonObject } from './json.ts';
import type { Reader } from './reader.ts';

export interface Identity {
  readonly name: string;
  readonly namespace: string | undefined;
  readonly metadata: JsonObject;
  /** What labels and annotations say about the queue. */
  readonly scheduling: DraftScheduling;
}

const longestName = 63;

/** Written by the API server, or about another object's life than that of the copy. */
const ofTheServer = ['uid', 'resourceVersion', 'generation', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'managedFields', 'selfLink'];

const kueueQueue = 'kueue.x-k8s.io/queue-name';
const kueuePriority = 'kueue.x-k8s.io/priority-class';
const volcanoQueue = 'scheduling.volcano.sh/queue-name';
const exclusiveTopology = 'alpha.jobset.sigs.k8s.io/exclusive-topology';

export function readIdentity(document: Reader): Identity {
  const metadata = document.need('metadata', '{name: mnist}');
  const name = metadata.text('name');
  const generateName = metadata.text('generateName');
  if (name === undefined && generateName === undefined) metadata.need('name', 'name: mnist');
  const known = name ?? generateName ?? '';
  if (known.length > longestName) metadata.fail(`name has ${known.length} characters; a TrainingJob's name may have ${longestName}, because pods carry it as a label.`);
  const namespace = metadata.text('namespace');
  metadata.ignore(...ofTheServer);
  metadata.loseField('ownerReferences', 'The owner did not make the TrainingJob.', 'Have the owner make TrainingJobs instead.');
  metadata.loseField('finalizers', 'Whoever put them there would not know the TrainingJob.', 'Leave them out, unless something of yours removes them from TrainingJobs too.');
  return {
    name: known,
    namespace,
    metadata: {
      ...(name === undefined ? {} : { name }),
      ...(generateName === undefined || name !== undefined ? {} : { generateName }),
      ...(namespace === undefined ? {} : { namespace }),
      ...readTags(metadata, { labels: labelsToDrop, annotations: annotationsToDrop }),
    },
    scheduling: schedulingOf(metadata),
  };
}

/** Labels and annotations of a runtime's template, which a TrainJob's own count before. */
export function readRuntimeIdentity(metadata: Reader): { readonly metadata: JsonObject; readonly scheduling: DraftScheduling } {
  const scheduling = schedulingOf(metadata);
  return { metadata: readTags(metadata, { labels: labelsToDrop, annotations: annotationsToDrop }), scheduling };
}

const labelsToDrop = (name: string): boolean => name.startsWith('kueue.x-k8s.io/');
const annotationsToDrop = (name: string): boolean =>
  name === 'kubectl.kubernetes.io/last-applied-configuration' || name === volcanoQueue || name === exclusiveTopology;

interface Drops {
  readonly labels: (name: string) => boolean;
  readonly annotations: (name: string) => boolean;
}

/** Labels and annotations as they are, but for those that others read and translate. */
function readTags(metadata: Reader, drops: Drops): JsonObject {
  const kept = (['labels', 'annotations'] as const).map((field) => {
    const entries = metadata.at(field)?.entries().filter(([name]) => !drops[field](name)) ?? [];
    return [field, Object.fromEntries(entries.map(([name, value]) => [name, tag(value)]))] as const;
  });
  metadata.at('annotations')?.ignore('kubectl.kubernetes.io/last-applied-configuration');
  return Object.fromEntries(kept.filter(([, tags]) => Object.keys(tags).length > 0));
}

export function tag(value: Reader): string {
  const text = value.scalar();
  return typeof text === 'string' ? text : value.fail(`is ${text}; labels and annotations are texts, so write it in quotes.`);
}

function schedulingOf(metadata: Reader): DraftScheduling {
  const labels = metadata.at('labels');
  const annotations = metadata.at('annotations');
  const queueName = labels?.text(kueueQueue);
  const priorityClassName = labels?.text(kueuePriority);
  const ofVolcano = annotations?.text(volcanoQueue);
  for (const [name, label] of labels?.entries() ?? []) {
    if (name.startsWith('kueue.x-k8s.io/') && name !== kueueQueue && name !== kueuePriority) {
      label.lose('Anneal asks Kueue for the job itself and passes on the queue and the priority only.', 'Write what it stands for in spec.scheduling or in spec.activeDeadlineSeconds.');
    }
  }
  if (queueName !== undefined && ofVolcano !== undefined) {
    annotations?.loseField(volcanoQueue, 'The job waits in one queue, and the label of Kueue names another.', 'Write the queue that counts in spec.scheduling.queueName.');
  }
  return {
    ...(ofVolcano === undefined ? {} : { queueName: ofVolcano, scheduler: 'Volcano' as const }),
    ...(queueName === undefined ? {} : { queueName, scheduler: 'Kueue' as const }),
    ...(priorityClassName === undefined ? {} : { priorityClassName }),
    ...topologyOf(annotations),
  };
}

/** JobSet's way to say that a job's pods have a domain of the topology for themselves. */
export function topologyOf(annotations: Reader | undefined): DraftScheduling {
  const key = annotations?.text(exclusiveTopology);
  if (annotations === undefined || key === undefined) return {};
  annotations.remark('The pods are kept together in one domain; other jobs may run there too.', 'To keep others out, taint the nodes.', exclusiveTopology);
  return { topology: { key, mode: 'Required' } };
}
