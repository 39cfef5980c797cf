/**
 * Who trains together, as pure rules. A view is one set of processes; a step is only done when all members of a view did it. Views follow one
 * another so that two sets can never both go on: each has a quorum of every view before it that may have been at work.
 */

/** One process: a pod that was replaced is another one at the same index. */
export interface Member {
  readonly index: number;
  readonly incarnation: string;
}

export interface View {
  /** Grows; no two views of a job have the same. 0 is the set that begins together, of which only the indexes are known. */
  readonly number: number;
  /** Ascending by index. */
  readonly members: readonly Member[];
}

/**
 * How sure the loss is. `Dead`: it ended, or said that it leaves. `Silent`: it may still be at work, cut off from us.
 */
export type Loss = 'Dead' | 'Silent';

/** By incarnation. */
type Losses = ReadonlyMap<string, Loss>;

/** What a process knows when it is asked for the next view. */
export interface Standing {
  /** The last view in which it completed a step, or view 0; then those that it joined since. Ascending. */
  readonly views: readonly View[];
}

export function lowest(members: readonly Member[]): Member | undefined {
  return members.reduce<Member | undefined>((low, member) => (low === undefined || member.index < low.index ? member : low), undefined);
}

export const ascending = (members: readonly Member[]): Member[] => [...members].sort((a, b) => a.index - b.index);

/** A number above all that were seen, and of this process alone. @param seen  the highest; `places` as many as indexes */
export function nextNumber(seen: number, index: number, places: number): number {
  return (Math.floor(seen / places) + 1) * places + index;
}

/** The views of which the next one needs a quorum: the newest that anyone completed a step in, and all that anyone joined after it. */
export function viewsToSucceed(standings: readonly Standing[]): View[] {
  const completed = Math.max(0, ...standings.map(({ views }) => views[0]?.number ?? 0));
  const known = new Map(standings.flatMap(({ views }) => views).map((view) => [view.number, view]));
  return [...known.values()].filter(({ number }) => number >= completed).sort((a, b) => a.number - b.number);
}

/**
 * Whether those who answered may go on for the view: the dead do not count; of the others it takes more than half, or half with the
 * lowest index. Where every loss is certain, one is enough.
 */
export function hasQuorum(view: View, answered: readonly Member[], losses: Losses): boolean {
  const living = view.members.filter((member) => losses.get(member.incarnation) !== 'Dead');
  const here = living.filter((member) => answered.some((other) => isSame(member, other)));
  if (2 * here.length !== living.length) return 2 * here.length > living.length;
  const first = lowest(living);
  return first === undefined || here.includes(first);
}

/** In view 0 an index stands for whoever begins there. */
function isSame(member: Member, other: Member): boolean {
  return member.index === other.index && (member.incarnation === '' || member.incarnation === other.incarnation);
}

/** The set that begins together. */
export function firstView(replicas: number): View {
  return { number: 0, members: Array.from({ length: replicas }, (_, index) => ({ index, incarnation: '' })) };
}
