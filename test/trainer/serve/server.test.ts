import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { readCsv } from '../../../trainer-image/src/data/csv.ts';
import type { Manifest } from '../../../trainer-image/src/model/directory.ts';
import { loadPredictor } from '../../../trainer-image/src/serve/predictor.ts';
import { serve } from '../../../trainer-image/src/serve/server.ts';
import type { ServeOptions, Serving } from '../../../trainer-image/src/serve/server.ts';
import { cells } from '../data/tables.ts';
import { blobs, digitsCsv, folder, line, succeeded, train, trainer, trainerSpec, until } from '../support.ts';
import type { Folder } from '../support.ts';

interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown> & { error?: string; outputs?: { name: string; datatype: string; shape: number[]; data: (number | string)[] }[] };
}

/** Trains a model and serves it; gives a function that talks to the server. */
async function served(place: Folder, spec: object, options: Partial<ServeOptions> = {}) {
  succeeded(await train(trainerSpec(spec), place.path, { checkpointIntervalSeconds: 3600 }));
  const serving = await start(place, options);
  await serving.loaded;
  return serving;
}

async function start(place: Folder, options: Partial<ServeOptions> = {}): Promise<Serving & AsyncDisposable & { call: (path: string, body?: unknown, init?: RequestInit) => Promise<Reply> }> {
  const serving = await serve({ modelDirectory: `${place.path}/model`, name: 'model', port: 0, maxBodyBytes: 1024 * 1024, drainMs: 0, threads: 1, log: () => undefined, ...options });
  return {
    ...serving,
    call: async (path, body, init) => {
      const response = await fetch(`http://127.0.0.1:${serving.port}${path}`, body === undefined ? init : { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body), ...init });
      const text = await response.text();
      const isJson = response.headers.get('content-type') === 'application/json';
      return { status: response.status, headers: response.headers, body: (isJson ? JSON.parse(text) : { text }) as Reply['body'] };
    },
    [Symbol.asyncDispose]: () => serving.close(),
  };
}

const colours = (place: Folder): object => ({
  data: { source: { uri: place.write('rows.csv', blobs(200)) }, target: 'colour' },
  model: { preset: 'MLP', units: [8] },
  fit: { epochs: 30, batchSize: 16, optimizer: { learningRate: 0.02 } },
});

const infer = '/v2/models/model/infer';
const rows = (data: unknown, shape = [2, 2], datatype = 'FP64'): object => ({ inputs: [{ name: 'rows', shape, datatype, data }] });

describe('a served classifier', function suite() {
  this.timeout(120_000);
  let place: Folder;
  let server: Awaited<ReturnType<typeof served>>;

  before(async () => {
    place = await folder();
    server = await served(place, colours(place));
  });

  after(async () => {
    await server[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  it('describes server and model as the protocol says', async () => {
    expect((await server.call('/v2')).body).to.include.keys('name', 'version', 'extensions');
    expect((await server.call('/v2/')).status).to.equal(200);
    const { body } = await server.call('/v2/models/model');
    expect(body).to.deep.include({
      name: 'model',
      inputs: [{ name: 'rows', datatype: 'FP64', shape: [-1, 2] }],
      outputs: [{ name: 'label', datatype: 'BYTES', shape: [-1] }, { name: 'probabilities', datatype: 'FP32', shape: [-1, 2] }],
    });
    expect(body).to.include.keys('platform', 'versions');
  });

  it('answers with label and probabilities, and the request\'s id', async () => {
    const { status, body } = await server.call(infer, { id: 'one', ...rows([[1.3, 1.2], [-1.3, -1.2]]) });
    expect(status).to.equal(200);
    expect(body).to.deep.include({ model_name: 'model', id: 'one' });
    const [label, probabilities] = body.outputs ?? [];
    expect(label).to.deep.equal({ name: 'label', datatype: 'BYTES', shape: [2], data: ['red', 'blue'] });
    expect(probabilities).to.deep.include({ name: 'probabilities', datatype: 'FP32', shape: [2, 2] });
    const [blue = NaN, red = NaN] = (probabilities?.data ?? []) as number[];
    expect(blue + red).to.be.closeTo(1, 1e-6);
    expect(red).to.be.above(0.9);
  });

  it('takes flat or nested data, one tensor or one for each column, and any number type', async () => {
    const labels = async (body: object) => (await server.call(infer, { ...body, outputs: [{ name: 'label' }] })).body.outputs?.map(({ data }) => data);
    const expected = [['red', 'blue']];
    expect(await labels(rows([1, 1, -1, -1]))).to.deep.equal(expected);
    expect(await labels(rows([[1, 1], [-1, -1]], [2, 2], 'INT8'))).to.deep.equal(expected);
    const column = (name: string) => ({ name, shape: [2], datatype: 'FP32', data: [1, -1] });
    expect(await labels({ inputs: [column('y'), column('x')] })).to.deep.equal(expected);
    expect(await labels({ inputs: [{ ...column('x'), shape: [2, 1], data: [[1], [-1]] }, column('y')] })).to.deep.equal(expected);
    expect(await labels({ inputs: [{ name: 'rows', shape: [0, 2], datatype: 'FP64', data: [] }] })).to.deep.equal([[]]);
  });

  it('answers in JSON to a client that would take binary outputs', async () => {
    const { status, body } = await server.call(infer, { ...rows([1, 1, -1, -1]), parameters: { binary_data_output: true } });
    expect(status).to.equal(200);
    expect(body.outputs?.[0]?.data).to.deep.equal(['red', 'blue']);
  });

  it('answers on the path of its version, and knows no other', async () => {
    const version = String(((await server.call('/v2/models/model')).body.versions as string[])[0]);
    expect((await server.call(`/v2/models/model/versions/${version}/infer`, rows([1, 1, 1, 1]))).body.model_version).to.equal(version);
    expect((await server.call(`/v2/models/model/versions/${version}/ready`)).status).to.equal(200);
    expect(await server.call('/v2/models/model/versions/7')).to.deep.include({ status: 404, body: { error: `Model "model" has no version "7"; it has "${version}".` } });
  });

  const wrong: readonly (readonly [string, unknown, number, RegExp])[] = [
    ['no JSON', '{', 400, /The body is no JSON/],
    ['no object', [], 400, /must be a JSON object/],
    ['no inputs', {}, 400, /"inputs" must be a list/],
    ['empty inputs', { inputs: [] }, 400, /at least one tensor/],
    ['an input without a name', { inputs: [{}] }, 400, /inputs\[0\] must be an object with a "name"/],
    ['a number as id', { id: 1, ...rows([1, 1, 1, 1]) }, 400, /"id" must be a string/],
    ['an unknown input', { inputs: [{ name: 'z', shape: [1], datatype: 'FP64', data: [1] }] }, 400, /no input "z"; the model takes one input "rows" of shape \[n, 2\]/],
    ['a missing column', { inputs: [{ name: 'x', shape: [1], datatype: 'FP64', data: [1] }] }, 400, /columns "y" are missing/],
    ['a column twice', { inputs: [{ name: 'x', shape: [1], datatype: 'FP64', data: [1] }, { name: 'x', shape: [1], datatype: 'FP64', data: [1] }] }, 400, /same name/],
    ['columns of different lengths', { inputs: [{ name: 'x', shape: [1], datatype: 'FP64', data: [1] }, { name: 'y', shape: [2], datatype: 'FP64', data: [1, 2] }] }, 400, /"y" must have the shape \[1\]/],
    ['fewer values than the shape holds', rows([1, 2, 3]), 400, /has 3 values, but its shape \[2, 2\] holds 4/],
    ['nested data of another shape', rows([[1, 2, 3], [4]]), 400, /nested data of input "rows" does not have the shape/],
    ['another width', rows([1, 2, 3, 4, 5, 6], [2, 3]), 400, /must have the shape \[n, 2\], not \[2, 3\]/],
    ['an unknown datatype', rows([1, 1, 1, 1], [2, 2], 'FP99'), 400, /datatype must be one of.*not "FP99"/],
    ['text for a number', rows(['1', 1, 1, 1]), 400, /has "1" at place 0, which is no FP64/],
    ['a fraction for a whole number', rows([1, 1.5, 1, 1], [2, 2], 'INT32'), 400, /1.5 at place 1, which is no INT32/],
    ['a number out of range', rows([1, 300, 1, 1], [2, 2], 'UINT8'), 400, /300 at place 1, which is no UINT8/],
    ['a number beyond all numbers', '{"inputs": [{"name": "rows", "shape": [1, 2], "datatype": "FP64", "data": [1, 1e999]}]}', 400, /has Infinity at place 1, which is no FP64/],
    ['a number that float32 has no place for', rows([1, 1, 1, 1e300]), 400, /"y" has 1e\+300 in row 2, and a network computes with numbers up to 3\.4e38\. Send another value\.$/],
    ['numbers that overflow in the network', rows([1, 1, 3.3e38, 3.3e38]), 400, /^The network has no answer for row 2, since its values are too large to compute with\. Send another value\.$/],
    ['a missing value that nothing fills in', rows([1, null, 1, 1]), 400, /"y" has no value in row 1\. This model does not fill in missing values/],
    ['an unknown output', { ...rows([1, 1, 1, 1]), outputs: [{ name: 'logits' }] }, 400, /no output "logits"; the model has "label", "probabilities"/],
    ['binary tensors', { inputs: [{ name: 'rows', shape: [2, 2], datatype: 'FP64', parameters: { binary_data_size: 32 } }] }, 501, /binary tensor extension/],
    ['a body that is too large', 'x'.repeat(1024 * 1024 + 1), 413, /larger than 1048576 bytes/],
  ];
  for (const [what, body, status, error] of wrong) {
    it(`refuses ${what} in one sentence`, async () => {
      const reply = await server.call(infer, body);
      expect(reply.status).to.equal(status);
      expect(Object.keys(reply.body)).to.deep.equal(['error']);
      expect(reply.body.error).to.match(error);
    });
  }

  it('refuses the binary extension by its header', async () => {
    const reply = await server.call(infer, `${JSON.stringify(rows([1, 1, 1, 1]))}\0\0\0\0`, { headers: { 'inference-header-content-length': '10' } });
    expect(reply.status).to.equal(501);
    expect(reply.body.error).to.match(/binary_data=False/);
  });

  it('refuses a compressed body by its header', async () => {
    expect(await server.call(infer, rows([1, 1, 1, 1]), { headers: { 'content-encoding': 'gzip' } })).to.deep.include({ status: 415, body: { error: 'A body of content encoding "gzip" is not read; send it as it is.' } });
  });

  it('says what there is instead of an unknown path, model or method', async () => {
    expect(await server.call('/v1/models')).to.deep.include({ status: 404, body: { error: 'There is nothing at /v1/models; models are at /v2/models/NAME.' } });
    expect(await server.call('/v2/models/other/infer', rows([1, 1, 1, 1]))).to.deep.include({ status: 404, body: { error: 'There is no model "other"; this server has "model".' } });
    const wrongMethod = await server.call(infer);
    expect(wrongMethod).to.deep.include({ status: 405, body: { error: `GET is not allowed for ${infer}; use POST.` } });
    expect(wrongMethod.headers.get('allow')).to.equal('POST');
  });

  it('counts what it does, for Prometheus', async () => {
    await server.call(infer, rows([1, 1, 1, 1]));
    const text = String((await server.call('/metrics')).body.text);
    expect(text).to.match(/anneal_serving_requests_total\{model="model",code="200"\} \d+/);
    expect(text).to.match(/anneal_serving_requests_total\{model="model",code="400"\} \d+/);
    expect(text).to.match(/anneal_serving_request_duration_seconds_bucket\{le="0.01",model="model"\} \d+/);
    expect(text).to.match(/anneal_serving_requests_in_flight\{model="model"\} 0/);
    expect(text).to.match(/anneal_serving_model_info\{model="model",version="[0-9a-f]{12}",digest="sha256:[0-9a-f]{64}",task="Classification"\} 1/);
  });
});

describe('a served model', function suite() {
  this.timeout(120_000);

  it('gives the accuracy of training, from raw rows', async () => {
    await using place = await folder();
    await using server = await served(place, {
      data: { source: { uri: `file://${digitsCsv}` }, target: 'label', features: { shape: [8, 8, 1] }, pipeline: [{ scale: { method: 'MinMax' } }] },
      model: { preset: 'MLP' }, fit: { epochs: 10 },
    });
    const table = await readCsv(digitsCsv, 'digits.csv', { delimiter: ',', header: 'Present', missing: [''] }, new AbortController().signal);
    const truth = table.columns.filter(({ name }) => name === 'label').flatMap(cells);
    const inputs = table.columns.filter(({ name }) => name !== 'label').map((column) => ({ name: column.name, shape: [table.rows], datatype: 'FP64', data: cells(column) }));
    const { body } = await server.call(infer, { inputs });
    const right = body.outputs?.[0]?.data.filter((label, row) => label === String(truth[row])).length ?? 0;
    const { metrics } = JSON.parse(readFileSync(`${place.path}/model/manifest.json`, 'utf8')) as { metrics: Record<string, number> };
    const { accuracy = NaN, val_accuracy = NaN, test_accuracy = NaN } = metrics;
    expect(right / table.rows).to.be.within(Math.min(accuracy, val_accuracy, test_accuracy) - 0.02, 1);
  });

  const trained: readonly (readonly [string, (place: Folder) => object])[] = [
    ['a classifier of images', () => ({
      data: { source: { uri: `file://${digitsCsv}` }, target: 'label', features: { shape: [8, 8, 1] }, pipeline: [{ scale: { method: 'MinMax' } }] },
      model: { preset: 'CNN', dropout: 0.2 }, fit: { epochs: 2 },
    })],
    ['a regression', (place) => ({
      data: { source: { uri: place.write('rows.csv', line(300)) }, target: 'y', pipeline: [{ scale: {} }] },
      model: { preset: 'MLP', units: [8, 8], activation: 'ELU' }, fit: { epochs: 5 },
    })],
  ];
  for (const [what, spec] of trained) {
    it(`answers by ONNX Runtime what TensorFlow.js would: ${what}`, async () => {
      await using place = await folder();
      const written = trainerSpec(spec(place));
      succeeded(await train(written, place.path, { checkpointIntervalSeconds: 3600 }));
      const onnx = await loadPredictor(`${place.path}/model`, 1);
      // A model of a release that knew no ONNX.
      cpSync(`${place.path}/model`, `${place.path}/older`, { recursive: true });
      const { engine, ...manifest } = JSON.parse(readFileSync(`${place.path}/older/manifest.json`, 'utf8')) as Manifest;
      writeFileSync(`${place.path}/older/manifest.json`, JSON.stringify(manifest));
      const layers = await loadPredictor(`${place.path}/older`, 1);
      expect([engine, onnx.engine, layers.engine]).to.deep.equal(['OnnxRuntime', 'OnnxRuntime', 'TensorFlow.js']);

      const table = await readCsv(fileURLToPath(written.data.source.uri), 'rows.csv', { delimiter: ',', header: 'Present', missing: [''] }, new AbortController().signal);
      const inputs = { ...table, columns: table.columns.filter(({ name }) => name !== written.data.target) };
      const [found, expected] = [await onnx.predict(inputs), await layers.predict(inputs)];
      for (const [place, { name, data }] of expected.entries()) {
        expect(found[place]).to.deep.include({ name });
        const scale = Math.max(1, ...data.map((value) => (typeof value === 'number' ? Math.abs(value) : 0)));
        data.forEach((value, row) => {
          const other = found[place]?.data[row];
          if (typeof value === 'number') expect(other).to.be.closeTo(value, 1e-6 * scale);
          else expect(other).to.equal(value);
        });
      }
    });
  }

  it('is served without TensorFlow, which is not even loaded', async () => {
    await using place = await folder();
    succeeded(await train(trainerSpec(colours(place)), place.path));
    const run = trainer(['serve', '--model-dir', `${place.path}/model`, '--name', 'model', '--port', '0', '--drain-seconds', '0'], {});
    await until(() => run.output().includes('Model is ready'), 'the model is ready', 60);
    const libraries = readFileSync(`/proc/${String(run.child.pid)}/maps`, 'utf8');
    expect(libraries).to.match(/libonnxruntime/);
    expect(libraries).not.to.match(/libtensorflow/);
    run.child.kill('SIGTERM');
    expect((await run.exit).code, run.output()).to.equal(0);
  });

  it('predicts values in units of the target', async () => {
    await using place = await folder();
    await using server = await served(place, {
      data: { source: { uri: place.write('rows.csv', line(300)) }, target: 'y', pipeline: [{ scale: {} }] },
      model: { preset: 'MLP', units: [] }, fit: { epochs: 40, optimizer: { learningRate: 0.05 } },
    });
    const [prediction] = (await server.call(infer, { inputs: [{ name: 'rows', shape: [1, 2], datatype: 'INT32', data: [50, 40] }] })).body.outputs ?? [];
    expect(prediction).to.deep.include({ name: 'prediction', datatype: 'FP64', shape: [1] });
    expect(prediction?.data[0]).to.be.closeTo(3 * 50 - 2 * 40 + 100, 2);
  });

  it('takes texts, imputes and encodes them as in training', async () => {
    await using place = await folder();
    const csv = `size,shop,sold\n${Array.from({ length: 120 }, (_, row) => `${row % 3 === 0 ? '' : row % 10},${['north', 'south', 'NA'][row % 3] ?? ''},${row % 3 === 1 ? 'yes' : 'no'}`).join('\n')}\n`;
    await using server = await served(place, {
      data: { source: { uri: place.write('rows.csv', csv) }, target: 'sold', pipeline: [{ impute: {} }, { impute: { strategy: 'Constant', text: 'unknown' } }, { encode: {} }, { scale: {} }] },
      model: { preset: 'MLP', units: [8] }, fit: { epochs: 30, batchSize: 8, optimizer: { learningRate: 0.02 } },
    });
    const ask = (shop: unknown) => server.call(infer, { inputs: [{ name: 'size', shape: [2], datatype: 'FP64', data: [null, 1] }, { name: 'shop', shape: [2], datatype: 'BYTES', data: [shop, ' south '] }] });
    expect((await ask('north')).body.outputs?.[0]?.data).to.deep.equal(['no', 'yes']);
    expect((await ask(null)).body.outputs).to.deep.equal((await ask('NA')).body.outputs);
    expect((await ask('moon')).status).to.equal(200);
    expect((await server.call(infer, rows([1, 1, 1, 1]))).body.error).to.match(/one input of shape \[n\] for each of "size", "shop"/);
  });

  it('takes times by their columns alone', async () => {
    await using place = await folder();
    const csv = `day,sold\n${Array.from({ length: 60 }, (_, row) => `2026-01-${String((row % 28) + 1).padStart(2, '0')},${row % 2 === 0 ? 'yes' : 'no'}`).join('\n')}\n`;
    await using server = await served(place, { data: { source: { uri: place.write('rows.csv', csv) }, target: 'sold', pipeline: [{ dates: { parts: ['Day'] } }] }, model: { preset: 'Linear' }, fit: { epochs: 1 } });
    expect((await server.call(infer, { inputs: [{ name: 'day', shape: [1], datatype: 'BYTES', data: ['2026-02-03'] }] })).status).to.equal(200);
    expect(await server.call(infer, rows([5], [1, 1]))).to.deep.include({ status: 400, body: { error: 'The model has columns of texts or times, so it takes one input of shape [n] for each of "day".' } });
  });

  it('is not ready, and says why, until every file matches its manifest', async () => {
    await using place = await folder();
    await using absent = await start(place);
    await absent.loaded;
    expect(await absent.call('/v2/health/ready')).to.deep.include({ status: 503 });
    expect((await absent.call('/v2/health/ready')).body.error).to.match(/no manifest.json/);
    expect((await absent.call('/v2/health/live')).status).to.equal(200);

    succeeded(await train(trainerSpec(colours(place)), place.path));
    const weights = `${place.path}/model/weights.bin`;
    writeFileSync(weights, Buffer.concat([readFileSync(weights), Buffer.from([0])]));
    await using spoilt = await start(place);
    await spoilt.loaded;
    expect((await spoilt.call('/v2/models/model/ready')).body.error).to.match(/weights.bin has the SHA-256/);
    const refused = await spoilt.call(infer, rows([1, 1, 1, 1]));
    expect(refused.status).to.equal(503);
    expect(refused.headers.get('retry-after')).to.equal('1');
  });

  it('finishes what it began when it is stopped, and is not ready meanwhile', async () => {
    await using place = await folder();
    succeeded(await train(trainerSpec(colours(place)), place.path));
    const run = trainer(['serve', '--model-dir', `${place.path}/model`, '--name', 'model', '--port', '0', '--drain-seconds', '1'], {});
    await until(() => run.output().includes('Model is ready'), 'the model is ready', 60);
    const port = Number(/"port":(\d+)/.exec(run.output())?.[1]);
    const body = JSON.stringify(rows([1, 1, -1, -1]));
    const answered = new Promise<number | undefined>((resolve, reject) => {
      const slow = httpRequest({ port, host: '127.0.0.1', path: infer, method: 'POST', headers: { 'content-length': body.length } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).once('error', reject);
      slow.write(body.slice(0, 10));
      run.child.kill('SIGTERM');
      void until(() => run.output().includes('Server is draining'), 'the server drains').then(async () => {
        expect((await fetch(`http://127.0.0.1:${port}/v2/health/ready`)).status).to.equal(503);
        slow.end(body.slice(10));
      }).catch(reject);
    });
    expect(await answered).to.equal(200);
    expect(await run.exit, run.output()).to.deep.equal({ code: 0, signal: null });
  });
});
