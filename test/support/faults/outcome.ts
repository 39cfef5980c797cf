/** What a run leaves behind, in a form in which two runs can be compared: Sieve's two differential oracles (OSDI '22, §4.2). */
import { podName } from '../../../operator/src/api/index.ts';
import type { KubeObject, ResourceType } from '../../../operator/src/kube/resource.ts';
import type { RecordedWrite } from '../faultproxy.ts';

export interface Outcome {
  /** The final objects, the object itself first, by kind and name. */
  readonly objects: Readonly<Record<string, unknown>>;
  /** How many objects of each kind were created and deleted; a create that met its own earlier self is none. */
  readonly counts: Readonly<Record<string, number>>;
}

/** Fields that differ from run to run, and say nothing of what the operator wants. Acto's list (checker/impl), and ours. */
const masked = new Set([
  'managedFields', 'uid', 'resourceVersion', 'creationTimestamp', 'deletionTimestamp', 'generateName',
  'lastTransitionTime', 'lastProbeTime', 'startTime', 'runningTime', 'completionTime', 'startedAt', 'finishedAt', 'time', 'activeSeconds', 'lostSeconds',
  'nodeName', 'node', 'podIP', 'podIPs', 'hostIP', 'hostIPs', 'clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy', 'resourceClaimStatuses', 'volumeName',
]);

/** Makes the objects of an owner comparable. */
export function comparable(owner: KubeObject, objects: readonly KubeObject[]): Outcome['objects'] {
  const named = objects.map((object): [string, unknown] => [plain(owner, `${object.kind} ${object.metadata.name}`), comparableValue(owner, object)]);
  return Object.fromEntries(named.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function comparableValue(owner: KubeObject, value: unknown): unknown {
  if (typeof value === 'string') return plain(owner, value);
  if (Array.isArray(value)) return value.map((item) => comparableValue(owner, item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]): [string, unknown] => [name, masked.has(name) ? '*' : comparableValue(owner, item)]).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

const anyTime = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;
const anyNode = /fault-node-\d+-[a-z0-9-]+/g;
/** Volumes of service account tokens get a random name at admission. */
const anyTokenVolume = /kube-api-access-[a-z0-9]{5}/g;

/** A text without the owner's name and namespace, UID and its hash, times and nodes. */
export function plain(owner: KubeObject, text: string): string {
  const { name, namespace = '', uid = '' } = owner.metadata;
  const hash = podName({ name, uid }, 'any', 0, 1).split('-').at(-1) ?? '';
  return text.replaceAll(uid, 'UID').replaceAll(hash, 'HASH').replaceAll(name, 'NAME').replaceAll(namespace, 'NAMESPACE').replace(anyTime, 'TIME').replace(anyNode, 'NODE').replace(anyTokenVolume, 'kube-api-access');
}

const verbs: Readonly<Record<string, string>> = { POST: 'create', DELETE: 'delete' };

/** Counts what the operator itself created and deleted, by the server's answers. */
export function countsOf(writes: readonly RecordedWrite[], ignored: readonly ResourceType[]): Outcome['counts'] {
  const counts: Record<string, number> = {};
  for (const { method, path, code } of writes) {
    const verb = verbs[method];
    const plural = resourceOf(path);
    if (verb === undefined || code === undefined || code < 200 || code >= 300 || ignored.some((type) => type.plural === plural)) continue;
    const what = `${verb} ${plural}`;
    counts[what] = (counts[what] ?? 0) + 1;
  }
  return counts;
}

/** `pods` of /api/v1/namespaces/team-a/pods/digits-0. */
export function resourceOf(path: string): string {
  const words = path.replace(/^\/(api\/v1|apis\/[^/]+\/[^/]+)\//, '').split('/');
  return (words[0] === 'namespaces' && words.length > 2 ? words[2] : words[0]) ?? '';
}

/** How a run differs from the reference, in sentences; none when it does not. */
export function differences(reference: Outcome, other: Outcome): string[] {
  return [...changes('', reference.objects, other.objects), ...changes('', reference.counts, other.counts).map((change) => `Counted${change}`)];
}

function changes(path: string, expected: unknown, found: unknown): string[] {
  if (isRecord(expected) && isRecord(found)) {
    const names = new Set([...Object.keys(expected), ...Object.keys(found)]);
    return [...names].flatMap((name) => changes(`${path} > ${name}`, expected[name], found[name]));
  }
  return JSON.stringify(expected) === JSON.stringify(found) ? [] : [`${path} should be ${brief(expected)} and is ${brief(found)}.`];
}

/** Of a whole object that is missing or too much, its beginning says enough. */
function brief(value: unknown): string {
  return value === undefined ? 'absent' : JSON.stringify(value).slice(0, 300);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
