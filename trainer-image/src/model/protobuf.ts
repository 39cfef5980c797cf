/** The wire format of Protocol Buffers (protobuf.dev/programming-guides/encoding), as much of it as TensorFlow's graphs and ONNX files need. */

const wireType = { varint: 0, lengthDelimited: 2, fixed32: 5 } as const;

/** One message: fields in the order in which they are written, so that equal messages give equal bytes. */
export class ProtoWriter {
  private readonly chunks: Uint8Array[] = [];
  private size = 0;

  /** A whole number, a truth value or a choice by its number; a negative one takes ten bytes, its two's complement in 64 bits. */
  int(field: number, value: number): this {
    return this.key(field, wireType.varint).push(varint(value));
  }

  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.key(field, wireType.fixed32).push(bytes);
  }

  text(field: number, value: string): this {
    return this.bytes(field, Buffer.from(value));
  }

  bytes(field: number, value: Uint8Array): this {
    return this.key(field, wireType.lengthDelimited).push(varint(value.length)).push(value);
  }

  /** Whole numbers in one field. */
  ints(field: number, values: readonly number[]): this {
    return this.bytes(field, Buffer.concat(values.map(varint)));
  }

  /** A message within this one. Its bytes are shared, not copied: weights are copied once, at the end. */
  message(field: number, inner: ProtoWriter): this {
    this.key(field, wireType.lengthDelimited).push(varint(inner.size));
    for (const chunk of inner.chunks) this.push(chunk);
    return this;
  }

  finish(): Uint8Array {
    return Buffer.concat(this.chunks, this.size);
  }

  private key(field: number, type: number): this {
    return this.push(varint(field * 8 + type));
  }

  private push(chunk: Uint8Array): this {
    this.chunks.push(chunk);
    this.size += chunk.length;
    return this;
  }
}

/** Seven bits a byte, the lowest first; the top bit says that more follow. */
function varint(value: number): Uint8Array {
  let left = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  while (left >= 0x80n) {
    bytes.push(Number(left & 0x7fn) | 0x80);
    left >>= 7n;
  }
  bytes.push(Number(left));
  return Uint8Array.from(bytes);
}
