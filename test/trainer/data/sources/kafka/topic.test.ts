import { readFileSync, readdirSync } from 'node:fs';
import { Producer } from '@platformatic/kafka';
import type { MessageToProduce } from '@platformatic/kafka';
import { expect } from 'chai';
import type { SourcePlaces } from '../../../../../trainer-image/src/data/source.ts';
import type { SourceSpec } from '../../../../../trainer-image/src/data/sources/spec.ts';
import { kafka, login } from '../../../../support/kafka.ts';
import type { Kafka } from '../../../../support/kafka.ts';
import { codeOf, folder } from '../../../support.ts';
import { open, places, sha256 } from '../support.ts';

interface Sent { readonly partition?: number; readonly key?: string; readonly value?: string | null; readonly timestamp?: bigint }

const whole = { from: 'Earliest', to: 'Latest', security: 'Plaintext', sasl: 'None' } as const;

describe('a topic as a source', function suite() {
  this.timeout(240_000);
  let broker: Kafka;
  let topics = 0;
  before(async () => {
    broker = await kafka();
  });
  after(() => broker[Symbol.asyncDispose]());

  async function topic(partitions: number, configs?: Readonly<Record<string, string>>): Promise<string> {
    const name = `events-${topics++}`;
    await broker.createTopic(name, partitions, configs);
    return name;
  }
  const messages = (name: string, records: readonly Sent[]): MessageToProduce[] => records.map(({ partition = 0, key, value = '', timestamp }) => ({
    topic: name, partition, ...(key === undefined ? {} : { key: Buffer.from(key) }), value: value === null ? undefined as unknown as Buffer : Buffer.from(value), ...(timestamp === undefined ? {} : { timestamp }),
  }));
  async function produce(name: string, records: readonly Sent[], options: object = {}): Promise<void> {
    const producer = new Producer({ clientId: 'test', bootstrapBrokers: [broker.plaintext], idempotent: true, ...options });
    try {
      await producer.send({ messages: messages(name, records) });
    } finally {
      await producer.close();
    }
  }
  const uriOf = (name: string, to = broker.plaintext): string => `kafka://${to}/${name}`;

  interface Read { readonly names: string[]; readonly lines: string[][]; readonly sha256: string }
  async function read(uri: string, source: Partial<SourceSpec> = {}, more: Partial<SourcePlaces> = {}): Promise<Read> {
    await using place = await folder();
    await using opened = await open({ uri, format: 'JSONLines', ...source }, places(place, more));
    return { names: opened.files.map(({ name }) => name), lines: opened.files.map(({ path }) => readFileSync(path, 'utf8').split('\n').slice(0, -1)), sha256: opened.sha256 };
  }

  it('is read partition by partition, each by offset', async () => {
    const name = await topic(3);
    for (let round = 0; round < 3; round++) await produce(name, [0, 1].flatMap((partition) => [{ partition, value: `{"p":${partition},"n":${2 * round}}` }, { partition, value: `{"p":${partition},"n":${2 * round + 1}}` }]));
    const found = await read(uriOf(name));
    expect(found.names).to.deep.equal([`${name}/0@0-6`, `${name}/1@0-6`]);
    expect(found.lines).to.deep.equal([0, 1].map((p) => [0, 1, 2, 3, 4, 5].map((n) => `{"p":${p},"n":${n}}`)));
    expect((await read(uriOf(name))).sha256).to.equal(found.sha256);
    expect([...(await broker.admin.listGroups()).keys()]).to.deep.equal([]);
  });

  for (const codec of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
    it(`is unpacked where the broker or the producer packed it with ${codec}`, async () => {
      const values = Array.from({ length: 200 }, (_, n) => `{"n":${n},"text":"${'compressible '.repeat(20)}"}`);
      const byBroker = await topic(1, { 'compression.type': codec });
      await produce(byBroker, values.map((value) => ({ value })));
      expect(readFileSync(`${broker.log}/${byBroker}-0/${readdirSync(`${broker.log}/${byBroker}-0`).find((file) => file.endsWith('.log')) ?? ''}`).includes('compressible compressible compressible compressible compressible compressible compressible compressible compressible compressible compressible')).to.equal(false);
      const byProducer = await topic(1);
      await produce(byProducer, values.map((value) => ({ value })), { compression: codec });
      for (const name of [byBroker, byProducer]) expect((await read(uriOf(name))).lines).to.deep.equal([values]);
    });
  }

  it('leaves out what transactions took back, markers, and what is not committed yet', async () => {
    const name = await topic(1);
    const producer = new Producer({ clientId: 'test', bootstrapBrokers: [broker.plaintext], idempotent: true, transactionalId: 'test' });
    const transact = async (value: string, end: 'commit' | 'abort' | 'open'): Promise<void> => {
      const transaction = await producer.beginTransaction();
      await transaction.send({ messages: messages(name, [{ value: `"${value} 1"` }, { value: `"${value} 2"` }]) });
      if (end !== 'open') await transaction[end]();
    };
    await produce(name, [{ value: '"plain"' }]);
    await transact('taken back', 'abort');
    await transact('kept', 'commit');
    await transact('taken back again', 'abort');
    await transact('taken back once more', 'abort');
    await produce(name, [{ value: '"between"' }]);
    await transact('kept too', 'commit');
    await transact('open', 'open');
    await produce(name, [{ value: '"behind what is open"' }]);
    try {
      const found = await read(uriOf(name));
      expect(found.lines).to.deep.equal([['"plain"', '"kept 1"', '"kept 2"', '"between"', '"kept too 1"', '"kept too 2"']]);
      expect(found.names).to.deep.equal([`${name}/0@0-17`]);
    } finally {
      await producer.transaction?.abort();
      await producer.close();
    }
  });

  it('goes over the gaps that compaction leaves', async () => {
    const name = await topic(1, { 'cleanup.policy': 'compact', 'segment.ms': '200', 'min.cleanable.dirty.ratio': '0.001', 'min.compaction.lag.ms': '0', 'delete.retention.ms': '0' });
    for (let n = 0; n < 40; n++) await produce(name, [{ key: String(n % 4), value: `{"n":${n}}` }, { key: `once ${n}`, value: `{"once":${n}}` }]);
    for (const deadline = Date.now() + 90_000; ;) {
      // Only a new record rolls a segment, and only rolled ones are compacted.
      await produce(name, [{ key: 'last', value: '{"last":true}' }]);
      const [lines = []] = (await read(uriOf(name))).lines;
      const numbers = lines.filter((line) => line.startsWith('{"n"')).map((line) => Number(/\d+/.exec(line)?.[0]));
      expect(numbers.slice(-4)).to.deep.equal([36, 37, 38, 39]);
      expect(lines.filter((line) => line.startsWith('{"once"'))).to.have.length(40);
      expect(lines.at(-1)).to.equal('{"last":true}');
      if (numbers.length === 4) return;
      if (Date.now() > deadline) throw new Error(`The broker did not compact the topic: ${numbers.length} of 40 are left.`);
    }
  });

  it('begins and ends by offset, by time, and where records were deleted', async () => {
    const name = await topic(2, { 'retention.ms': '-1' });
    const at = (n: number): bigint => BigInt(Date.UTC(2026, 0, 1) + n * 60_000);
    for (let n = 0; n < 10; n++) await produce(name, [{ value: `${n}`, timestamp: at(n) }, ...(n < 4 ? [{ partition: 1, value: `${10 + n}`, timestamp: at(n) }] : [])]);
    const lines = async (from: string, to: string): Promise<string[][]> => (await read(uriOf(name), { kafka: { ...whole, from, to } })).lines;
    expect(await lines('3', '6')).to.deep.equal([['3', '4', '5'], ['13']]);
    expect(await lines('2026-01-01T00:02:00Z', '2026-01-01T01:04:30+01:00')).to.deep.equal([['2', '3', '4'], ['12', '13']]);
    expect(await lines('8', 'Latest')).to.deep.equal([['8', '9']]);
    await broker.admin.deleteRecords({ topics: [{ name, partitions: [{ partition: 0, offset: 5n }] }] });
    expect(await lines('Earliest', 'Latest')).to.deep.equal([['5', '6', '7', '8', '9'], ['10', '11', '12', '13']]);
    expect((await codeOf(() => lines('3', '6'))).message).to.contain('Partition 0 begins at offset 5 by now');
    expect(await codeOf(() => lines('90', 'Latest'))).to.include({ code: 'DATA_EMPTY', at: 'spec.trainer.data.source.kafka' });
  });

  it('gives equal payloads at other offsets another digest', async () => {
    const name = await topic(2);
    await produce(name, [0, 1].flatMap((partition) => [{ partition, value: '1' }, { partition, value: '1' }]));
    const digest = async (from: string, to: string): Promise<string> => (await read(uriOf(name), { kafka: { ...whole, from, to } })).sha256;
    expect(await digest('0', '1')).not.to.equal(await digest('1', '2'));
    expect(await digest('0', '1')).to.equal(sha256([0, 1].map((partition) => `${sha256('1\n')}  ${name}/${partition}@0-1\n`).join('')));
  });

  it('makes one line of each value, and none where there is no value', async () => {
    const name = await topic(1);
    await produce(name, [{ value: '{\n  "a": 1\r\n}\n' }, { key: 'gone', value: null }, { value: '' }, { value: '{"b":"\\n"}\r\n' }]);
    expect((await read(uriOf(name))).lines).to.deep.equal([['{   "a": 1  }', '{"b":"\\n"}']]);
    const rows = await topic(1);
    await produce(rows, [{ value: '1,"a\nb"\r\n' }, { value: '2,c' }]);
    expect((await read(uriOf(rows), { format: 'CSV', csv: { header: 'Absent' } })).lines).to.deep.equal([['1,"a', 'b"', '2,c']]);
  });

  describe('behind a lock', () => {
    const environment = (more: object = {}) => ({ environment: { ANNEAL_SOURCE_KAFKA_USERNAME: login.username, ANNEAL_SOURCE_KAFKA_PASSWORD: login.password, ANNEAL_SOURCE_KAFKA_CA: broker.ca, ...more } });

    it('is read by TLS and every way to log in', async () => {
      const name = await topic(1);
      await produce(name, [{ value: '1' }]);
      const lines = async (to: string, more: object) => (await read(uriOf(name, to), { kafka: { ...whole, ...more } }, environment())).lines;
      expect(await lines(broker.tls, { security: 'TLS' })).to.deep.equal([['1']]);
      for (const sasl of ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const) {
        expect(await lines(broker.sasl, { sasl })).to.deep.equal([['1']]);
        expect(await lines(broker.saslTls, { security: 'TLS', sasl })).to.deep.equal([['1']]);
      }
    });

    it('is refused with a wrong password, and says so', async () => {
      const name = await topic(1);
      for (const sasl of ['PLAIN', 'SCRAM-SHA-256'] as const) {
        const error = await codeOf(() => read(uriOf(name, broker.sasl), { kafka: { ...whole, sasl } }, environment({ ANNEAL_SOURCE_KAFKA_PASSWORD: 'a wrong one' })));
        expect(error).to.include({ code: 'KAFKA_REFUSED', at: 'spec.trainer.data.source.uri' });
        expect(error.message).to.match(/refused to let topic .* be read: .*source\.credentials/).and.not.to.contain('a wrong one');
      }
    });

    it('is not read where the certificate is from a stranger', async () => {
      const name = await topic(1);
      const error = await codeOf(() => read(uriOf(name, broker.tls), { kafka: { ...whole, security: 'TLS' } }, environment({ ANNEAL_SOURCE_KAFKA_CA: '' })));
      expect(error.code).to.equal('KAFKA_FAILED');
      expect(error.message).to.match(/certificate/);
    });
  });

  it('that is not there is told from those that are', async () => {
    const name = await topic(1);
    const error = await codeOf(() => read(uriOf('no-such-topic')));
    expect(error).to.include({ code: 'DATA_NOT_FOUND', at: 'spec.trainer.data.source.uri' });
    expect(error.message).to.contain('There is no topic no-such-topic').and.to.match(/there are "events-0"/);
    expect(name).to.match(/^events-/);
  });

  it('that is too large is stopped', async () => {
    const name = await topic(1);
    await produce(name, Array.from({ length: 100 }, () => ({ value: 'x'.repeat(1000) })));
    expect((await codeOf(() => read(uriOf(name), { maxBytes: 50_000 }))).code).to.equal('DATA_TOO_LARGE');
  });

  for (const [what, source] of [['with a header in each value', { format: 'CSV' }], ['of a format that has no lines', { format: 'Parquet' }]] as const) {
    it(`${what} is refused`, async () => {
      expect((await codeOf(() => read(uriOf('any'), { csv: { header: 'Present' }, ...source }))).code).to.equal('SPEC_CONFLICT');
    });
  }

  it('is read although the broker is away for a while', async () => {
    const name = await topic(1);
    await produce(name, [{ value: '1' }, { value: '2' }]);
    await broker.kill();
    const reading = read(uriOf(name), {}, { patience: { firstPauseMs: 2000 } });
    await broker.start();
    expect((await reading).lines).to.deep.equal([['1', '2']]);
  });

  it('is given up where no broker answers', async () => {
    const error = await codeOf(() => read(uriOf('any', '127.0.0.1:1')));
    expect(error.code).to.equal('KAFKA_FAILED');
    expect(error.message).to.contain('could not be read from 127.0.0.1:1 after 6 tries');
  });
});
