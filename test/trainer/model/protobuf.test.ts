import { expect } from 'chai';
import fc from 'fast-check';
import { askPython } from '../../../hack/python/venv.ts';
import { encodeModel, float, floats, int, ints, text, texts } from '../../../trainer-image/src/model/onnx/proto.ts';
import type { OnnxModel } from '../../../trainer-image/src/model/onnx/proto.ts';
import { ProtoWriter } from '../../../trainer-image/src/model/protobuf.ts';

const hex = (writer: ProtoWriter): string => Buffer.from(writer.finish()).toString('hex');

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

/** JSON knows neither infinity nor a second zero. */
const number = fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);

describe('the wire format', () => {
  it('is that of the examples in its specification', () => {
    expect(hex(new ProtoWriter().int(1, 150))).to.equal('089601');
    expect(hex(new ProtoWriter().text(2, 'testing'))).to.equal('120774657374696e67');
    expect(hex(new ProtoWriter().message(3, new ProtoWriter().int(1, 150)))).to.equal('1a03089601');
    expect(hex(new ProtoWriter().int(1, -2))).to.equal('08feffffffffffffffff01');
    expect(hex(new ProtoWriter().ints(6, [3, 270, 86942]))).to.equal('3206038e029ea705');
    expect(hex(new ProtoWriter().float(1, 1))).to.equal('0d0000803f');
  });

  it('holds whole numbers, negative ones too', () => {
    fc.assert(fc.property(field, fc.maxSafeInteger(), (at, value) => {
      expect(read(new ProtoWriter().int(at, value).finish())).to.deep.equal([[at, BigInt(value)]]);
    }));
  });

  it('holds bytes of any length, and messages within messages', () => {
    fc.assert(fc.property(field, field, fc.uint8Array({ maxLength: 400 }), (outer, inner, bytes) => {
      const text = Buffer.from(bytes).toString('latin1');
      const [[at, content] = [0, '']] = read(new ProtoWriter().message(outer, new ProtoWriter().bytes(inner, bytes)).finish());
      expect(at).to.equal(outer);
      expect(read(Buffer.from(String(content), 'latin1'))).to.deep.equal([[inner, text]]);
    }));
  });

  it('holds floats and lists', () => {
    fc.assert(fc.property(field, fc.float({ noNaN: true }), fc.array(fc.nat(300)), (at, value, list) => {
      const fields = read(new ProtoWriter().float(at, value).ints(at, list).finish());
      expect(fields[0]).to.deep.equal([at, value]);
      // A packed list is the numbers alone, as they stand in fields of their own behind their tags.
      expect(fields[1]).to.deep.equal([at, Buffer.concat(list.map((one) => new ProtoWriter().int(1, one).finish().subarray(1))).toString('latin1')]);
    }));
  });

  it('is read by protobuf as what was written', async () => {
    const models = fc.sample(fc.record({
      alpha: number, axis: fc.maxSafeInteger(), pads: fc.array(fc.integer()), weights: fc.array(number, { minLength: 1 }),
      mode: fc.string({ unit: 'grapheme' }), names: fc.array(fc.string({ unit: 'grapheme' })), big: fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })), bytes: fc.array(fc.integer({ min: -128, max: 127 })),
    }), { numRuns: 30, seed: 1 });
    const files = models.map(({ alpha, axis, pads, weights, mode, names, big, bytes }) => {
      const model: OnnxModel = {
        inputs: [{ name: 'x', shape: [300, 2] }],
        outputs: [{ name: 'y', shape: [] }],
        initializers: [
          { name: 'floats', tensor: { type: 'FLOAT', dims: [weights.length], data: Float32Array.from(weights) } },
          { name: 'longs', tensor: { type: 'INT64', dims: [big.length], data: BigInt64Array.from(big) } },
          { name: 'bytes', tensor: { type: 'INT8', dims: [1, bytes.length], data: Int8Array.from(bytes) } },
        ],
        nodes: [{ op: 'Op', name: 'n', inputs: ['x', ''], outputs: ['', 'y'], attributes: { alpha: float(alpha), axis: int(axis), pads: ints(pads), scales: floats(weights), mode: text(mode), names: texts(names) } }],
      };
      return Buffer.from(encodeModel(model)).toString('base64');
    });
    const told = await askPython('science', `
import base64, json, sys
import onnx
from onnx import helper, numpy_helper
def read(data):
    graph = onnx.load_from_string(base64.b64decode(data)).graph
    node = graph.node[0]
    decoded = lambda value: value.decode() if isinstance(value, bytes) else [decoded(v) for v in value] if isinstance(value, list) else value
    attributes = {a.name: decoded(list(v) if not isinstance(v := helper.get_attribute_value(a), (int, float, bytes)) else v) for a in node.attribute}
    tensors = {t.name: [list(t.dims), [str(v) if t.name == 'longs' else v for v in numpy_helper.to_array(t).flatten().tolist()]] for t in graph.initializer}
    return {'attributes': attributes, 'tensors': tensors, 'inputs': list(node.input), 'outputs': list(node.output)}
print(json.dumps([read(data) for data in json.load(sys.stdin)]))
`, files);
    expect(told).to.deep.equal(models.map(({ alpha, axis, pads, weights, mode, names, big, bytes }) => ({
      attributes: { alpha, axis, pads, scales: weights, mode, names },
      tensors: { floats: [[weights.length], weights], longs: [[big.length], big.map(String)], bytes: [[1, bytes.length], bytes] },
      inputs: ['x', ''], outputs: ['', 'y'],
    })));
  });
});
