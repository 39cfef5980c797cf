/**
 * One step among the members of a view: each sends the partial sums of its shards to the owners of the gradient's parts, each owner adds its
 * part along the tree and sends it to all. What was predicted goes with the partial sums, so that all keep the same metrics.
 */
import type { Group } from './group.ts';
import type { View } from './membership.ts';
import { nodesOf, partOf, push } from './plan.ts';
import type { Partial, Range } from './plan.ts';

/** What a replica computed for its shards. */
export interface ShareOfStep {
  /** Sums of the gradients, as the nodes that cover its shards. */
  readonly partials: readonly Partial[];
  /** Of each shard, mean over its rows; 0 where it has none. */
  readonly losses: Float64Array;
  /** Of each row, as the network told it. */
  readonly outputs: Int32Array | Float32Array;
}

export interface StepPlan {
  readonly step: number;
  readonly shards: number;
  /** Rows of the batch. */
  readonly rows: number;
  /** Numbers in the gradient. */
  readonly size: number;
  /** Said by the leader, for all to compare. */
  readonly digest: string | undefined;
}

export interface SumOfStep {
  readonly gradient: Float32Array;
  /** Of all shards, ascending. */
  readonly losses: Float64Array;
  /** Of all rows of the batch. */
  readonly outputs: Int32Array | Float32Array;
  /** The leader's. */
  readonly digest: string | undefined;
}

/** The shards of a member. */
export const shardsOf = (view: View, position: number, shards: number): Range => partOf(shards, position, view.members.length);

/** @returns undefined when the view must change first; nothing of the step counts then */
export async function exchange(group: Group, view: View, plan: StepPlan, mine: ShareOfStep): Promise<SumOfStep | undefined> {
  const { members } = view;
  const own = members.findIndex(({ incarnation }) => incarnation === group.me.incarnation);
  const others = members.filter((_, position) => position !== own).map(({ index }) => index);
  const kind = mine.outputs instanceof Int32Array ? Int32Array : Float32Array;
  members.forEach((member, position) => {
    if (position === own) return;
    const payload = packShare(mine, partOf(plan.size, position, members.length));
    group.send(member, { type: 'Partials', view: view.number, step: plan.step, ...(plan.digest === undefined ? {} : { digest: plan.digest }) }, payload);
  });
  const received = await arrived(group, () => group.inbox.take('Partials', view.number, plan.step, others));
  if (received === undefined) return undefined;

  const part = partOf(plan.size, own, members.length);
  const losses = new Float64Array(plan.shards);
  const outputs = new kind(plan.rows);
  const stack: Partial[] = [];
  members.forEach((member, position) => {
    const shards = shardsOf(view, position, plan.shards);
    const rows = { from: partOf(plan.rows, shards.from, plan.shards).from, to: partOf(plan.rows, shards.to, plan.shards).from };
    const letter = received.get(member.index);
    const share = letter === undefined ? sliced(mine, part) : unpackShare(letter.payload, shards, rows.to - rows.from, part, kind);
    losses.set(share.losses, shards.from);
    outputs.set(share.outputs, rows.from);
    for (const partial of share.partials) push(stack, partial);
  });

  const sum = stack[0]?.values ?? new Float32Array(0);
  for (const member of members) {
    if (member.index !== group.me.index) group.send(member, { type: 'Sum', view: view.number, step: plan.step }, sum.slice().buffer);
  }
  const sums = await arrived(group, () => group.inbox.take('Sum', view.number, plan.step, others));
  if (sums === undefined) return undefined;
  const gradient = new Float32Array(plan.size);
  members.forEach(({ index }, position) => {
    const letter = sums.get(index);
    gradient.set(letter === undefined ? sum : new Float32Array(letter.payload), partOf(plan.size, position, members.length).from);
  });
  const leader = members[0]?.index ?? own;
  return { gradient, losses, outputs, digest: received.get(leader)?.message.digest };
}

async function arrived<T>(group: Group, look: () => T | undefined): Promise<T | undefined> {
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    if (group.isDisturbed) return undefined;
    await group.change();
  }
}

/** Losses first, since float64 must lie at multiples of eight bytes. */
function packShare({ losses, outputs, partials }: ShareOfStep, part: Range): ArrayBuffer {
  const width = part.to - part.from;
  const payload = new ArrayBuffer(losses.byteLength + outputs.byteLength + 4 * width * partials.length);
  new Float64Array(payload, 0, losses.length).set(losses);
  const words = outputs instanceof Int32Array ? new Int32Array(payload, losses.byteLength, outputs.length) : new Float32Array(payload, losses.byteLength, outputs.length);
  words.set(outputs);
  const numbers = new Float32Array(payload, losses.byteLength + outputs.byteLength);
  partials.forEach(({ values }, index) => numbers.set(values.subarray(part.from, part.to), index * width));
  return payload;
}

function unpackShare(payload: ArrayBuffer, shards: Range, rows: number, part: Range, kind: typeof Int32Array | typeof Float32Array): ShareOfStep {
  const width = part.to - part.from;
  const losses = new Float64Array(payload, 0, shards.to - shards.from);
  const outputs = new kind(payload, losses.byteLength, rows);
  const numbers = new Float32Array(payload, losses.byteLength + outputs.byteLength);
  const partials = nodesOf(shards).map((node, index) => ({ ...node, values: numbers.subarray(index * width, (index + 1) * width) }));
  return { losses, outputs, partials };
}

/** The own share is kept: a step that is given up may be sent again. */
function sliced(mine: ShareOfStep, part: Range): ShareOfStep {
  return { ...mine, partials: mine.partials.map((partial) => ({ ...partial, values: partial.values.slice(part.from, part.to) })) };
}
