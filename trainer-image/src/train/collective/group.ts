/**
 * The replicas that train together, seen from one of them: who they are, how the next view comes about, and what they sent.
 * Everything waits by looking at what has arrived and, if that is not enough, sleeping until something else does.
 */
import type { TrainingResult } from '@anneal/operator/api';
import { peerLostCode } from '@anneal/operator/api';
import { AnnealError } from '../../errors.ts';
import type { TrainingHooks } from '../order.ts';
import { Inbox } from './inbox.ts';
import type { Link, LinkEvent } from './link.ts';
import { ascending, firstView, hasQuorum, lowest, nextNumber, viewsToSucceed } from './membership.ts';
import type { Loss, Member, View } from './membership.ts';
import type { Message } from './messages.ts';
import { Roster } from './roster.ts';
import type { RosterOptions } from './roster.ts';

export interface GroupOptions extends RosterOptions {
  readonly link: Link;
  readonly index: number;
  readonly hooks: Pick<TrainingHooks, 'log' | 'signal'>;
  /** The model, when a run before or beside this one wrote it. Asked now and then while waiting to be let in. */
  readonly finished: () => TrainingResult | undefined;
}

/** Where a replica stands. */
export interface Standpoint {
  /** That it would do next. */
  readonly step: number;
  /** Of weights and optimiser. Asked for only when views change. */
  readonly digest: () => string;
  /** All that another needs to stand there too. Asked for only when one does. */
  readonly state: () => Uint8Array;
}

export type Settled =
  /** In a view of which nobody is known to be lost. */
  | { readonly kind: 'Ready' }
  /** In a new view, whose others stand elsewhere: there. */
  | { readonly kind: 'Moved'; readonly state: ArrayBuffer }
  /** The leader wrote the model. */
  | { readonly kind: 'Done'; readonly result: TrainingResult }
  | { readonly kind: 'Stopped' }
  /** All that are left know each other, and are too few. Whoever is told so writes a checkpoint and calls `end`. */
  | { readonly kind: 'TooFew'; readonly why: string };

interface Proposal {
  readonly number: number;
  readonly candidates: readonly Member[];
  readonly reports: Map<string, { readonly standpoint: string; readonly views: readonly View[] }>;
}

/** How long an elastic job waits for the first ones to be complete. */
const patienceMs = 30_000;
const lookMs = 5000;

export class Group {
  view: View | undefined;
  readonly inbox = new Inbox();
  readonly me: Member;
  private readonly options: GroupOptions;
  private readonly roster: Roster;
  /** See `Standing`. */
  private views: readonly View[];
  /** Number of the newest Gather that was answered; Installs of others come too late. */
  private promised = 0;
  private seen = 0;
  private unanswered: { readonly number: number; readonly from: Member } | undefined;
  private proposal: Proposal | undefined;
  private installed: { readonly view: View; readonly state: ArrayBuffer | undefined } | undefined;
  private done: TrainingResult | undefined;
  private ended: AnnealError | undefined;
  private awaited: string | undefined;
  private wake: () => void = () => undefined;
  private readonly waitingSince = performance.now();
  private readonly timer: NodeJS.Timeout;

  constructor(options: GroupOptions) {
    this.options = options;
    this.me = { index: options.index, incarnation: options.link.incarnation };
    this.roster = new Roster(this.me, options);
    this.views = [firstView(options.replicas)];
    this.timer = setInterval(() => this.look(), lookMs);
    options.hooks.signal.addEventListener('abort', () => this.wake());
    options.link.listen((event) => {
      this.hear(event);
      this.wake();
    });
  }

  get leads(): boolean {
    return this.view?.members[0]?.incarnation === this.me.incarnation;
  }

  /** Whether the view must change before anything else is done; a step that is being exchanged is then given up. */
  get isDisturbed(): boolean {
    if (this.view === undefined || this.done !== undefined || this.ended !== undefined || this.options.hooks.signal.aborted) return true;
    if (this.promised > this.view.number || this.view.members.some((member) => this.roster.isLost(member))) return true;
    return this.proposes() && this.roster.joiners(this.survivors()).length > 0;
  }

  /** Resolves when something has happened. */
  async change(): Promise<void> {
    await new Promise<void>((resolve) => (this.wake = resolve));
  }

  send(to: Member, message: Message, payload?: ArrayBuffer): void {
    this.options.link.send(to, message, payload);
  }

  /** From now on views before this one are history. */
  completedStep(): void {
    if (this.view !== undefined && this.views[0] !== this.view) this.views = [this.view];
  }

  /**
   * Comes to a view in which training can go on.
   * @throws AnnealError `PEER_LOST`, `PEER_MISMATCH`
   */
  async settle(here: Standpoint): Promise<Settled> {
    for (;;) {
      if (this.done !== undefined) return { kind: 'Done', result: this.done };
      if (this.ended !== undefined) throw this.ended;
      if (this.options.hooks.signal.aborted) return { kind: 'Stopped' };
      const { installed } = this;
      if (installed !== undefined) {
        this.enter(installed.view, here.step);
        if (installed.state !== undefined) return { kind: 'Moved', state: installed.state };
      }
      if (!this.isDisturbed) return { kind: 'Ready' };
      this.answer(here);
      const outcome = this.proposes() ? this.propose(here) : undefined;
      if (outcome !== undefined) return outcome;
      await this.change();
    }
  }

  /** Tells all that the model is written. */
  announce(result: TrainingResult): void {
    this.broadcast(this.roster.present, { type: 'Done', result });
  }

  /** Ends all replicas. @returns what to throw: `PEER_LOST` */
  end(why: string): AnnealError {
    this.broadcast(this.roster.present, { type: 'End', why });
    return peerLost(why);
  }

  /** The others go on without this one, if they are enough. */
  leave(): void {
    this.broadcast(this.roster.present, { type: 'Leaving' });
  }

  close(): void {
    clearInterval(this.timer);
  }

  /** A person who looks at the log must see whom a job waits for. */
  private look(): void {
    if (this.view !== undefined) return;
    this.done ??= this.options.finished();
    const awaited = this.roster.awaited();
    if (awaited.join() !== this.awaited) this.options.hooks.log('info', 'Waits for the other replicas', { awaited });
    this.awaited = awaited.join();
    this.wake();
  }

  private hear(event: LinkEvent): void {
    switch (event.kind) {
      case 'Up':
        // A member that was given up stays so: others may have gone on without it already.
        if (this.isMember(event.member) && this.roster.isLost(event.member)) break;
        this.roster.arrive(event.member);
        this.sayHere();
        break;
      case 'Lost':
        this.lose(event.member, event.how, event.why);
        break;
      case 'Message':
        if (!this.roster.isLost(event.from)) this.take(event.from, event.message, event.payload);
    }
  }

  private take(from: Member, message: Message, payload: ArrayBuffer): void {
    switch (message.type) {
      case 'Here':
        this.takeHere(from, message);
        break;
      case 'Lost':
        this.takeLosses(from, message.losses);
        break;
      case 'Leaving':
        this.lose(from, 'Dead', 'it was stopped');
        break;
      case 'Gather':
        this.takeGather(from, message);
        break;
      case 'Report':
        this.takeReport(from, message);
        break;
      case 'Install':
        if (message.view.number === this.promised) this.installed = { view: message.view, state: message.withState ? payload : undefined };
        break;
      case 'Removed':
        this.ended ??= peerLost('The other replicas lost touch with this one and went on without it.');
        break;
      case 'Partials':
      case 'Sum':
        this.inbox.put(from.index, message, payload);
        break;
      case 'Done':
        this.done ??= message.result;
        break;
      case 'End':
        this.ended ??= peerLost(message.why);
    }
  }

  private takeHere(from: Member, message: Extract<Message, { type: 'Here' }>): void {
    this.roster.hear(from, message);
    if (message.view !== 0 && this.view !== undefined && message.view < this.view.number && !this.isMember(from)) this.send(from, { type: 'Removed' });
    if (message.runDigest === this.options.runDigest) return;
    const why = `Replica ${from.index} read another spec or other data than replica ${this.me.index}. Give the source a sha256, so that all read the same file.`;
    if (this.view === undefined) this.ended ??= new AnnealError('PEER_MISMATCH', { at: 'spec.trainer.data.source', message: why });
    else if (message.view === 0) this.send(from, { type: 'End', why });
  }

  /** Where two have lost each other but not us, the lower index is believed; to believe both would lose both. */
  private takeLosses(from: Member, losses: readonly (readonly [string, Loss])[]): void {
    const known = [...this.roster.present, ...(this.view?.members ?? [])];
    for (const [incarnation, how] of losses) {
      const member = known.find((one) => one.incarnation === incarnation);
      if (member === undefined || incarnation === this.me.incarnation || (how === 'Silent' && member.index < from.index)) continue;
      this.lose(member, how, `replica ${from.index} lost it`);
    }
  }

  private takeGather(from: Member, message: Extract<Message, { type: 'Gather' }>): void {
    const { number, losses, view } = message;
    this.seen = Math.max(this.seen, number);
    // A stranger may have come to a newer view of which this one has not heard yet, or never will from one who died.
    const isInvited = view !== undefined && view.number > (this.view?.number ?? 0) && view.members.some(({ incarnation }) => incarnation === this.me.incarnation);
    if (this.view !== undefined && !this.isMember(from) && !isInvited) return;
    this.takeLosses(from, losses);
    if (number <= this.promised) {
      this.send(from, { type: 'Report', number: this.promised, standpoint: '', views: [] });
      return;
    }
    this.promised = number;
    this.unanswered = { number, from };
  }

  private answer(here: Standpoint): void {
    if (this.unanswered === undefined) return;
    const { from, number } = this.unanswered;
    this.unanswered = undefined;
    this.send(from, { type: 'Report', number, standpoint: nameOf(here), views: this.views });
  }

  /** A number that is not ours means that another asked that replica since, with a higher one. */
  private takeReport(from: Member, { number, standpoint, views }: Extract<Message, { type: 'Report' }>): void {
    this.seen = Math.max(this.seen, number);
    if (number === this.proposal?.number) this.proposal.reports.set(from.incarnation, { standpoint, views });
    else if (this.proposal !== undefined && number > this.proposal.number) this.proposal = undefined;
  }

  private lose(member: Member, how: Loss, why: string): void {
    if (!this.roster.lose(member, how)) return;
    if (!this.isMember(member)) {
      this.sayHere();
      return;
    }
    this.options.hooks.log('warn', 'Lost a replica', { replica: member.index, why, certain: how === 'Dead' });
    this.broadcast(this.survivors(), { type: 'Lost', losses: [[member.incarnation, how]] });
  }

  private isMember({ incarnation }: Member): boolean {
    return this.view?.members.some((member) => member.incarnation === incarnation) === true;
  }

  /** Of the view. */
  private survivors(): Member[] {
    return [this.me, ...this.roster.living(this.view?.members ?? [])];
  }

  private broadcast(to: readonly Member[], message: Message): void {
    for (const member of to) if (member.incarnation !== this.me.incarnation) this.send(member, message);
  }

  private sayHere(): void {
    const { present } = this.roster;
    this.broadcast(present, { type: 'Here', view: this.view?.number ?? 0, runDigest: this.options.runDigest, connected: present });
  }

  /** Who the next view could be made of. */
  private candidates(): Member[] {
    if (this.view === undefined) return this.roster.beginners(performance.now() - this.waitingSince >= patienceMs);
    const survivors = this.survivors();
    return ascending([...survivors, ...this.roster.joiners(survivors)]);
  }

  /**
   * Whether it is on this replica to ask the others for the next view: the lowest index, but of those who have come to the newest one. Another, who
   * was to be let in when the one who asked died, knows neither the view nor where the others stand.
   */
  private proposes(): boolean {
    const { view } = this;
    if (view === undefined) return lowest(this.candidates())?.index === this.me.index;
    const others = this.roster.living(view.members);
    if (others.some((member) => this.roster.viewOf(member) > view.number)) return false;
    return others.every((member) => member.index > this.me.index || this.roster.viewOf(member) < view.number);
  }

  private propose(here: Standpoint): Settled | undefined {
    const candidates = this.candidates();
    if (this.proposal === undefined || this.promised > this.proposal.number || !areEqual(candidates, this.proposal.candidates)) {
      this.proposal = this.gather(candidates, here);
    }
    return this.proposal.reports.size < candidates.length ? undefined : this.decide(this.proposal, here);
  }

  private gather(candidates: readonly Member[], here: Standpoint): Proposal {
    const number = nextNumber(Math.max(this.seen, this.promised), this.me.index, this.options.places);
    this.promised = number;
    this.seen = number;
    this.broadcast(candidates, { type: 'Gather', number, losses: [...this.roster.lost], ...(this.view === undefined ? {} : { view: this.view }) });
    return { number, candidates, reports: new Map([[this.me.incarnation, { standpoint: nameOf(here), views: this.views }]]) };
  }

  private decide({ number, candidates, reports }: Proposal, here: Standpoint): Settled {
    const before = viewsToSucceed([...reports.values()]);
    const lacking = before.find((view) => !hasQuorum(view, candidates, this.roster.lost));
    if (lacking !== undefined) {
      const silent = lacking.members.filter(({ index }) => !candidates.some((member) => member.index === index));
      throw this.end(`Replica ${indexes(silent)} cannot be reached but may still be at work, and those on this side (${indexes(candidates)}) are not the majority.`);
    }
    const old = this.view?.members ?? [];
    if (candidates.length < this.options.minReplicas) {
      const gone = old.filter((member) => this.roster.isLost(member));
      return { kind: 'TooFew', why: `Replica ${indexes(gone)} was lost at step ${here.step}. Left: ${candidates.length}; it takes ${this.options.minReplicas} to go on.` };
    }
    const view: View = { number, members: candidates };
    const own = reports.get(this.me.incarnation)?.standpoint;
    for (const member of candidates) {
      if (member.incarnation === this.me.incarnation) continue;
      const withState = reports.get(member.incarnation)?.standpoint !== own;
      this.send(member, { type: 'Install', view, withState }, withState ? copyOf(here.state()) : undefined);
    }
    this.enter(view, here.step);
    return { kind: 'Ready' };
  }

  private enter(view: View, step: number): void {
    const before = this.view?.members ?? [];
    this.view = view;
    this.broadcast(before.filter((member) => !this.isMember(member)), { type: 'Removed' });
    this.views = [...this.views, view];
    this.proposal = undefined;
    this.installed = undefined;
    this.inbox.forget(view.number);
    this.sayHere();
    this.options.hooks.log('info', 'Trains together', { replicas: view.members.map(({ index }) => index), leader: view.members[0]?.index, step });
  }
}

const peerLost = (why: string): AnnealError => new AnnealError(peerLostCode, { message: `${why} The run goes on from its last checkpoint.` });

const nameOf = ({ step, digest }: Standpoint): string => `${step} ${digest()}`;

const indexes = (members: readonly Member[]): string => members.map(({ index }) => index).join(', ');

const areEqual = (some: readonly Member[], others: readonly Member[]): boolean => some.length === others.length && some.every(({ incarnation }, place) => incarnation === others[place]?.incarnation);

function copyOf(bytes: Uint8Array): ArrayBuffer {
  const copy = new ArrayBuffer(bytes.byteLength);
  new Uint8Array(copy).set(bytes);
  return copy;
}
