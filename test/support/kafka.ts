/** A real Kafka broker (KRaft, one node) on loopback, with everything that clients may be asked for: TLS, SASL, transactions, compaction. */
import { randomBytes } from 'node:crypto';
import { execFile, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Admin } from '@platformatic/kafka';
import { CertificateAuthority } from '../../hack/cluster/certificates.ts';
import { classPath } from '../../hack/java/jars.ts';
import { temporaryFolder } from './folder.ts';

/** Who may log in, by PLAIN and by SCRAM. */
export const login = { username: 'trainer', password: 'trainer secret' };

export interface Kafka extends AsyncDisposable {
  /** `127.0.0.1:PORT` of each way in. */
  readonly plaintext: string;
  readonly tls: string;
  readonly sasl: string;
  readonly saslTls: string;
  /** PEM of who signed the broker's certificate. */
  readonly ca: string;
  readonly admin: Admin;
  /** Where partitions lie as files. */
  readonly log: string;
  createTopic(topic: string, partitions: number, configs?: Readonly<Record<string, string>>): Promise<void>;
  /** Ends the broker as a power cut does. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

const listeners = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const;
/** A broker of tests need not be fast later, but soon there. Killed, it leaves the native libraries that it unpacked. */
const jvm = (folder: string): string[] => [`-Djava.io.tmpdir=${folder}`, '-Xmx320m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error'];

export async function kafka(): Promise<Kafka> {
  const path = await classPath('kafka');
  const folder = await temporaryFolder();
  const [plaintext = 0, tls = 0, sasl = 0, saslTls = 0, controller = 0] = await freePorts(5);
  const authority = await CertificateAuthority.create('kafka-test');
  const { certificate, key } = await authority.issue({ commonName: 'broker', hosts: ['127.0.0.1', 'localhost'] });
  writeFileSync(join(folder.path, 'broker.pem'), `${key}\n${certificate}\n`);
  const properties = join(folder.path, 'server.properties');
  writeFileSync(properties, propertiesOf(folder.path, { PLAINTEXT: plaintext, SSL: tls, SASL_PLAINTEXT: sasl, SASL_SSL: saslTls }, controller));
  const scram = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => ['--add-scram', `${mechanism}=[name=${login.username},password=${login.password}]`]);
  // An id that begins with a dash would be an option if it stood alone.
  await promisify(execFile)('java', [...jvm(folder.path), '-cp', path, 'kafka.tools.StorageTool', 'format', `--cluster-id=${randomBytes(16).toString('base64url')}`, '--config', properties, ...scram]);

  const admin = new Admin({ clientId: 'test', bootstrapBrokers: [`127.0.0.1:${plaintext}`], retries: 0 });
  let running = spawned();

  function spawned() {
    const child = spawn('java', [...jvm(folder.path), '-cp', path, 'kafka.Kafka', properties], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    return { child, ended, said: () => said };
  }
  async function ready(): Promise<void> {
    for (const deadline = Date.now() + 120_000; ;) {
      const brokers = await admin.metadata({ topics: [], forceUpdate: true }).then((metadata) => metadata.brokers.size, () => 0);
      if (brokers > 0) return;
      if (Date.now() > deadline || running.child.exitCode !== null) throw new Error(`Kafka did not start: ${running.said()}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  const kill = async (): Promise<void> => {
    running.child.kill('SIGKILL');
    await running.ended;
  };

  await ready();
  return {
    plaintext: `127.0.0.1:${plaintext}`, tls: `127.0.0.1:${tls}`, sasl: `127.0.0.1:${sasl}`, saslTls: `127.0.0.1:${saslTls}`,
    ca: authority.pair.certificate,
    admin,
    log: join(folder.path, 'log'),
    createTopic: async (topic, partitions, configs = {}) => {
      await admin.createTopics({ topics: [topic], partitions, replicas: 1, configs: Object.entries(configs).map(([name, value]) => ({ name, value })) });
    },
    kill,
    start: async () => {
      running = spawned();
      await ready();
    },
    [Symbol.asyncDispose]: async () => {
      await admin.close();
      await kill();
      await folder[Symbol.asyncDispose]();
    },
  };
}

function propertiesOf(folder: string, ports: Readonly<Record<(typeof listeners)[number], number>>, controller: number): string {
  const addresses = listeners.map((listener) => `${listener}://127.0.0.1:${ports[listener]}`);
  const plain = `org.apache.kafka.common.security.plain.PlainLoginModule required user_${login.username}="${login.password}";`;
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';
  const logins = (['sasl_plaintext', 'sasl_ssl'] as const).flatMap((name) => [
    `listener.name.${name}.plain.sasl.jaas.config=${plain}`,
    `listener.name.${name}.scram-sha-256.sasl.jaas.config=${scram}`,
    `listener.name.${name}.scram-sha-512.sasl.jaas.config=${scram}`,
  ]);
  return [
    'process.roles=broker,controller', 'node.id=1', `controller.quorum.voters=1@127.0.0.1:${controller}`, 'controller.listener.names=CONTROLLER',
    `listeners=${[...addresses, `CONTROLLER://127.0.0.1:${controller}`].join(',')}`, `advertised.listeners=${addresses.join(',')}`,
    'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name=PLAINTEXT', 'sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512', ...logins,
    'ssl.keystore.type=PEM', `ssl.keystore.location=${join(folder, 'broker.pem')}`,
    `log.dirs=${join(folder, 'log')}`, 'auto.create.topics.enable=false', 'num.partitions=1', 'offsets.topic.num.partitions=1', 'offsets.topic.replication.factor=1',
    'transaction.state.log.num.partitions=1', 'transaction.state.log.replication.factor=1', 'transaction.state.log.min.isr=1',
    // A killed broker may come back under its name once it counts as dead.
    'broker.session.timeout.ms=2000', 'broker.heartbeat.interval.ms=300',
    'log.cleaner.backoff.ms=100', 'log.cleaner.dedupe.buffer.size=2097152', 'log.retention.check.interval.ms=500',
  ].join('\n');
}

/** Free together, so that none is given twice. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return server;
  }));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
