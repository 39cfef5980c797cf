/**
 * Receives what pods report with their own token: progress, checkpoints, and Kubeflow's status. The API server says which pod a
 * token belongs to (TokenReview), so that no pod can report for another's job.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { labels, type ProgressReply, type TrainingJob } from '../../api/index.ts';
import type { Node } from '../../domain/node.ts';
import type { Pod } from '../../domain/pod.ts';
import { placeKey } from '../../domain/roles.ts';
import { checkpointPath, kubeflowPath, progressAudience, progressPath } from '../../domain/training-pod.ts';
import type { Client } from '../../kube/client.ts';
import { controllerOf, type KubeObject, type ResourceType } from '../../kube/resource.ts';
import type { Clock, ReadStore } from '../../runtime/index.ts';
import { replyTo } from './checkpoint.ts';
import { placeOf } from './places.ts';
import type { MemoryProgressBoard, ProgressEntry } from './progress-board.ts';
import { parseCheckpoint, parseKubeflow, parseReport } from './progress-report.ts';

const tokenReviewType: ResourceType = { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenReview', plural: 'tokenreviews', namespaced: false };

interface TokenReview extends KubeObject {
  readonly status?: {
    readonly authenticated?: boolean;
    readonly user?: { readonly username?: string; readonly extra?: Readonly<Record<string, readonly string[]>> };
  };
}

export interface ProgressReceiverOptions {
  readonly client: Pick<Client, 'create'>;
  readonly pods: ReadStore<Pod>;
  readonly jobs: ReadStore<TrainingJob>;
  readonly nodes: ReadStore<Node>;
  readonly board: MemoryProgressBoard;
  readonly clock: Clock;
  /** Where the leader receives; undefined when this process is it, null when nobody is. */
  readonly leaderAddress: () => string | null | undefined;
}

const longestBody = 64 * 1024;
const reviewLifetimeMs = 60_000;
const mostReviews = 20_000;

interface Answer {
  readonly status: number;
  readonly message: string;
  readonly location?: string;
  /** Instead of the message. */
  readonly body?: string;
}

/** What one kind of report adds to the board, or what is wrong with it. */
type Reader = (body: string, attempt: number, nowMs: number) => Pick<ProgressEntry, 'report' | 'checkpoint'> | string;

const readers: Readonly<Record<string, Reader>> = {
  [progressPath]: (body) => entry('report', parseReport(body)),
  [checkpointPath]: (body, _, nowMs) => entry('checkpoint', parseCheckpoint(body, nowMs)),
};

const readKubeflow: Reader = (body, attempt) => entry('report', parseKubeflow(body, attempt));

function entry<K extends string, T>(key: K, value: T | string): Record<K, T> | string {
  return typeof value === 'string' ? value : ({ [key]: value } as Record<K, T>);
}

const anyKubeflowPath = /^\/apis\/trainer\.kubeflow\.org\/v1alpha1\/namespaces\/[^/]+\/trainjobs\/[^/]+\/status$/;

/** Says that another operator has passed the request on, so that two that disagree on who leads do not do it for ever. */
const forwardedHeader = 'anneal-forwarded';
const forwardTimeoutMs = 4_000;

/** The pod that a token belongs to. */
interface Sender {
  readonly namespace: string;
  readonly podName: string;
  readonly podUid: string;
}

export class ProgressReceiver {
  readonly #options: ProgressReceiverOptions;
  readonly #reviews = new Map<string, { readonly sender: Sender | undefined; readonly until: number }>();

  constructor(options: ProgressReceiverOptions) {
    this.#options = options;
  }

  server(): Server {
    return createServer((request, response) => {
      this.#answer(request)
        .catch((error: unknown): Answer => ({ status: 503, message: error instanceof Error ? error.message : String(error) }))
        .then((answer) => send(response, answer))
        .catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
    });
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const { url: path = '', method, headers } = request;
    const read = readers[path] ?? (anyKubeflowPath.test(path) ? readKubeflow : undefined);
    if (read === undefined) return { status: 404, message: `There are ${progressPath}, ${checkpointPath} and Kubeflow's status of a TrainJob here.` };
    if (method !== 'POST') return { status: 405, message: `Use POST with ${path}.` };
    const leader = this.#options.leaderAddress();
    if (leader === null) return { status: 503, message: 'No operator leads at the moment; try again.' };
    if (leader !== undefined) return path === progressPath ? { status: 307, message: 'The leader receives progress.', location: `http://${leader}${path}` } : await forward(request, `http://${leader}${path}`);
    const token = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1];
    const sender = token === undefined ? undefined : await this.#senderOf(token);
    if (sender === undefined) return { status: 401, message: `Send the pod's own token for the audience ${progressAudience}.` };
    const body = await bodyOf(request);
    if (body === undefined) return { status: 413, message: `A report has at most ${longestBody} bytes.` };
    return this.#receive(sender, path, (attempt) => read(body, attempt, this.#options.clock.now()));
  }

  #receive(sender: Sender, path: string, read: (attempt: number) => ReturnType<Reader>): Answer {
    const { pods, jobs, nodes, board, clock } = this.#options;
    const pod = pods.get({ namespace: sender.namespace, name: sender.podName });
    if (pod?.metadata.uid !== sender.podUid) return { status: 404, message: 'The operator does not know this pod yet; try again.' };
    const owner = controllerOf(pod);
    if (owner?.kind !== 'TrainingJob') return { status: 403, message: 'Only pods of a TrainingJob report progress.' };
    const key = { namespace: sender.namespace, name: owner.name };
    const isKubeflow = !(path in readers);
    if (isKubeflow && path !== kubeflowPath(key)) return { status: 403, message: `A pod reports for its own job only, with ${kubeflowPath(key)}.` };
    const attempt = Number(pod.metadata.labels?.[labels.attempt]);
    const told = read(attempt);
    if (typeof told === 'string') return { status: 400, message: told };
    if (told.report !== undefined && told.report.attempt !== attempt) return { status: 403, message: 'A pod reports for its own attempt only.' };
    board.receive({ job: key, jobUid: owner.uid, place: placeKey(placeOf(pod)), attempt, time: clock.now(), ...told });
    const job = jobs.get(key);
    const names = new Set(pods.controlledBy(owner.uid).flatMap(({ spec }) => spec.nodeName ?? []));
    return replied(isKubeflow || job === undefined ? {} : replyTo(job, [...names].flatMap((name) => nodes.get({ namespace: '', name }) ?? [])), isKubeflow);
  }

  /** Remembered for a minute, since a pod reports every second with the same token. */
  async #senderOf(token: string): Promise<Sender | undefined> {
    const now = this.#options.clock.monotonic();
    const known = this.#reviews.get(token);
    if (known !== undefined && known.until > now) return known.sender;
    const review = await this.#options.client.create<TokenReview>(tokenReviewType, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      metadata: {},
      spec: { token, audiences: [progressAudience] },
    } as unknown as KubeObject);
    const sender = senderOf(review);
    if (this.#reviews.size >= mostReviews) this.#reviews.clear();
    this.#reviews.set(token, { sender, until: now + reviewLifetimeMs });
    return sender;
  }
}

function senderOf({ status }: TokenReview): Sender | undefined {
  const extra = status?.user?.extra ?? {};
  const podName = extra['authentication.kubernetes.io/pod-name']?.[0];
  const podUid = extra['authentication.kubernetes.io/pod-uid']?.[0];
  const namespace = /^system:serviceaccount:([^:]+):/.exec(status?.user?.username ?? '')?.[1];
  if (status?.authenticated !== true || podName === undefined || podUid === undefined || namespace === undefined) return undefined;
  return { namespace, podName, podUid };
}

async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > longestBody) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Nothing to say is 204, but for clients that take only 200 for success. */
function replied(reply: ProgressReply, alwaysBody: boolean): Answer {
  if (!alwaysBody && Object.keys(reply).length === 0) return { status: 204, message: '' };
  return { status: 200, message: '', body: JSON.stringify(reply) };
}

/** For clients that follow no redirect with a POST, as Python's urllib. */
async function forward(request: IncomingMessage, url: string): Promise<Answer> {
  if (request.headers[forwardedHeader] !== undefined) return { status: 503, message: 'No operator leads at the moment; try again.' };
  const body = await bodyOf(request);
  if (body === undefined) return { status: 413, message: `A report has at most ${longestBody} bytes.` };
  const { authorization = '' } = request.headers;
  const answer = await fetch(url, { method: 'POST', headers: { authorization, [forwardedHeader]: 'true' }, body, redirect: 'manual', signal: AbortSignal.timeout(forwardTimeoutMs) });
  return { status: answer.status, message: '', body: await answer.text() };
}

function send(response: ServerResponse, { status, message, location, body }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json', ...(location === undefined ? {} : { location }) });
  response.end(status === 204 ? undefined : (body ?? `${JSON.stringify({ message })}\n`));
}
