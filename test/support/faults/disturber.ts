/** Brings the troubles of a schedule about, each when its write comes by. Disposed, it ends all that still last. */
import { labels } from '../../../operator/src/api/index.ts';
import { podType, trainingJobType } from '../../../operator/src/controllers/shared/resources.ts';
import { sleep, systemClock } from '../../../operator/src/kube/clock.ts';
import type { ObjectKey } from '../../../operator/src/kube/resource.ts';
import type { LivePod } from '../fake-kubelet.ts';
import type { Fault, Seen } from '../faultproxy.ts';
import { concerns } from './cell.ts';
import type { Cell } from './cell.ts';
import type { Disturbance, Schedule, Trouble } from './schedule.ts';
import type { Subject } from './subject.ts';

const status = (code: number, reason: string) => ({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message: 'made by the test' });
const expired = `${JSON.stringify({ type: 'ERROR', object: status(410, 'Expired') })}\n`;

const requestFaults: Readonly<Record<string, Fault>> = {
  respond409: { kind: 'respond', code: 409, body: status(409, 'Conflict') },
  respond429: { kind: 'respond', code: 429, headers: { 'retry-after': '1' } },
  respond500: { kind: 'respond', code: 500, body: status(500, 'InternalError') },
  respond503: { kind: 'respond', code: 503 },
  hang: { kind: 'hang' },
  hangAfterHead: { kind: 'hangAfterHead' },
  reset: { kind: 'reset' },
  loseReply: { kind: 'loseReply' },
};

export class Disturber implements AsyncDisposable {
  readonly #cell: Cell;
  readonly #job: ObjectKey;
  readonly #due: Disturbance[];
  readonly #rules = new DisposableStack();
  readonly #over = new AbortController();
  readonly #tasks: Promise<void>[] = [];
  #writes = 0;

  constructor(cell: Cell, job: ObjectKey, { disturbances }: Schedule) {
    this.#cell = cell;
    this.#job = job;
    this.#due = [...disturbances];
    for (const subject of cell.subjects) this.#rules.use(subject.proxy.tap((seen, body) => this.#count(subject, seen, body)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    this.#rules.dispose();
    // A crash adds the launch that follows it.
    while (this.#tasks.length > 0) await Promise.all(this.#tasks.splice(0));
    for (const subject of this.#cell.subjects) subject.setClock(0);
  }

  #count(subject: Subject, seen: Seen, body: unknown): void {
    if (!seen.isWrite || !concerns({ path: seen.path, body }, this.#job)) return;
    this.#writes += 1;
    while ((this.#due[0]?.atWrite ?? Infinity) <= this.#writes) {
      const next = this.#due.shift();
      if (next !== undefined) this.#begin(next.trouble, subject, seen);
    }
  }

  #begin(trouble: Trouble, subject: Subject, at: Seen): void {
    const { proxy } = subject;
    switch (trouble.kind) {
      case 'cutWatches': { proxy.cutWatches(); return; }
      case 'cutInsideEvent': {
        proxy.injectIntoWatches('{"type":"MODIFIED","object":{"meta');
        proxy.cutWatches();
        return;
      }
      case 'silenceWatches': { proxy.silenceWatches(); return; }
      case 'garbage': { proxy.injectIntoWatches('<html>502 Bad Gateway</html>\n'); return; }
      case 'gone': { proxy.injectIntoWatches(expired); return; }
      case 'crash': { this.#crash(trouble.side, subject, at); return; }
      case 'crashIntoThePast': {
        this.#crash('after', subject, at);
        this.#do(this.#fallBehind(subject, trouble.seconds));
        return;
      }
      case 'staleServer': {
        this.#do(this.#fallBehind(subject, trouble.seconds).then(() => proxy.injectIntoWatches(expired)));
        return;
      }
      case 'freeze': {
        subject.freeze();
        this.#later(trouble.seconds, () => subject.thaw());
        return;
      }
      case 'blockLease': {
        const rule = this.#rules.use(proxy.fault({ when: ({ path }) => path.includes('/leases'), fault: { kind: 'hang' } }));
        this.#later(trouble.seconds, () => rule[Symbol.dispose]());
        return;
      }
      case 'nodeNotReady': { this.#loseNode(trouble.choice, trouble.seconds); return; }
      case 'deletePod':
      case 'evictPod': { this.#harmPod(trouble.kind, trouble.choice); return; }
      case 'clockJump': {
        for (const other of this.#cell.subjects) other.setClock(trouble.seconds);
        return;
      }
      default: {
        const fault = requestFaults[trouble.kind];
        if (fault === undefined) throw new RangeError(`There is no fault ${trouble.kind}.`);
        const { of, times } = trouble;
        this.#rules.use(proxy.fault({ when: ({ path, isWrite }) => !path.includes('/leases') && (of === 'All' || isWrite), times, fault }));
      }
    }
  }

  #crash(side: 'before' | 'after', subject: Subject, at: Seen): void {
    const crash = async (): Promise<void> => {
      const killed = subject.kill();
      this.#do(killed);
      await killed;
      this.#do(subject.relaunch());
    };
    this.#rules.use(subject.proxy.fault({ when: (seen) => seen === at, times: 1, fault: { kind: 'crash', side, crash } }));
  }

  /** As of when the object was first seen, which is before most of what the operator did about it. */
  async #fallBehind({ proxy }: Subject, seconds: number): Promise<void> {
    const { chronicle } = this.#cell.bed;
    const seen = await chronicle.until('the object is seen', () => chronicle.objects(trainingJobType, this.#job.namespace).find(({ metadata }) => metadata.name === this.#job.name), { seconds: 10 });
    const lag = this.#rules.use(proxy.lagBehind(seen.metadata.resourceVersion ?? '0'));
    this.#later(seconds, () => lag[Symbol.dispose]());
  }

  #loseNode(choice: number, seconds: number): void {
    const { agent } = this.#cell.bed;
    const nodes = agent.nodesOf(this.#cell.namespace);
    const node = nodes[choice % nodes.length];
    if (node === undefined) return;
    const lose = async (): Promise<void> => {
      await agent.die(node);
      await sleep(systemClock, seconds * 1000, this.#over.signal);
      await agent.revive(node);
    };
    this.#do(lose());
  }

  #harmPod(kind: 'deletePod' | 'evictPod', choice: number): void {
    const { agent, chronicle } = this.#cell.bed;
    const pods = chronicle.objects<LivePod>(podType, this.#job.namespace)
      .filter(({ metadata, status: { phase } }) => metadata.labels?.[labels.trainingJob] === this.#job.name && phase !== 'Succeeded' && phase !== 'Failed');
    const pod = pods[choice % Math.max(1, pods.length)];
    if (pod !== undefined) this.#do(kind === 'deletePod' ? agent.delete(pod) : agent.evict(pod));
  }

  #later(seconds: number, run: () => void): void {
    this.#do(sleep(systemClock, seconds * 1000, this.#over.signal).then(run));
  }

  #do(task: Promise<void>): void {
    // It is awaited when the run is over, and then tells of its failure.
    task.catch(() => undefined);
    this.#tasks.push(task);
  }
}
