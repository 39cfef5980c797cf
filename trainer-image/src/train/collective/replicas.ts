/** Training with others: the steps of a run done together, whatever becomes of the single replica. */
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { deserialize, serialize } from 'node:v8';
import type { TrainingResult } from '@anneal/operator/api';
import type { Part } from '../../data/part.ts';
import { AnnealError } from '../../errors.ts';
import { gather } from '../batches.ts';
import type { RunState } from '../checkpoint.ts';
import type { Learner, LearnerState } from '../learner.ts';
import { addBatch } from '../metrics.ts';
import { exchange, shardsOf } from './exchange.ts';
import type { ShareOfStep, SumOfStep } from './exchange.ts';
import { Group } from './group.ts';
import type { GroupOptions, Settled } from './group.ts';
import type { View } from './membership.ts';
import { partOf, push, shardsFor } from './plan.ts';
import type { Partial } from './plan.ts';

/** A run that trains with others, as far as they see it. */
export interface SharedRun {
  state: RunState;
  readonly learner: Learner;
}

/** The rows order[from], …, order[to - 1] of the training part. */
export interface SharedBatch {
  readonly train: Part;
  readonly order: Int32Array;
  readonly from: number;
  readonly to: number;
  /** The learning rate of the step. */
  readonly rate: number;
}

/** What can come instead of the next step. After `Moved` the run stands elsewhere, where the others do. */
export type Interruption = { readonly kind: 'Moved' } | Extract<Settled, { kind: 'Done' | 'Stopped' | 'TooFew' }>;
export type SharedStep = { readonly kind: 'Learnt'; readonly loss: number } | Interruption;

export class Replicas {
  private readonly group: Group;
  private readonly shards: number;
  /** The view in which digests were compared last; undefined when there is something to compare. */
  private compared: View | undefined;

  constructor(options: GroupOptions) {
    this.group = new Group(options);
    this.shards = shardsFor(options.places);
  }

  /** Whether this one writes checkpoints and the model, and reports. */
  get leads(): boolean {
    return this.group.leads;
  }

  /**
   * One step of all replicas; the tally of the run's state gets the whole batch.
   * @throws AnnealError `PEER_LOST`, `REPLICAS_DIVERGED`
   */
  async learn(run: SharedRun, batch: SharedBatch): Promise<SharedStep> {
    // A replica that is alone for now would otherwise never hear that another wants to join.
    await setImmediate();
    for (;;) {
      const settled = await this.settle(run);
      if (settled !== undefined) return settled;
      const { view } = this.group;
      if (view === undefined) continue;
      const { step, tally } = run.state;
      const share = this.compute(run, batch, view);
      const digest = this.group.leads && this.compared !== view && view.members.length > 1 ? digestOf(run.learner.save()) : undefined;
      const rows = batch.to - batch.from;
      const sum = await exchange(this.group, view, { step, shards: this.shards, rows, size: run.learner.size, digest }, share);
      if (sum === undefined) continue;
      this.compare(run, sum.digest);
      this.compared = view;
      run.learner.apply(sum.gradient, batch.rate);
      this.group.completedStep();
      return { kind: 'Learnt', loss: this.tell(batch, sum, tally) };
    }
  }

  /** Waits at the end of training. @returns 'Lead' when this one is to write the model */
  async conclude(run: SharedRun): Promise<'Lead' | Interruption> {
    for (;;) {
      const settled = await this.settle(run);
      // There is nothing left to do for which it takes more.
      if (settled?.kind === 'TooFew') return 'Lead';
      if (settled !== undefined) return settled;
      if (this.group.leads) return 'Lead';
      await this.group.change();
    }
  }

  /** What was just written is compared with what the others hold, with the next step. */
  checkpointed(): void {
    this.compared = undefined;
  }

  announce(result: TrainingResult): void {
    this.group.announce(result);
  }

  /** Ends all replicas. @returns what to throw */
  end(why: string): AnnealError {
    return this.group.end(why);
  }

  leave(): void {
    this.group.leave();
  }

  close(): void {
    this.group.close();
  }

  private async settle(run: SharedRun): Promise<Interruption | undefined> {
    const { state: { step }, learner: held } = run;
    const settled = await this.group.settle({
      step,
      digest: () => digestOf(held.save()),
      state: () => serialize({ state: run.state, learner: held.save() } satisfies Transfer),
    });
    if (settled.kind === 'Ready') return undefined;
    if (settled.kind !== 'Moved') return settled;
    const { state, learner } = deserialize(new Uint8Array(settled.state)) as Transfer;
    run.state = state;
    run.learner.load(learner);
    return { kind: 'Moved' };
  }

  /** Shard by shard, since a sum over several depends on which they are. */
  private compute(run: SharedRun, { train, order, from, to }: SharedBatch, view: View): ShareOfStep {
    const { learner, state: { step } } = run;
    const position = view.members.findIndex(({ incarnation }) => incarnation === this.group.me.incarnation);
    const shards = shardsOf(view, position, this.shards);
    const first = partOf(to - from, shards.from, this.shards).from;
    const last = partOf(to - from, shards.to, this.shards).from;
    const kind = train.targets instanceof Int32Array ? Int32Array : Float32Array;
    const outputs = new kind(last - first);
    const losses = new Float64Array(shards.to - shards.from);
    const partials: Partial[] = [];
    for (let shard = shards.from; shard < shards.to; shard++) {
      const rows = partOf(to - from, shard, this.shards);
      if (rows.from === rows.to) {
        push(partials, { start: shard, size: 1, values: new Float32Array(learner.size) });
        continue;
      }
      const { gradient, outputs: told, loss } = learner.measure(gather(train, order, from + rows.from, from + rows.to), [step, shard], (rows.to - rows.from) / (to - from));
      push(partials, { start: shard, size: 1, values: gradient });
      outputs.set(told, rows.from - first);
      losses[shard - shards.from] = loss;
    }
    return { partials, losses, outputs };
  }

  /** The same additions in the same order on every replica. @returns the batch's mean loss */
  private tell({ train, order, from, to }: SharedBatch, { losses, outputs }: SumOfStep, tally: RunState['tally']): number {
    let sum = 0;
    for (let shard = 0; shard < this.shards; shard++) {
      const rows = partOf(to - from, shard, this.shards);
      if (rows.from === rows.to) continue;
      const loss = losses[shard] ?? NaN;
      const targets = Float64Array.from(order.subarray(from + rows.from, from + rows.to), (row) => train.targets[row] ?? NaN);
      addBatch(tally, targets, outputs.subarray(rows.from, rows.to), loss);
      sum += loss * (rows.to - rows.from);
    }
    return sum / (to - from);
  }

  private compare({ learner, state }: SharedRun, digest: string | undefined): void {
    if (digest === undefined || this.group.leads) return;
    const own = digestOf(learner.save());
    if (own === digest) return;
    throw new AnnealError('REPLICAS_DIVERGED', { message: `Replica ${this.group.me.index} has other weights than the leader before step ${state.step + 1}: ${own.slice(0, 12)}, not ${digest.slice(0, 12)}. It takes the leader's when it begins anew.` });
  }
}

interface Transfer {
  readonly state: RunState;
  readonly learner: LearnerState;
}

function digestOf({ weights, optimizer }: LearnerState): string {
  const hash = createHash('sha256');
  for (const { buffer, byteOffset, byteLength } of [weights, ...optimizer.slots]) hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  return hash.update(optimizer.scalars.join()).digest('hex');
}
