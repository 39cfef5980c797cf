import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect } from 'chai';
import { folder, root } from '../support.ts';
import { ended } from './support.ts';

const example = path.join(root, 'docs/examples/tabular/fraud.yaml');

/** Payments of so many cards, 1 % of them fraud that goes with high scores, nightly hours and large amounts; DuckDB's hash draws them, the same each time. */
async function writePayments(directory: string, rows: number): Promise<void> {
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  const uniform = (name: string, of = 'i'): string => `(hash('${name}' || ${of}) / 18446744073709551616.0)`;
  await connection.run(`CREATE TABLE payments AS
    WITH drawn AS (SELECT i, floor(${uniform('card')} * ${rows / 10})::INTEGER AS c, ${uniform('amount')} AS a, ${uniform('score')} AS s, ${uniform('luck')} AS luck, floor(${uniform('second')} * 15552000)::BIGINT AS second FROM range(${rows}) t(i))
    SELECT 'payment-' || i AS payment_id, 'card-' || c AS card, round(exp(6 * a), 2) AS amount,
      ['DE', 'FR', 'IT', 'ES'][1 + floor(${uniform('country')} * 4)::INTEGER] AS country, ['web', 'app', 'pos'][1 + floor(${uniform('channel')} * 3)::INTEGER] AS channel,
      TIMESTAMP '2026-01-01' + to_seconds(second) AS paid_at, CASE WHEN ${uniform('gap')} < 0.1 THEN NULL ELSE s END AS merchant_score,
      1940 + floor(${uniform('born', 'c')} * 60)::INTEGER AS birth_year, 10 + floor(${uniform('post', 'c')} * 50)::INTEGER AS postcode,
      (luck < 0.06 * s ^ 2 * a * CASE WHEN second % 86400 < 18000 THEN 2 ELSE 0.5 END)::INTEGER AS is_fraud
    FROM drawn`);
  for (const [month, condition] of [['2026-01', '<'], ['2026-02', '>=']] as const) {
    mkdirSync(path.join(directory, month));
    await connection.run(`COPY (SELECT * FROM payments WHERE paid_at ${condition} TIMESTAMP '2026-03-01') TO '${path.join(directory, month, 'part.parquet')}' (FORMAT parquet)`);
  }
  connection.closeSync();
  instance.closeSync();
}

const filesBelow = (directory: string): string[] => readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((name) => path.join(directory, name)).filter((file) => statSync(file).isFile());

describe('the example of card fraud', function suite() {
  this.timeout(600_000);

  it('is trained as it stands: checked, protected, balanced, cross-validated and compressed', async () => {
    await using place = await folder();
    await writePayments(place.path, 101_000);
    writeFileSync(path.join(place.path, 'key'), randomBytes(32).toString('hex'));
    const here = readFileSync(example, 'utf8').replace(/source: \{.*\}/, `source: {format: Parquet, uri: "file://${place.path}/2026-*/"}`);
    writeFileSync(path.join(place.path, 'fraud.yaml'), here);
    const { code, stderr, stdout } = await ended(['-f', 'fraud.yaml', '--pseudonym-key', 'key', '--set', 'fit.epochs=1', '--set', 'fit.batchSize=1024'], { directory: place.path });
    expect(code, stderr).to.equal(0);
    expect(stdout).to.match(/^recallAtPrecision90 /m);
    expect(stdout).to.contain('Over the folds: ');
    const model = path.join(place.path, 'fraud/model');
    const { inputs } = JSON.parse(readFileSync(path.join(model, 'preprocessing.json'), 'utf8')) as { readonly inputs: readonly { readonly name: string }[] };
    expect(inputs.map(({ name }) => name)).to.deep.equal(['amount', 'country', 'channel', 'paid_at', 'merchant_score', 'birth_year', 'postcode']);
    expect(JSON.parse(readFileSync(path.join(model, 'manifest.json'), 'utf8'))).to.have.property('compression');
    for (const file of filesBelow(path.join(place.path, 'fraud'))) expect(readFileSync(file, 'latin1'), file).to.not.match(/payment-\d|card-\d/);
  });
});
