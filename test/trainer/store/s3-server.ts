/** A real S3 server on loopback with one bucket, and what a test asks it directly. */
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { CreateBucketCommand, ListMultipartUploadsCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { BucketPlace } from '@anneal/operator/api';
import { binary } from '../../../hack/cluster/binaries.ts';
import { folder } from '../support.ts';

const accessKey = { AWS_ACCESS_KEY_ID: 'anneal-test', AWS_SECRET_ACCESS_KEY: 'anneal-test-secret' };

export interface S3Server extends AsyncDisposable {
  readonly client: S3Client;
  readonly credentials: Readonly<Record<string, string>>;
  /** Where objects lie as files. */
  readonly files: string;
  place(prefix: string): BucketPlace;
  readonly endpoint: string;
  put(key: string, content: string | Buffer): Promise<void>;
  keys(prefix: string): Promise<string[]>;
  unfinishedUploads(): Promise<number>;
  stop(): Promise<void>;
  start(): Promise<void>;
}

export const bucketName = 'checkpoints';

export async function s3Server(): Promise<S3Server> {
  const program = await binary('versitygw');
  const place = await folder();
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  for (const name of ['data', 'metadata']) mkdirSync(`${place.path}/${name}`);
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials: { accessKeyId: accessKey.AWS_ACCESS_KEY_ID, secretAccessKey: accessKey.AWS_SECRET_ACCESS_KEY } });
  let running = spawned();

  /** Metadata beside the data, since a file system need not have extended attributes. */
  function spawned() {
    const child = spawn(program, ['--port', `127.0.0.1:${port}`, '--access', accessKey.AWS_ACCESS_KEY_ID, '--secret', accessKey.AWS_SECRET_ACCESS_KEY, '--quiet', 'posix', '--sidecar', `${place.path}/metadata`, `${place.path}/data`], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    return { child, ended, said: () => said };
  }
  async function ready(): Promise<void> {
    for (const deadline = Date.now() + 20_000; ; ) {
      const answered = await fetch(endpoint).then((answer) => answer.body?.cancel().then(() => true), () => false);
      if (answered === true) return;
      if (Date.now() > deadline || running.child.exitCode !== null) throw new Error(`The S3 server did not start: ${running.said()}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  const stop = async (): Promise<void> => {
    running.child.kill('SIGKILL');
    await running.ended;
  };

  await ready();
  await client.send(new CreateBucketCommand({ Bucket: bucketName }));
  return {
    client,
    credentials: accessKey,
    files: `${place.path}/data/${bucketName}`,
    place: (prefix) => ({ bucket: bucketName, prefix, endpoint, region: 'us-east-1', addressing: 'Auto' }),
    endpoint,
    put: async (key, content) => {
      await client.send(new PutObjectCommand({ Bucket: bucketName, Key: key, Body: content, ContentLength: Buffer.byteLength(content) }));
    },
    keys: async (prefix) => (await client.send(new ListObjectsV2Command({ Bucket: bucketName, Prefix: `${prefix}/` }))).Contents?.map(({ Key = '' }) => Key.slice(prefix.length + 1)).sort() ?? [],
    unfinishedUploads: async () => (await client.send(new ListMultipartUploadsCommand({ Bucket: bucketName }))).Uploads?.length ?? 0,
    stop,
    start: async () => {
      running = spawned();
      await ready();
    },
    [Symbol.asyncDispose]: async () => {
      await stop();
      client.destroy();
      await place[Symbol.asyncDispose]();
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
