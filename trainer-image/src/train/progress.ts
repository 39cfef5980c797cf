/** Pushes progress to the operator and hears its answer: the newest report only, at most one a second, never in the way of training. */
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import got from 'got';
import type { ProgressReply, ProgressReport } from '@anneal/operator/api';
import type { Log } from '../log.ts';

export interface ProgressTarget {
  readonly url: string;
  /** Read for each push, since the kubelet renews it. */
  readonly tokenFile?: string;
}

export interface Pusher {
  push(report: ProgressReport): void;
  /** Tries to get the newest report out, for this long at most; nothing is pushed afterwards. */
  close(withinMs: number): Promise<void>;
}

const intervalMs = 1000;
const maxPauseMs = 30_000;
const maxRedirects = 3;

/** @param heed  called with each answer that says something */
export function createPusher(target: ProgressTarget, log: Log, heed: (reply: ProgressReply) => void): Pusher {
  let newest: ProgressReport | undefined;
  let failures = 0;
  let closing = false;
  let idle = Promise.resolve();
  let running = false;
  let hurry = new AbortController();
  const stopped = new AbortController();

  const sendAll = async (): Promise<void> => {
    while (newest !== undefined && !stopped.signal.aborted) {
      const report: ProgressReport = newest;
      newest = undefined;
      const problem = await post(target, report, stopped.signal).then(heed, (error: unknown) => (error instanceof Error ? error.message : String(error)));
      failures = problem === undefined ? 0 : failures + 1;
      if (problem !== undefined) {
        newest ??= report;
        if (failures === 1 || failures % 10 === 0) log('warn', 'Progress could not be pushed', { error: problem, failures });
      }
      if (closing && problem === undefined) continue;
      await pause(closing ? 200 : pauseMs(failures), hurry.signal);
    }
  };

  return {
    push: (report) => {
      newest = report;
      if (running) return;
      running = true;
      idle = sendAll().finally(() => (running = false));
    },
    close: async (withinMs) => {
      closing = true;
      hurry.abort();
      hurry = new AbortController();
      await Promise.race([idle, pause(withinMs, stopped.signal)]);
      stopped.abort();
      hurry.abort();
      await idle;
    },
  };
}

/** Full second between pushes that work; exponential with jitter after failures, so that an operator that comes back is not flooded. */
function pauseMs(failures: number): number {
  if (failures === 0) return intervalMs;
  return Math.min(maxPauseMs, intervalMs * 2 ** failures) * (0.5 + Math.random() / 2);
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}

/** Follows the redirect to the leader by itself: a client that does it drops the token on the way to another host. */
async function post(target: ProgressTarget, report: ProgressReport, signal: AbortSignal): Promise<ProgressReply> {
  const token = target.tokenFile === undefined ? undefined : (await readFile(target.tokenFile, 'utf8')).trim();
  let url = new URL(target.url);
  for (let redirects = 0; redirects <= maxRedirects; redirects++) {
    const response = await got.post(url, {
      json: report,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      followRedirect: false,
      throwHttpErrors: false,
      retry: { limit: 0 },
      timeout: { request: 5000 },
      signal,
    });
    const { location } = response.headers;
    if (response.statusCode >= 200 && response.statusCode < 300) return replyOf(response.body);
    if ((response.statusCode !== 307 && response.statusCode !== 308) || location === undefined) throw new Error(`${url.host} answered ${response.statusCode}`);
    const next = new URL(location, url);
    // The token must not leave an encrypted connection.
    if (url.protocol === 'https:' && next.protocol !== 'https:') throw new Error(`${url.host} redirected to an unencrypted address`);
    url = next;
  }
  throw new Error(`${url.host} redirected more than ${maxRedirects} times`);
}

/** An operator of another version may answer nothing, or what we do not know: neither is an error. */
function replyOf(body: string): ProgressReply {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value !== 'object' || value === null) return {};
    const { checkpointIntervalSeconds, checkpointNow } = value as Record<string, unknown>;
    return {
      ...(typeof checkpointIntervalSeconds === 'number' && checkpointIntervalSeconds > 0 ? { checkpointIntervalSeconds } : {}),
      ...(typeof checkpointNow === 'string' ? { checkpointNow } : {}),
    };
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
