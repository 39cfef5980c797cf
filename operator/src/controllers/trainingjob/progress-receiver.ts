/**
 * Receives what pods report: `POST /v1/progress` with a `ProgressReport` and the pod's own token. The API server says
 * which pod a token belongs to (TokenReview), so that no pod can report for another's job.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { labels, type ProgressReport } from '../../api/index.ts';
import { progressAudience } from '../../domain/training-pod.ts';
import type { Pod } from '../../domain/pod.ts';
import type { Client } from '../../kube/client.ts';
import { controllerOf, type KubeObject, type ResourceType } from '../../kube/resource.ts';
import type { Clock, ReadStore } from '../../runtime/index.ts';
import type { MemoryProgressBoard } from './progress-board.ts';
import { parseReport } from './progress-report.ts';

export const progressPath = '/v1/progress';

const tokenReviewType: ResourceType = { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenReview', plural: 'tokenreviews', namespaced: false };

interface TokenReview extends KubeObject {
  readonly status?: {
    readonly authenticated?: boolean;
    readonly user?: { readonly username?: string; readonly extra?: Readonly<Record<string, readonly string[]>> };
  };
}

export interface ProgressReceiverOptions {
  readonly client: Client;
  readonly pods: ReadStore<Pod>;
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
}

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
    if (request.url !== progressPath) return { status: 404, message: `There is only ${progressPath} here.` };
    if (request.method !== 'POST') return { status: 405, message: `Use POST with ${progressPath}.` };
    const leader = this.#options.leaderAddress();
    if (leader === null) return { status: 503, message: 'No operator leads at the moment; try again.' };
    if (leader !== undefined) return { status: 307, message: 'The leader receives progress.', location: `http://${leader}${progressPath}` };
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    const sender = token === undefined ? undefined : await this.#senderOf(token);
    if (sender === undefined) return { status: 401, message: `Send the pod's own token for the audience ${progressAudience}.` };
    const body = await bodyOf(request);
    if (body === undefined) return { status: 413, message: `A report has at most ${longestBody} bytes.` };
    const report = parseReport(body);
    return typeof report === 'string' ? { status: 400, message: report } : this.#receive(sender, report);
  }

  #receive(sender: Sender, report: ProgressReport): Answer {
    const pod = this.#options.pods.get({ namespace: sender.namespace, name: sender.podName });
    if (pod?.metadata.uid !== sender.podUid) return { status: 404, message: 'The operator does not know this pod yet; try again.' };
    const owner = controllerOf(pod);
    if (owner?.kind !== 'TrainingJob') return { status: 403, message: 'Only pods of a TrainingJob report progress.' };
    if (pod.metadata.labels?.[labels.attempt] !== String(report.attempt)) return { status: 403, message: 'A pod reports for its own attempt only.' };
    this.#options.board.receive({ job: { namespace: sender.namespace, name: owner.name }, jobUid: owner.uid, report, time: this.#options.clock.now() });
    return { status: 204, message: '' };
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

function send(response: ServerResponse, { status, message, location }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json', ...(location === undefined ? {} : { location }) });
  response.end(status === 204 ? undefined : `${JSON.stringify({ message })}\n`);
}
