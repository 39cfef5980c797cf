/**
 * The way from one replica to the others, as the training thread sees it. The connections live in the main thread, which always
 * answers: the training thread is deaf for as long as a step takes, and must not be taken for lost.
 */
import type { MessagePort } from 'node:worker_threads';
import type { Loss, Member } from './membership.ts';
import type { Message } from './messages.ts';

export type LinkEvent =
  | { readonly kind: 'Up'; readonly member: Member }
  | { readonly kind: 'Lost'; readonly member: Member; readonly how: Loss; /** Half a sentence for a person. */ readonly why: string }
  | { readonly kind: 'Message'; readonly from: Member; readonly message: Message; readonly payload: ArrayBuffer };

export interface Link {
  readonly incarnation: string;
  /** What was sent to a process that is not there any more is dropped. The payload may be taken away. */
  send(to: Member, message: Message, payload?: ArrayBuffer): void;
  listen(handler: (event: LinkEvent) => void): void;
}

export interface Sending {
  readonly to: Member;
  readonly message: Message;
  readonly payload: ArrayBuffer;
}

/** The other end of `serveLink`. */
export function linkOver(port: MessagePort, incarnation: string): Link {
  return {
    incarnation,
    send: (to, message, payload = new ArrayBuffer(0)) => port.postMessage({ to, message, payload } satisfies Sending, [payload]),
    listen: (handler) => void port.on('message', handler),
  };
}

/** Joins the connections of the main thread with the port. */
export function serveLink(port: MessagePort, mesh: Pick<Link, 'send' | 'listen'>): void {
  mesh.listen((event) => port.postMessage(event, event.kind === 'Message' ? [event.payload] : []));
  port.on('message', ({ to, message, payload }: Sending) => mesh.send(to, message, payload));
}
