/** Protocol Buffers wire format (https://protobuf.dev/programming-guides/encoding), as far as TensorFlow's graph messages need it. */

/** Encoded fields, tag and value; a message is its fields one after the other. */
export type Message = Uint8Array;

const wireType = { varint: 0, lengthDelimited: 2, fixed32: 5 } as const;

export function message(...fields: readonly Message[]): Message {
  return Buffer.concat(fields);
}

/** int32, int64, bool and enum fields. A negative number takes ten bytes, as the format has it. */
export function varintField(field: number, value: number): Message {
  return message(tag(field, wireType.varint), varint(value));
}

/** string, bytes and message fields. */
export function bytesField(field: number, value: string | Uint8Array): Message {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return message(tag(field, wireType.lengthDelimited), varint(bytes.length), bytes);
}

export function floatField(field: number, value: number): Message {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return message(tag(field, wireType.fixed32), bytes);
}

/** repeated int64, packed. */
export function packedField(field: number, values: readonly number[]): Message {
  return bytesField(field, message(...values.map(varint)));
}

const tag = (field: number, type: number): Message => varint(field * 8 + type);

/** Little-endian groups of seven bits, the high bit set on all but the last. */
function varint(value: number): Message {
  const bytes: number[] = [];
  let left = BigInt.asUintN(64, BigInt(value));
  for (; left >= 0x80n; left >>= 7n) bytes.push(Number(left & 0x7fn) | 0x80);
  bytes.push(Number(left));
  return Uint8Array.from(bytes);
}
