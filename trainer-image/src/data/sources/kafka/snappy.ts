/**
 * Snappy as Java writes it. Kafka's own clients and brokers put blocks of Snappy into the frames of snappy-java (SnappyOutputStream), and the
 * client that is used here takes a bare block alone; its table of codecs gets one that takes both.
 */
import { compressionsAlgorithms } from '@platformatic/kafka';

const magic = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0);
/** The magic bytes and two versions. */
const headBytes = 16;

type Unpack = (packed: Buffer) => Buffer;

/** @param block  unpacks one bare block */
export function unpackSnappy(packed: Buffer, block: Unpack): Buffer {
  if (!magic.every((byte, at) => packed[at] === byte)) return block(packed);
  const parts: Buffer[] = [];
  for (let at = headBytes; at < packed.length;) {
    const end = at + 4 + packed.readUInt32BE(at);
    parts.push(block(packed.subarray(at + 4, end)));
    at = end;
  }
  return Buffer.concat(parts);
}

/** Once in a process. */
export function takeJavaSnappy(): void {
  const codec = compressionsAlgorithms.snappy as { decompressSync: Unpack; takesFrames?: true };
  if (codec.takesFrames === true) return;
  const block = codec.decompressSync;
  codec.takesFrames = true;
  codec.decompressSync = (packed) => unpackSnappy(packed, block);
}
