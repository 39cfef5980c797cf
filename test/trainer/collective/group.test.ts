import { expect } from 'chai';
import fc from 'fast-check';
import type { TrainingResult } from '@anneal/operator/api';
import { AnnealError } from '../../../trainer-image/src/errors.ts';
import { matrixOf } from '../../../trainer-image/src/data/matrix.ts';
import type { Part } from '../../../trainer-image/src/data/part.ts';
import { random } from '../../../trainer-image/src/data/random.ts';
import type { Link, LinkEvent } from '../../../trainer-image/src/train/collective/link.ts';
import type { Loss, Member } from '../../../trainer-image/src/train/collective/membership.ts';
import { Replicas } from '../../../trainer-image/src/train/collective/replicas.ts';
import type { SharedRun } from '../../../trainer-image/src/train/collective/replicas.ts';
import type { RunState } from '../../../trainer-image/src/train/checkpoint.ts';
import type { Learner, LearnerState } from '../../../trainer-image/src/train/learner.ts';

const steps = 12;
const rows = 11;
const size = 5;
const train: Part = { rows, features: matrixOf(Float32Array.from({ length: rows * 2 }, (_, at) => Math.sin(at)), 2), targets: Float32Array.from({ length: rows }, (_, row) => Math.cos(row)) };
const order = Int32Array.from({ length: rows }, (_, row) => row);

/** Sums that do not associate, as real gradients: whatever is added otherwise ends with other bits. */
function toyLearner(): Learner {
  let weights = Float32Array.from({ length: size }, (_, at) => 1 / (at + 3));
  const unused = (): never => {
    throw new Error('not a part of this test');
  };
  return {
    size,
    learn: unused, evaluate: unused, predict: unused, setWeights: unused, model: unused,
    measure: (part, [step = 0, shard = 0], share) => ({
      gradient: Float32Array.from(weights, (weight, at) => share * (weight * (part.features[at % part.features.length] ?? 0) + Math.sin(step + 7 * shard + at))),
      outputs: part.targets instanceof Float32Array ? part.targets.map((target) => target * (weights[0] ?? 0)) : part.targets,
      loss: Math.abs(weights[1] ?? 0) / part.rows,
    }),
    apply: (gradient) => void (weights = weights.map((weight, at) => weight - 0.1 * (gradient[at] ?? NaN))),
    weights: () => weights.slice(),
    save: (): LearnerState => ({ weights: weights.slice(), optimizer: { slots: [], scalars: [] } }),
    load: (state) => void (weights = Float32Array.from(state.weights)),
    dispose: () => undefined,
  };
}

const startState = (): RunState => ({ epoch: 0, position: 0, step: 0, tally: { task: 'Regression', rows: 0, lossSum: 0, absolute: 0, squared: 0, targets: 0, targetsSquared: 0 }, history: [], stopping: { bestEpoch: 0, waited: 0 } });

interface Delivery {
  readonly event: LinkEvent;
  readonly arrive: () => void;
}

interface Process {
  readonly member: Member;
  readonly handlers: ((event: LinkEvent) => void)[];
  readonly stop: AbortController;
  readonly ended: Promise<void>;
  isCut: boolean;
}

/** A network that delivers in any order between pairs, loses what the dead had under way, and can cut one off. */
class World {
  result: TrainingResult | undefined;
  readonly failures: unknown[] = [];
  delivered = 0;
  private readonly queues = new Map<string, Delivery[]>();
  private readonly processes = new Map<number, Process>();
  private readonly options: { readonly places: number; readonly replicas: number; readonly minReplicas: number };
  private readonly below: (n: number) => number;
  private begun = 0;

  constructor(seed: number, options: World['options']) {
    this.options = options;
    const source = random(seed, 'network');
    this.below = (n) => source.below(n);
  }

  begin(index: number): void {
    this.begun += 1;
    const member: Member = { index, incarnation: `${index}-${this.begun}` };
    const handlers: ((event: LinkEvent) => void)[] = [];
    const stop = new AbortController();
    const link: Link = {
      incarnation: member.incarnation,
      listen: (handler) => void handlers.push(handler),
      send: (to, message, payload = new ArrayBuffer(0)) => this.post(member, to, { kind: 'Message', from: member, message: structuredClone(message), payload: payload.slice() }),
    };
    const replicas = new Replicas({
      ...this.options, link, index, runDigest: 'same', finished: () => this.result, hooks: { log: () => undefined, signal: stop.signal },
    });
    const ended = this.live(replicas).catch((error: unknown) => {
      if (!(error instanceof AnnealError) || error.code !== 'PEER_LOST') this.failures.push(error);
    }).then(() => {
      replicas.close();
      if (this.processes.get(index)?.member === member) this.end(index);
    });
    const others = [...this.processes.values()];
    const process: Process = { member, handlers, stop, ended, isCut: false };
    this.processes.set(index, process);
    for (const other of others) {
      this.post(other.member, member, { kind: 'Up', member: other.member });
      this.post(member, other.member, { kind: 'Up', member });
    }
  }

  /** As kill -9: what it had under way may or may not arrive. */
  end(index: number): void {
    const gone = this.processes.get(index);
    if (gone === undefined) return;
    this.processes.delete(index);
    gone.stop.abort();
    for (const other of this.processes.values()) {
      const queue = this.queueOf(gone.member, other.member);
      const losses = queue.splice(this.below(queue.length + 1)).filter(({ event }) => event.kind === 'Lost');
      queue.push(...losses);
      this.post(gone.member, other.member, { kind: 'Lost', member: gone.member, how: gone.isCut ? 'Silent' : 'Dead', why: 'it ended' });
    }
    this.pending.push(index);
  }

  /** Nobody hears it, and it hears nobody. */
  cut(index: number): void {
    const away = this.processes.get(index);
    if (away === undefined || away.isCut) return;
    away.isCut = true;
    const how: Loss = 'Silent';
    for (const other of this.processes.values()) {
      if (other === away) continue;
      for (const [from, to] of [[away, other], [other, away]] as const) {
        const queue = this.queueOf(from.member, to.member);
        // What the one's own machine knows of losses before is no message.
        queue.splice(0, queue.length, ...queue.filter(({ event }) => event.kind === 'Lost'), this.delivery(to, { kind: 'Lost', member: from.member, how, why: 'silence' }));
      }
    }
  }

  /** What the operator does with pods that ended. */
  readonly pending: number[] = [];

  async run(faults: readonly { readonly at: number; readonly index: number; readonly kind: 'Kill' | 'Cut' }[]): Promise<void> {
    const left = [...faults].sort((a, b) => a.at - b.at);
    for (let tick = 0; this.result === undefined && this.failures.length === 0; tick++) {
      if (tick > 50_000) throw new Error(`Nothing goes on after ${this.delivered} deliveries`);
      const fault = left[0];
      if (fault !== undefined && this.delivered >= fault.at) {
        left.shift();
        if (fault.kind === 'Kill') this.end(fault.index);
        else this.cut(fault.index);
      }
      // The operator gives up a pod on a node that is silent.
      for (const { member, isCut } of this.processes.values()) if (isCut && this.below(200) === 0) this.end(member.index);
      const begins = this.pending.length > 0 && this.below(20) === 0 ? this.pending.shift() : undefined;
      if (begins !== undefined) this.begin(begins);
      const busy = [...this.queues.values()].filter((queue) => queue.length > 0);
      const chosen = busy[this.below(Math.max(1, busy.length))]?.shift();
      if (chosen !== undefined) {
        this.delivered += 1;
        chosen.arrive();
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (const { stop } of this.processes.values()) stop.abort();
    await Promise.all([...this.processes.values()].map(({ ended }) => ended));
  }

  private async live(replicas: Replicas): Promise<void> {
    const run: SharedRun = { state: startState(), learner: toyLearner() };
    for (;;) {
      const end = run.state.step < steps ? await replicas.learn(run, { train, order, from: 0, to: rows, rate: 0.1 }) : await replicas.conclude(run);
      if (end === 'Lead') {
        this.result ??= { metrics: { rows: run.state.tally.rows, loss: run.state.tally.lossSum }, epochs: 1, model: { path: 'model', digest: Buffer.from(run.learner.weights().buffer).toString('hex'), sizeBytes: size } };
        return;
      }
      if (end.kind === 'TooFew') throw replicas.end(end.why);
      if (end.kind === 'Done' || end.kind === 'Stopped') return;
      if (end.kind === 'Learnt') run.state = { ...run.state, step: run.state.step + 1 };
    }
  }

  private post(from: Member, to: Member, event: LinkEvent): void {
    const sender = this.processes.get(from.index);
    const receiver = this.processes.get(to.index);
    if (receiver?.member.incarnation !== to.incarnation || receiver.isCut || (sender?.member === from && sender.isCut)) return;
    this.queueOf(from, to).push(this.delivery(receiver, event));
  }

  private delivery(to: Process, event: LinkEvent): Delivery {
    return {
      event,
      arrive: () => {
        for (const handler of to.handlers) handler(event);
      },
    };
  }

  private queueOf(from: Member, to: Member): Delivery[] {
    const key = `${from.index} ${to.incarnation}`;
    const queue = this.queues.get(key) ?? [];
    this.queues.set(key, queue);
    return queue;
  }
}

async function outcome(seed: number, replicas: number, minReplicas: number, faults: Parameters<World['run']>[0]): Promise<{ result: TrainingResult | undefined; failures: unknown[] }> {
  const world = new World(seed, { places: 4, replicas, minReplicas });
  for (let index = 0; index < replicas; index++) world.begin(index);
  await world.run(faults);
  return { result: world.result, failures: world.failures };
}

describe('a group of replicas', function suite() {
  this.timeout(60_000);

  it('comes to the same weights and metrics whatever happens to whom, and when', async () => {
    const alone = await outcome(1, 1, 1, []);
    expect(alone.failures).to.deep.equal([]);
    const fault = fc.record({ at: fc.nat(400), index: fc.nat(3), kind: fc.constantFrom('Kill' as const, 'Cut' as const) });
    await fc.assert(fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 4 }), fc.array(fault, { maxLength: 5 }), async (seed, minReplicas, faults) => {
      expect(await outcome(seed, 4, minReplicas, faults)).to.deep.equal(alone);
    }), { numRuns: 60 });
  });
});
