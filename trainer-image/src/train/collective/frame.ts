/** How messages lie on a connection: length of the header, length of the payload (uint32, big-endian), the header as JSON, the payload. */

export interface Frame {
  readonly header: unknown;
  readonly payload: ArrayBuffer;
}

/** Headers are small; more is not from a replica. */
const maxHeaderBytes = 1024 * 1024;

/** What goes before the payload. */
export function headOf(header: unknown, payloadBytes: number): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  const head = Buffer.allocUnsafe(8 + json.length);
  head.writeUInt32BE(json.length, 0);
  head.writeUInt32BE(payloadBytes, 4);
  json.copy(head, 8);
  return head;
}

/** Gathers frames from pieces of any size; each payload gets memory of its own, so that it can move to another thread. @throws SyntaxError, RangeError */
export function frameReader(onFrame: (frame: Frame) => void): (piece: Uint8Array) => void {
  let wanted = new Uint8Array(8);
  let filled = 0;
  let part: 'Lengths' | 'Header' | 'Payload' = 'Lengths';
  let payloadBytes = 0;
  let header: unknown;

  const begin = (next: typeof part, bytes: number): void => {
    part = next;
    wanted = new Uint8Array(bytes);
    filled = 0;
  };
  const complete = (): void => {
    const view = Buffer.from(wanted.buffer);
    switch (part) {
      case 'Lengths': {
        const headerBytes = view.readUInt32BE(0);
        payloadBytes = view.readUInt32BE(4);
        if (headerBytes > maxHeaderBytes) throw new RangeError(`a header of ${headerBytes} bytes`);
        begin('Header', headerBytes);
        break;
      }
      case 'Header':
        header = JSON.parse(view.toString());
        begin('Payload', payloadBytes);
        break;
      case 'Payload': {
        const payload = wanted.buffer;
        begin('Lengths', 8);
        onFrame({ header, payload });
      }
    }
  };
  return (piece) => {
    let at = 0;
    do {
      const taken = Math.min(piece.length - at, wanted.length - filled);
      wanted.set(piece.subarray(at, at + taken), filled);
      filled += taken;
      at += taken;
      while (filled === wanted.length) complete();
    } while (at < piece.length);
  };
}
