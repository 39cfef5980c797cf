/** Which kinds are converted, and by what. */
import type { DraftJob } from './draft.ts';
import { convertKubeflowJob, type KubeflowForm } from './kubeflow-job.ts';
import { convertMpiJob } from './mpijob.ts';
import { nodeOf, type Node } from './node.ts';
import { ConvertError, type Note } from './note.ts';
import { jaxJob, paddleJob, xgboostJob } from './other-jobs.ts';
import { pytorchJob } from './pytorchjob.ts';
import { Ledger, Reader } from './reader.ts';
import { field, scalarOf } from './runtime.ts';
import { tfJob } from './tfjob.ts';
import { convertTrainJob, runtimeRefOf } from './trainjob.ts';

/** One document of the input. */
export interface Source {
  /** How a person finds it, for example `jobs.yaml, document 2`. */
  readonly at: string;
  readonly content: unknown;
}

export interface Conversion {
  readonly source: Source;
  readonly kind: string;
  readonly name: string;
  readonly job: DraftJob;
  readonly notes: readonly Note[];
}

export interface Outcome {
  readonly conversions: readonly Conversion[];
  /** A sentence for each document that was passed over. */
  readonly passedOver: readonly string[];
  /** A sentence for each document that a TrainingJob should have been made of and was not. */
  readonly errors: readonly string[];
}

const trainerGroup = 'trainer.kubeflow.org/v1alpha1';
const runtimeKinds = ['TrainingRuntime', 'ClusterTrainingRuntime'];

type Converter = (document: Reader, documents: readonly Node[]) => { readonly job: DraftJob; readonly read: readonly Node[] };

const alone = (make: (document: Reader) => DraftJob): Converter => (document) => ({ job: make(document), read: [document.node] });
const ofForm = (form: KubeflowForm): Converter => alone((document) => convertKubeflowJob(document, form));

const converters: Readonly<Record<string, Converter>> = {
  'kubeflow.org/v1 TFJob': ofForm(tfJob),
  'kubeflow.org/v1 PyTorchJob': ofForm(pytorchJob),
  'kubeflow.org/v1 XGBoostJob': ofForm(xgboostJob),
  'kubeflow.org/v1 PaddleJob': ofForm(paddleJob),
  'kubeflow.org/v1 JAXJob': ofForm(jaxJob),
  'kubeflow.org/v1 MPIJob': alone((document) => convertMpiJob(document, 'v1')),
  'kubeflow.org/v2beta1 MPIJob': alone((document) => convertMpiJob(document, 'v2beta1')),
  [`${trainerGroup} TrainJob`]: trainJob,
};

/** @param runtimes  documents in which runtimes are looked for too, and which are not converted */
export function convert(sources: readonly Source[], runtimes: readonly Source[] = []): Outcome {
  const flat = sources.flatMap(itemsOf);
  const parsed = [...flat, ...runtimes.flatMap(itemsOf)].flatMap(({ content }) => runtimeOf(content));
  const results = flat.map((source) => convertOne(source, parsed));
  const conversions = results.flatMap((result) => (result.conversion === undefined ? [] : [result.conversion]));
  return {
    conversions,
    passedOver: results.flatMap((result) => (result.passedOver === undefined ? [] : [result.passedOver])),
    errors: [...results.flatMap((result) => (result.error === undefined ? [] : [result.error])), ...namesakes(conversions)],
  };
}

/** Jobs of two kinds may share a name; as TrainingJobs the later one would be applied as a change of the earlier. */
function namesakes(conversions: readonly Conversion[]): string[] {
  const named = conversions.filter(({ job }) => job.metadata.name !== undefined);
  const byName = Map.groupBy(named, ({ job: { metadata: { namespace = '', name } } }) => JSON.stringify([namespace, name]));
  return [...byName.values()].flatMap(([first, ...others]) => others.map(({ source, kind, name }) =>
    `${source.at}: metadata.name: the ${kind} ${name} would become the same TrainingJob as the ${first?.kind ?? ''} of ${first?.source.at ?? ''}; rename one of them, or convert them apart.`));
}

/** A list, as `kubectl get -o yaml` prints it, is its items. */
function itemsOf(source: Source): readonly Source[] {
  const { content } = source;
  if (!isRecord(content) || typeof content.kind !== 'string' || !content.kind.endsWith('List') || !Array.isArray(content.items)) return [source];
  const kind = content.kind.slice(0, -'List'.length);
  return content.items.flatMap((item: unknown, index) => {
    // Items of a list of one kind may leave out what the list says.
    const whole = kind !== '' && isRecord(item) && item.kind === undefined ? { apiVersion: content.apiVersion, kind, ...item } : item;
    return itemsOf({ at: `${source.at}, item ${index + 1}`, content: whole });
  });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

interface Result {
  readonly conversion?: Conversion;
  readonly passedOver?: string;
  readonly error?: string;
}

function convertOne(source: Source, runtimes: readonly Node[]): Result {
  if (source.content === null || source.content === undefined) return {};
  try {
    const ledger = new Ledger();
    const document = new Reader(nodeOf(source.content, ''), ledger);
    if (document.node.kind !== 'mapping') document.fail('is no object of Kubernetes; it needs apiVersion, kind and metadata.');
    const [version, kind] = [scalarOf(field(document.node, 'apiVersion')), scalarOf(field(document.node, 'kind'))];
    if (version === undefined || kind === undefined) return document.fail(`has no ${version === undefined ? 'apiVersion' : 'kind'}, so there is no telling what it is.`);
    const converter = converters[`${version} ${kind}`];
    if (converter === undefined) return notConverted(source, version, kind, nameIn(document.node));
    const { job, read } = converter(document, runtimes);
    return { conversion: { source, kind, name: nameIn(document.node), job, notes: ledger.report(read) } };
  } catch (error) {
    if (!(error instanceof ConvertError)) throw error;
    return { error: `${source.at}: ${error.message}` };
  }
}

function notConverted(source: Source, version: string, kind: string, name: string): Result {
  if (version === trainerGroup && runtimeKinds.includes(kind)) return { passedOver: `${source.at}: ${kind} ${name} is a template; it goes into the TrainJobs that refer to it.` };
  const versions = Object.keys(converters).flatMap((known) => (known.endsWith(` ${kind}`) ? [known.split(' ', 1)[0]] : []));
  if (versions.length === 0) return { passedOver: `${source.at}: ${kind} ${name} is passed over, because it is no training job that the converter knows.` };
  return { error: `${source.at}: apiVersion: ${kind} ${name} is of ${version}, and the converter knows ${versions.join(' and ')}; bring it to that version first.` };
}

function nameIn(document: Node): string {
  const metadata = field(document, 'metadata');
  return scalarOf(field(metadata, 'name') ?? field(metadata, 'generateName')) ?? '(without a name)';
}

/** A runtime, in which each field is named with the runtime before it. */
function runtimeOf(content: unknown): readonly Node[] {
  if (!isRecord(content) || content.apiVersion !== trainerGroup || !runtimeKinds.includes(String(content.kind))) return [];
  const { kind, metadata } = content;
  return [nodeOf(content, `${String(kind)} ${isRecord(metadata) ? String(metadata.name) : ''}: `)];
}

function trainJob(document: Reader, runtimes: readonly Node[]): { readonly job: DraftJob; readonly read: readonly Node[] } {
  const { kind, name } = runtimeRefOf(document);
  const namespace = scalarOf(field(field(document.node, 'metadata'), 'namespace'));
  const runtime = runtimes.find((candidate) => {
    const metadata = field(candidate, 'metadata');
    const itsNamespace = scalarOf(field(metadata, 'namespace'));
    const reachable = kind === 'ClusterTrainingRuntime' || namespace === undefined || itsNamespace === undefined || namespace === itsNamespace;
    return reachable && scalarOf(field(candidate, 'kind')) === kind && scalarOf(field(metadata, 'name')) === name;
  });
  if (runtime === undefined) {
    throw new ConvertError(
      'spec.runtimeRef.name',
      `the ${kind} ${name} is not in the input; save it with \`kubectl get ${kind.toLowerCase()} ${name} -o yaml > runtime.yaml\` and add --runtime runtime.yaml.`,
    );
  }
  return { job: convertTrainJob(document, new Reader(runtime, document.ledger)), read: [document.node, runtime] };
}
