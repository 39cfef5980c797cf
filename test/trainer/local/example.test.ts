import path from 'node:path';
import { expect } from 'chai';
import { exampleRequest } from '../../../trainer-image/src/local/example.ts';
import { readModel } from '../../../trainer-image/src/model/directory.ts';
import { serve } from '../../../trainer-image/src/serve/server.ts';
import { folder, succeeded, train, trainerSpec } from '../support.ts';

const rows = Array.from({ length: 60 }, (_, row) => [['red', 'green'][row % 2], row % 7 === 0 ? '' : row, `2026-01-${String(1 + (row % 28)).padStart(2, '0')}`, ['small coffee', 'large tea', 'tea'][row % 3], row % 2 === 0 ? 'yes' : 'no'].join(','));
const csv = ['colour,size,day,order,answer', ...rows].join('\n');

interface Answer {
  readonly error?: string;
  readonly outputs?: readonly { readonly name: string; readonly data: readonly unknown[] }[];
}

describe('the request that a model is shown with', function suite() {
  this.timeout(120_000);

  /** Trains on these columns, makes the request up and asks the server. */
  async function asked(columns: readonly string[], pipeline: readonly object[], changed = (body: string): string => body): Promise<{ readonly request: object | undefined; readonly answer: Answer }> {
    await using place = await folder();
    const spec = trainerSpec({ data: { source: { uri: place.write('rows.csv', csv) }, target: 'answer', features: { columns }, pipeline }, model: { preset: 'MLP', units: [4] }, fit: { epochs: 1 } });
    succeeded(await train(spec, place.path));
    const modelDirectory = path.join(place.path, 'model');
    const model = readModel(modelDirectory);
    const request = await exampleRequest(model.manifest, model.preprocessing);
    const serving = await serve({ modelDirectory, name: 'm', port: 0, threads: 1, maxBodyBytes: 1e6, drainMs: 0, log: () => undefined });
    await serving.loaded;
    const response = await fetch(`http://127.0.0.1:${serving.port}/v2/models/m/infer`, { method: 'POST', body: changed(JSON.stringify(request ?? {})) });
    const answer = await response.json() as Answer;
    await serving.close();
    return { request, answer };
  }

  const predicts = ({ outputs }: Answer): void => {
    expect(outputs?.map(({ name }) => name)).to.deep.equal(['label', 'probabilities']);
  };

  it('is one row of numbers where all columns are', async () => {
    const { request, answer } = await asked(['size'], [{ impute: { strategy: 'Mean' } }, { scale: {} }]);
    expect(request).to.have.nested.property('inputs[0].shape').that.deep.equals([1, 1]);
    predicts(answer);
  });

  it('is one value for each column where some are texts', async () => {
    const { request, answer } = await asked(['colour', 'size'], [{ impute: {} }, { encode: { unknown: 'Refuse' } }]);
    expect(request).to.have.nested.property('inputs[0].data').that.deep.equals(['green']);
    predicts(answer);
  });

  it('is refused where a time is none', async () => {
    const { request, answer } = await asked(['size', 'day'], [{ impute: { columns: ['size'] } }, { dates: { columns: ['day'], parts: ['DayOfWeek'] } }], (text) => text.replace('2026-01-01T00:00:00Z', 'tomorrow'));
    expect(request).not.to.equal(undefined);
    expect(answer.error).to.equal('Input "day" has "tomorrow" at place 0, which is no time. Write it as 2026-01-31T12:00:00Z.');
  });

  const others: readonly (readonly [string, readonly string[], object])[] = [['words', ['size', 'order'], { text: { column: 'order' } }], ['days', ['size', 'day'], { dates: { columns: ['day'], parts: ['DayOfWeek'] } }]];
  for (const [what, columns, step] of others) {
    it(`is made up of ${what} that nothing is known of`, async () => {
      const { request, answer } = await asked(columns, [{ impute: { columns: ['size'] } }, step]);
      expect(request, JSON.stringify(answer)).not.to.equal(undefined);
      predicts(answer);
    });
  }
});
