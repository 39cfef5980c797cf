/** What others sent for a step, kept until it is asked for: a quick one may be a message ahead, or in the next view already. */
import type { Message } from './messages.ts';

type Exchange = Extract<Message, { type: 'Partials' | 'Sum' }>;

export interface Received<M extends Exchange> {
  readonly message: M;
  readonly payload: ArrayBuffer;
}

type Letters = Map<number, Received<Exchange>>;

export class Inbox {
  private readonly letters = new Map<string, Letters>();

  put(from: number, message: Exchange, payload: ArrayBuffer): void {
    const key = keyOf(message.type, message.view, message.step);
    const letters = this.letters.get(key) ?? new Map<number, Received<Exchange>>();
    letters.set(from, { message, payload });
    this.letters.set(key, letters);
  }

  /** By sender; all of `senders`, or nothing yet. They are then taken out. */
  take<T extends Exchange['type']>(type: T, view: number, step: number, senders: readonly number[]): Map<number, Received<Extract<Exchange, { type: T }>>> | undefined {
    const key = keyOf(type, view, step);
    const letters = this.letters.get(key) ?? new Map<number, Received<Exchange>>();
    if (!senders.every((sender) => letters.has(sender))) return undefined;
    this.letters.delete(key);
    return letters as Map<number, Received<Extract<Exchange, { type: T }>>>;
  }

  /** Drops what belongs to views before this one. */
  forget(view: number): void {
    for (const key of this.letters.keys()) if (Number(key.split('/')[0]) < view) this.letters.delete(key);
  }
}

const keyOf = (type: Exchange['type'], view: number, step: number): string => `${view}/${step}/${type}`;
