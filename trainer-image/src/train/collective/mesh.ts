/**
 * Connections of one replica with all others, kept up and listened to. Each dials those of lower index, again and again, so that
 * a replica that is replaced is found by the rest. What is lost is told once, with how sure it is.
 */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { createServer } from 'node:tls';
import type { Log } from '../../log.ts';
import type { Link, LinkEvent } from './link.ts';
import type { Loss, Member } from './membership.ts';
import type { Message } from './messages.ts';
import { accept, dial } from './peer-connection.ts';
import type { Address, ConnectionEvents, Hello, PeerConnection } from './peer-connection.ts';
import type { PeerTls } from './tls.ts';

export interface MeshOptions {
  /** `namespace/name`; a replica of another job is refused. */
  readonly job: string;
  readonly index: number;
  /** Tells this process from others at its index. */
  readonly incarnation: string;
  /** Of each index; the own one says where to listen. */
  readonly peers: readonly Address[];
  readonly tls: PeerTls;
  /** Silence after which a replica counts as lost. */
  readonly silenceMs: number;
  readonly log: Log;
}

export interface Mesh extends Pick<Link, 'send' | 'listen'> {
  /** Sends what is to be sent, and closes. */
  close(): Promise<void>;
}

const beatMs = 1000;
const redialMs = { first: 100, most: 1000 };
/** How long a process whose connection ended is looked for, before it counts as cut off rather than dead. */
const probeMs = 3000;
const closeMs = 2000;
const beat = { type: 'Beat' };

/** @throws the system's error when the port cannot be listened on */
export async function openMesh(options: MeshOptions): Promise<Mesh> {
  const { job, index, incarnation, peers, tls, silenceMs, log } = options;
  const hello: Hello = { hello: 1, job, index, incarnation };
  const connections = new Map<number, PeerConnection>();
  const told = new Map<string, Loss>();
  const refused = new Set<string>();
  const closing = new AbortController();
  let handler: ((event: LinkEvent) => void) | undefined;
  const early: LinkEvent[] = [];
  const tell = (event: LinkEvent): void => {
    if (handler === undefined) early.push(event);
    else handler(event);
  };

  const lost = ({ index: place, incarnation: whose }: Member, how: Loss, why: string): void => {
    const before = told.get(whose);
    if (before === how || before === 'Dead' || closing.signal.aborted) return;
    told.set(whose, how);
    tell({ kind: 'Lost', member: { index: place, incarnation: whose }, how, why });
  };

  const up = ({ index: place, incarnation: whose }: Member): void => {
    if (told.get(whose) === 'Dead') return;
    told.delete(whose);
    tell({ kind: 'Up', member: { index: place, incarnation: whose } });
  };

  const events: ConnectionEvents = {
    onFrame: (connection, { header, payload }) => {
      const { hello: from } = connection;
      if (told.has(from.incarnation) && connections.get(from.index) === connection) up(from);
      if ((header as typeof beat).type === beat.type) return;
      tell({ kind: 'Message', from: { index: from.index, incarnation: from.incarnation }, message: header as Message, payload });
    },
    onClosed: (connection) => {
      const { hello: from } = connection;
      if (connections.get(from.index) === connection) connections.delete(from.index);
      if (!closing.signal.aborted) void fateOf(from).then(({ how, why }) => lost(from, how, why));
    },
  };

  const adopt = (connection: PeerConnection): void => {
    const { hello: from } = connection;
    const before = connections.get(from.index);
    connections.set(from.index, connection);
    if (before !== undefined) {
      lost(before.hello, 'Silent', 'it connected anew');
      before.destroy();
    }
    up(from);
  };

  /** A connection can end though both sides live. Only a process that is seen to be gone is dead. */
  const fateOf = async ({ index: place, incarnation: whose }: Member): Promise<{ how: Loss; why: string }> => {
    const deadline = performance.now() + probeMs;
    const address = peers[place];
    while (address !== undefined && performance.now() < deadline && !closing.signal.aborted) {
      try {
        const found = await dial(address, tls, { ...hello, probe: true }, place, { onFrame: () => undefined, onClosed: () => undefined });
        found.destroy();
        return found.hello.incarnation === whose ? { how: 'Silent', why: 'its connection broke' } : { how: 'Dead', why: 'it ended, and another began in its place' };
      } catch (error) {
        if (isRefusal(error)) return { how: 'Dead', why: 'it ended' };
      }
      await delay(50);
    }
    return { how: 'Silent', why: 'its connection broke, and it cannot be reached' };
  };

  const keepDialing = async (address: Address, place: number): Promise<void> => {
    let pause = redialMs.first;
    while (!closing.signal.aborted) {
      if (!connections.has(place)) {
        try {
          adopt(await dial(address, tls, hello, place, events));
          pause = redialMs.first;
        } catch (error) {
          refuse(`replica ${place}`, error);
          pause = Math.min(redialMs.most, 2 * pause);
        }
      }
      await delay(pause, undefined, { signal: closing.signal }).catch(() => undefined);
    }
  };

  /** That nobody is there yet is no news; anything else is told once. */
  const refuse = (who: string, error: unknown): void => {
    const why = error instanceof Error ? error.message : String(error);
    if ((error instanceof Error && 'code' in error) || refused.has(`${who} ${why}`)) return;
    refused.add(`${who} ${why}`);
    log('warn', 'Another replica could not be greeted', { who, why });
  };

  const server = createServer({ ...tls.options, requestCert: true }, (socket) => {
    if (tls.isReplica(socket)) {
      accept(socket, hello, events).then(adopt, (error: unknown) => log('info', 'A call was not a replica that joins', { from: socket.remoteAddress, why: String(error) }));
      return;
    }
    socket.on('error', () => undefined).destroy();
    refuse(socket.remoteAddress ?? 'someone', new Error("it has another certificate than this job's replicas"));
  });
  // A caller that is no replica must not end the run.
  server.on('tlsClientError', () => undefined);
  server.listen(peers[index]?.port);
  await once(server, 'listening');

  let checkedAt = performance.now();
  const heart = setInterval(() => {
    const now = performance.now();
    // After a pause of our own, what the others said meanwhile is still to be read.
    const paused = now - checkedAt > 2 * beatMs + silenceMs / 4;
    checkedAt = now;
    for (const connection of connections.values()) {
      if (paused) connection.heardAt = now;
      if (now - connection.sentAt >= beatMs / 2) connection.send(beat);
      if (now - connection.heardAt > silenceMs) lost(connection.hello, 'Silent', `nothing was heard of it for ${silenceMs / 1000} s`);
    }
  }, Math.min(beatMs, silenceMs / 4));
  const dialing = peers.map((address, place) => (place < index ? keepDialing(address, place) : Promise.resolve()));

  return {
    send: (to, message, payload) => {
      const connection = connections.get(to.index);
      if (connection?.hello.incarnation === to.incarnation) connection.send(message, payload);
    },
    listen: (heard) => {
      handler = heard;
      for (const event of early.splice(0)) heard(event);
    },
    close: async () => {
      // Nobody must be able to greet a process that ends.
      const closed = once(server, 'close');
      server.close();
      closing.abort();
      clearInterval(heart);
      for (const connection of connections.values()) connection.end();
      const late = setTimeout(() => {
        for (const connection of connections.values()) connection.destroy();
      }, closeMs);
      await Promise.all([closed, ...dialing]);
      clearTimeout(late);
    },
  };
}

const isRefusal = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';
