/** Replicas of the trainer as processes of their own, on ports of the loopback. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import type { TrainerSpec, TrainingFailure, TrainingResult } from '@anneal/operator/api';
import { trainerEnv } from '@anneal/operator/api';
import { digitsCsv, trainer, trainerSpec } from '../support.ts';
import type { Folder, Process } from '../support.ts';

/** A small network, so that a test's time is not TensorFlow's; dropout and a last batch that is smaller, since these could differ. */
export const digits: TrainerSpec = trainerSpec({
  data: { source: { uri: 'configmap://digits/digits.csv' }, target: 'label', pipeline: [{ scale: { method: 'MinMax' } }] },
  model: { preset: 'MLP', units: [24], dropout: 0.2 },
  fit: { epochs: 6, batchSize: 50, earlyStopping: { patience: 6 } },
});

/** Writes `tls.crt` and `tls.key`, as the operator's Secret holds them. @returns the folder */
export async function certificate(place: Folder, name = 'tls'): Promise<string> {
  const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const made = await x509.X509CertificateGenerator.createSelfSigned({ name: 'CN=replica', keys, notBefore: new Date(0), notAfter: new Date('2100-01-01'), signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' } });
  const folder = path.join(place.path, name);
  mkdirSync(folder, { recursive: true });
  const key = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64').replaceAll(/.{64}/g, '$&\n');
  writeFileSync(path.join(folder, 'tls.crt'), made.toString('pem'));
  writeFileSync(path.join(folder, 'tls.key'), `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`);
  return folder;
}

/** Ports that nobody uses now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.listen(0, resolve))));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

export interface GangOptions {
  readonly place: Folder;
  /** As many as there may be. */
  readonly places: number;
  readonly replicas: number;
  /** Left out, the loss of any ends all. */
  readonly minReplicas?: number;
  readonly spec?: TrainerSpec;
  readonly environment?: NodeJS.ProcessEnv;
}

export interface Gang {
  /** Starts the process of an index. */
  readonly start: (index: number, changes?: NodeJS.ProcessEnv) => Replica;
}

export interface Replica extends Process {
  readonly index: number;
  /** The termination message, once it has ended. */
  lastWords(): TrainingResult & TrainingFailure;
}

export async function gang({ place, places, replicas, minReplicas, spec = digits, environment = {} }: GangOptions): Promise<Gang> {
  const peers = (await freePorts(places)).map((port) => `127.0.0.1:${port}`).join(',');
  const tls = await certificate(place);
  mkdirSync(`${place.path}/volume`, { recursive: true });
  return {
    start: (index, changes = {}) => {
      const words = `${place.path}/last-words-${index}`;
      const process = trainer(['train', '--termination-message', words], {
        [trainerEnv.spec]: JSON.stringify(spec),
        [trainerEnv.job]: 'test/digits',
        [trainerEnv.volume]: `${place.path}/volume`,
        [trainerEnv.sourceDirectory]: path.dirname(digitsCsv),
        [trainerEnv.peers]: peers,
        [trainerEnv.index]: String(index),
        [trainerEnv.replicas]: String(replicas),
        [trainerEnv.peerTlsDirectory]: tls,
        ...(minReplicas === undefined ? {} : { [trainerEnv.minReplicas]: String(minReplicas) }),
        TF_NUM_INTRAOP_THREADS: '1',
        TF_NUM_INTEROP_THREADS: '1',
        ...environment,
        ...changes,
      });
      return { ...process, index, lastWords: () => JSON.parse(readFileSync(words, 'utf8')) as TrainingResult & TrainingFailure };
    },
  };
}

export const all = (gang: Gang, count: number): Replica[] => Array.from({ length: count }, (_, index) => gang.start(index));

/** Waits for the end of all. @returns their results; fails where one did not succeed */
export async function results(replicas: readonly Replica[]): Promise<TrainingResult[]> {
  const ends = await Promise.all(replicas.map(({ exit }) => exit));
  const failed = ends.findIndex(({ code }) => code !== 0);
  const replica = replicas[failed];
  if (replica !== undefined) throw new Error(`Replica ${replica.index} ended with ${JSON.stringify(ends[failed])}:\n${replicas.map(({ index, output }) => `--- ${index}\n${output()}`).join('\n')}`);
  return replicas.map((one) => one.lastWords());
}

/** Processes that a failed test left behind. */
export function killAll(replicas: readonly Replica[]): void {
  for (const { child } of replicas) child.kill('SIGKILL');
}
