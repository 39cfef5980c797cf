import { expect } from 'chai';
import fc from 'fast-check';
import { askPython } from '../../../hack/python/venv.ts';
import { encodeModel, float, floats, int, ints, text, texts } from '../../../trainer-image/src/model/onnx/proto.ts';
import type { OnnxModel } from '../../../trainer-image/src/model/onnx/proto.ts';
import { ProtoWriter } from '../../../trainer-image/src/model/protobuf.ts';

const hex = (writer: ProtoWriter): string => Buffer.from(writer.finish()).toString('hex');

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
