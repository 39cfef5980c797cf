/** What a row of the table of broken inputs says, and the run that is given it. */
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { sourceCredentialsPrefix } from '@anneal/operator/api';
import type { ErrorCode } from '../../../../trainer-image/src/errors.ts';
import type { TrainingOutcome } from '../../../../trainer-image/src/train/order.ts';
import { folder, train, trainerSpec } from '../../support.ts';
import type { S3Server } from '../../store/s3-server.ts';
import { server as webServer } from '../sources/support.ts';
import type { Handler } from '../sources/support.ts';

export type Files = Readonly<Record<string, string | Buffer>>;
type Written = Readonly<Record<string, unknown>>;

interface Input {
  /** Files of the data's folder, of which the first is the source unless it is written. */
  readonly files?: Files;
  /** Path of the source below the folder; a pattern, or a name that is not there. */
  readonly path?: string;
  /** Answers of a web server that is the source, or takes the place of the bucket's. */
  readonly web?: readonly Handler[];
  /** An object of a bucket, and where the credentials differ from those that it takes. */
  readonly bucket?: { readonly uri: string; readonly credentials?: Readonly<Record<string, string>> };
  /** What is done to the folder before the run. */
  readonly prepare?: (root: string) => void | Promise<void>;
  /** Whether the run is one of a user who owns nothing but the volume. */
  readonly isStranger?: boolean;
  /** Fields of `data.source` and of `data`. */
  readonly source?: Written;
  readonly data?: Written;
}

export interface BrokenInput extends Input {
  /** Ends the sentence "a run is told of …". */
  readonly what: string;
  readonly code: ErrorCode;
  /** Field of the manifest, or the file with its line. */
  readonly at: string;
  /** The facts that the sentence must hold. */
  readonly says: RegExp;
}

/** Stands where no message may repeat it: in the address, which may be a signed one. */
const signature = 'hush-0123456789';
const secrets: readonly string[] = [signature, 'anneal-test-secret', 'an-old-token'];

/** Trains as a pod would, in this process. @param server  of the buckets */
export async function outcomeOf(input: Input, look: (outcome: TrainingOutcome, volume: string) => void, server?: S3Server): Promise<void> {
  const { files = {}, path: below, web, bucket, prepare, isStranger = false, source = {}, data = {} } = input;
  await using place = await folder();
  const [root, volume] = [path.join(place.path, 'data'), path.join(place.path, 'volume')];
  for (const at of [root, volume]) mkdirSync(at);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    writeFileSync(path.join(root, name), content);
  }
  await prepare?.(root);
  await using service = web === undefined ? undefined : await webServer(...web);
  const uri = service === undefined ? `file://${root}/${below ?? Object.keys(files)[0] ?? ''}` : `${service.origin}/rows.csv?signature=${signature}`;
  const inBucket = bucket === undefined ? {} : { uri: bucket.uri, endpoint: service?.origin ?? server?.endpoint, addressing: 'Path' };
  const keys = bucket === undefined ? {} : { ...server?.credentials, ...bucket.credentials };
  const spec = trainerSpec({ data: { target: 'colour', ...data, source: { uri, ...inBucket, ...source } }, model: { preset: 'MLP', units: [4] }, fit: { epochs: 1 } });
  using _ = isStranger ? asNobody(place.path, volume) : undefined;
  look(await train(spec, volume, { sourceCredentials: Object.fromEntries(Object.entries(keys).map(([name, value]) => [`${sourceCredentialsPrefix}${name}`, value])) }), volume);
}

/** Root may read everything, so that it has to be someone else for a while. */
function asNobody(place: string, volume: string): Disposable {
  chmodSync(place, 0o755);
  chmodSync(volume, 0o777);
  const own = process.geteuid?.();
  if (own !== 0) return { [Symbol.dispose]: () => undefined };
  process.seteuid?.(nobody);
  return { [Symbol.dispose]: () => process.seteuid?.(own) };
}

const nobody = 65_534;

/** A failure that needs the user, told in words, which left nothing behind. */
export async function expectTold(input: BrokenInput, server?: S3Server): Promise<void> {
  await outcomeOf(input, (outcome, volume) => {
    if (outcome.kind !== 'Failed') throw new Error(`The run did not fail: ${JSON.stringify(outcome)}`);
    const { code, at, message } = outcome.failure.error;
    expect({ code, at }, message).to.deep.equal({ code: input.code, at: input.at });
    expect(message).to.match(input.says);
    expectWords(message);
    expectNothingLeft(volume);
  }, server);
}

/** Sentences for a person: no stack, no words of the language that the program is written in, no secret. */
function expectWords(message: string): void {
  expect(message).to.match(/^\S[^\n]*[.]$/).and.not.to.match(/undefined|\bNaN\b(?!\))|\[object|\bnull\b|Error:|\.ts:/);
  expect(message.length).to.be.below(600);
  for (const secret of secrets) expect(message).not.to.contain(secret);
}

/** Where a run may leave what the next one goes on with, whole or known to be in part. */
const kept = /^(?:attempts\/trainer-0\.json|checkpoints|reports(?:\/data-report\.(?:html|json))?|data(?:\/(?:source|tables|files(?:\/(?:refs|blobs|partial|uses?)(?:\/.*)?)?).*)?)$/;

function expectNothingLeft(volume: string): void {
  const names = readdirSync(volume, { recursive: true, encoding: 'utf8' });
  expect(names.filter((name) => !names.some((other) => other.startsWith(`${name}/`)) && !kept.test(name))).to.deep.equal([]);
  expect(names.filter((name) => name.includes('tmp'))).to.deep.equal([]);
}
