/** The processes that one replica knows of: who is there, who waits to be let in, who is lost. */
import { ascending, firstView, hasQuorum } from './membership.ts';
import type { Loss, Member } from './membership.ts';
import type { Message } from './messages.ts';

type Here = Extract<Message, { type: 'Here' }>;

export interface RosterOptions {
  /** How many indexes there are. */
  readonly places: number;
  /** How many begin together. */
  readonly replicas: number;
  /** With how few they go on; as many as `replicas` where the loss of any ends them all. */
  readonly minReplicas: number;
  /** Digest of spec and data, which all must share. */
  readonly runDigest: string;
}

export class Roster {
  readonly me: Member;
  private readonly options: RosterOptions;
  private readonly up = new Map<number, Member>();
  private readonly here = new Map<string, Here>();
  private readonly losses = new Map<string, Loss>();

  constructor(me: Member, options: RosterOptions) {
    this.me = me;
    this.options = options;
  }

  /** All that are connected. */
  get present(): Member[] {
    return ascending([...this.up.values()]);
  }

  get lost(): ReadonlyMap<string, Loss> {
    return this.losses;
  }

  isLost({ incarnation }: Member): boolean {
    return this.losses.has(incarnation);
  }

  /** Members but this one and the lost. */
  living(members: readonly Member[]): Member[] {
    return members.filter((member) => member.incarnation !== this.me.incarnation && !this.isLost(member));
  }

  /** Also of one that was silent for a while. */
  arrive(member: Member): void {
    this.up.set(member.index, member);
    this.losses.delete(member.incarnation);
  }

  hear(from: Member, message: Here): void {
    this.here.set(from.incarnation, message);
  }

  /** @returns whether that is news; what was silent may turn out to be dead, never the other way round */
  lose(member: Member, how: Loss): boolean {
    const before = this.losses.get(member.incarnation);
    if (before === 'Dead' || before === how) return false;
    this.losses.set(member.incarnation, how);
    this.here.delete(member.incarnation);
    if (this.up.get(member.index)?.incarnation === member.incarnation) this.up.delete(member.index);
    return true;
  }

  /** Number of the view that it last said it is in; 0 for none. */
  viewOf({ incarnation }: Member): number {
    return this.here.get(incarnation)?.view ?? 0;
  }

  /** Indexes of those that begin together and have not said yet that they are ready. */
  awaited(): number[] {
    return firstView(this.options.replicas).members.map(({ index }) => index)
      .filter((index) => index !== this.me.index && !this.here.has(this.up.get(index)?.incarnation ?? ''));
  }

  /**
   * All that begin together, this one among them; nobody while they are incomplete, or others are at work already.
   * @param waitedLong  an elastic job then begins with those that are there
   */
  beginners(waitedLong: boolean): Member[] {
    if ([...this.here.values()].some(({ view }) => view !== 0)) return [];
    const ready = [this.me, ...this.present.filter((member) => this.waits(member))];
    const together = ascending(ready.filter((member) => ready.every((other) => this.areConnected(member, other))));
    const { replicas, minReplicas, places } = this.options;
    const first = firstView(replicas);
    if (first.members.every(({ index }) => together.some((member) => member.index === index))) return together;
    const isElastic = minReplicas < places;
    return isElastic && waitedLong && together.length >= minReplicas && hasQuorum(first, together, this.losses) ? together : [];
  }

  /** Who can be let in: is ready, reaches every member, and is none of the lost. */
  joiners(members: readonly Member[]): Member[] {
    return this.present.filter((member) => this.waits(member)
      && members.every((other) => other.incarnation !== member.incarnation && this.areConnected(member, other)));
  }

  private waits(member: Member): boolean {
    const said = this.here.get(member.incarnation);
    return said?.view === 0 && said.runDigest === this.options.runDigest && !this.isLost(member);
  }

  private areConnected(member: Member, other: Member): boolean {
    if (member.incarnation === other.incarnation || member.incarnation === this.me.incarnation) return true;
    return this.here.get(member.incarnation)?.connected.some(({ incarnation }) => incarnation === other.incarnation) === true;
  }
}
