/** One connection between two replicas: TLS, the greeting, frames. */
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { frameReader, headOf } from './frame.ts';
import type { Frame } from './frame.ts';
import type { Member } from './membership.ts';
import type { PeerTls } from './tls.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** What each side says first. */
export interface Hello extends Member {
  readonly hello: 1;
  readonly job: string;
  /** Only asks who is there. */
  readonly probe?: true;
}

export interface PeerConnection {
  readonly hello: Hello;
  send(header: unknown, payload?: ArrayBuffer): void;
  /** Milliseconds of `performance.now()` at which anything last came, and last went. */
  heardAt: number;
  sentAt: number;
  /** Sends what is still to be sent, then closes. */
  end(): void;
  destroy(): void;
}

export interface ConnectionEvents {
  onFrame(connection: PeerConnection, frame: Frame): void;
  onClosed(connection: PeerConnection): void;
}

/** A replica answers its greeting at once: the thread that does has nothing else to do. */
const helloMs = 5000;

/** @throws Error with the system's code; also when the other side does not hold the job's key, is of another job, or at another place */
export function dial(address: Address, tls: PeerTls, ours: Hello, place: number, events: ConnectionEvents): Promise<PeerConnection> {
  const socket = connect({ ...address, ...tls.options });
  socket.once('secureConnect', () => {
    if (!tls.isReplica(socket)) socket.destroy(new Error(`${address.host}:${address.port} has another certificate than this job's replicas`));
    else write(socket, ours);
  });
  return greeted(socket, events, (theirs) => {
    if (theirs.job !== ours.job || theirs.index !== place) throw new Error(`${address.host}:${address.port} is replica ${theirs.index} of ${theirs.job}`);
  });
}

/** The other end of `dial`, for a socket that is secure. Answers a probe and closes: then the promise is refused. */
export function accept(socket: TLSSocket, ours: Hello, events: ConnectionEvents): Promise<PeerConnection> {
  return greeted(socket, events, (theirs) => {
    if (theirs.job !== ours.job || theirs.index === ours.index) throw new Error(`replica ${theirs.index} of ${theirs.job} called`);
    write(socket, ours);
    if (theirs.probe === true) {
      socket.end();
      throw new Error('it only asked who is here');
    }
  });
}

function greeted(socket: TLSSocket, events: ConnectionEvents, check: (theirs: Hello) => void): Promise<PeerConnection> {
  return new Promise((resolve, reject) => {
    let connection: PeerConnection | undefined;
    const late = setTimeout(() => socket.destroy(new Error('no greeting came')), helloMs);
    const read = frameReader((frame) => {
      if (connection !== undefined) {
        events.onFrame(connection, frame);
        return;
      }
      const theirs = helloOf(frame.header);
      check(theirs);
      clearTimeout(late);
      connection = connectionOver(socket, theirs);
      resolve(connection);
    });
    socket.setNoDelay(true);
    socket.on('data', (piece: Buffer) => {
      if (connection !== undefined) connection.heardAt = performance.now();
      try {
        read(piece);
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
        if (!socket.writableEnded) socket.destroy();
      }
    });
    socket.on('error', reject);
    socket.on('close', () => {
      clearTimeout(late);
      reject(new Error('it closed the connection'));
      if (connection !== undefined) events.onClosed(connection);
    });
  });
}

function connectionOver(socket: TLSSocket, hello: Hello): PeerConnection {
  const now = performance.now();
  const connection: PeerConnection = {
    hello,
    heardAt: now,
    sentAt: now,
    send: (header, payload) => {
      connection.sentAt = performance.now();
      write(socket, header, payload);
    },
    end: () => void socket.end(),
    destroy: () => void socket.destroy(),
  };
  return connection;
}

function write(socket: TLSSocket, header: unknown, payload = new ArrayBuffer(0)): void {
  if (!socket.writable) return;
  socket.cork();
  socket.write(headOf(header, payload.byteLength));
  if (payload.byteLength > 0) socket.write(new Uint8Array(payload));
  socket.uncork();
}

function helloOf(header: unknown): Hello {
  if (typeof header === 'object' && header !== null && 'hello' in header && header.hello === 1) return header as Hello;
  throw new Error('it does not speak the language of this release');
}
