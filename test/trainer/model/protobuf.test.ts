import { expect } from 'chai';
import fc from 'fast-check';
import { bytesField, floatField, message, packedField, varintField } from '../../../trainer-image/src/model/graph/protobuf.ts';

/** A reader of our own, by the specification: field number and value of each field. */
function read(bytes: Uint8Array): (readonly [number, bigint | number | string])[] {
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++] ?? 0;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const fields: (readonly [number, bigint | number | string])[] = [];
  while (at < bytes.length) {
    const tag = varint();
    const field = Number(tag >> 3n);
    switch (Number(tag & 7n)) {
      case 0: fields.push([field, BigInt.asIntN(64, varint())]); break;
      case 2: {
        const length = Number(varint());
        fields.push([field, Buffer.from(bytes.subarray(at, at + length)).toString('latin1')]);
        at += length;
        break;
      }
      case 5:
        fields.push([field, Buffer.from(bytes).readFloatLE(at)]);
        at += 4;
    }
  }
  return fields;
}

const field = fc.integer({ min: 1, max: 2 ** 29 - 1 });

describe('protocol buffers', () => {
  it('hold whole numbers, negative ones too', () => {
    fc.assert(fc.property(field, fc.maxSafeInteger(), (number, value) => {
      expect(read(varintField(number, value))).to.deep.equal([[number, BigInt(value)]]);
    }));
    expect(varintField(1, -1)).to.have.length(11);
    expect([...varintField(1, 150)]).to.deep.equal([0x08, 0x96, 0x01]);
  });

  it('hold bytes of any length, and messages within messages', () => {
    fc.assert(fc.property(field, field, fc.uint8Array({ maxLength: 400 }), (outer, inner, bytes) => {
      const text = Buffer.from(bytes).toString('latin1');
      const [[number, content] = [0, '']] = read(bytesField(outer, bytesField(inner, bytes)));
      expect(number).to.equal(outer);
      expect(read(Buffer.from(String(content), 'latin1'))).to.deep.equal([[inner, text]]);
    }));
  });

  it('hold floats and lists', () => {
    fc.assert(fc.property(field, fc.float({ noNaN: true }), fc.array(fc.nat(300)), (number, value, list) => {
      const fields = read(message(floatField(number, value), packedField(number, list)));
      expect(fields[0]).to.deep.equal([number, value]);
      // A packed list is the numbers alone, as they stand in fields of their own behind their tags.
      expect(fields[1]).to.deep.equal([number, Buffer.concat(list.map((one) => varintField(1, one).subarray(1))).toString('latin1')]);
    }));
  });
});
