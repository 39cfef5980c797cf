/** Objects of a bucket, one by its key or several by a pattern of keys. */
import { HeadObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import { AnnealError } from '../../errors.ts';
import type { Remote } from '../../store/cache/index.ts';
import { downloadObject, isNotThere, listObjects, openS3, toldError } from '../../store/s3.ts';
import type { Environment, S3Object, Telling } from '../../store/s3.ts';
import type { Patience } from '../../store/transfer.ts';
import { byCodeUnit, parsePattern } from './pattern.ts';
import type { Pattern } from './pattern.ts';
import { mostFiles, nothingThere, sourceField, tooLarge, tooMany } from './spec.ts';
import type { Found, S3Spec, SourceSpec } from './spec.ts';

export interface ObjectPlace {
  readonly source: SourceSpec;
  readonly bucket: string;
  /** Key, or pattern of keys, as written. */
  readonly key: string;
  readonly environment: Environment;
  /** Beginning of the variables with the credentials. */
  readonly credentialsPrefix: string;
}

export interface FoundObject extends Found {
  readonly key: string;
  /** As the bucket listed it; undefined where the object was named, and not listed. */
  readonly etag: string | undefined;
}

export interface Objects extends Disposable {
  /** By code unit of their keys. @throws AnnealError `DATA_NOT_FOUND`, `DATA_TOO_LARGE`, `BUCKET_REFUSED`, `BUCKET_FAILED` */
  find(): Promise<FoundObject[]>;
  remote(object: FoundObject, options: Patience & { readonly expected: Remote['expected']; readonly onBytes: (bytes: number, totalBytes: number) => void }): Remote;
}

const amazon: S3Spec = { region: 'us-east-1', addressing: 'Auto' };

export function openObjects({ source, bucket, key, environment, credentialsPrefix }: ObjectPlace): Objects {
  const service = source.s3 ?? amazon;
  const own = environment[`${credentialsPrefix}AWS_ACCESS_KEY_ID`] ?? '';
  const client = openS3({ ...service, ...(own === '' ? {} : { credentialsPrefix }) }, environment);
  // Keys are meant as they are written: a key may itself hold percent-encoded names.
  const pattern = parsePattern(key);
  const telling: Telling = {
    uri: source.uri, at: `${sourceField}.uri`,
    advice: 'Check the bucket, source.endpoint and source.region, and that the keys of source.credentials may read and list there, and have not expired.',
  };
  return {
    find: () => find(client, { source, bucket, pattern }).catch((error: unknown) => {
      throw toldError(error, telling);
    }),
    remote: (object, { expected, onBytes, ...patience }) => ({
      id: JSON.stringify([service.endpoint ?? '', bucket, object.key]),
      expected,
      isCurrent: async (version) => (object.etag ?? await etagOf(client, bucket, object.key, telling)) === version,
      bring: async (file, room) => {
        const limit = { bytes: source.maxBytes, error: (bytes: number) => tooLarge(object.name, bytes, source.maxBytes) };
        return downloadObject(client, bucket, object.key, file, { ...patience, limit, room, onBytes }).catch(async (error: unknown) => {
          throw isNotThere(error) ? await notFound(client, { source, bucket, pattern }) : toldError(error, telling);
        });
      },
    }),
    [Symbol.dispose]: () => client.destroy(),
  };
}

interface Search {
  readonly source: SourceSpec;
  readonly bucket: string;
  readonly pattern: Pattern;
}

async function find(client: S3Client, search: Search): Promise<FoundObject[]> {
  const { source, bucket, pattern } = search;
  // Reading one object needs no right to list the bucket.
  if (!pattern.isPattern) return [{ key: pattern.prefix, name: pattern.prefix.slice(pattern.folder.length), bytes: 0, etag: undefined }];
  const found: FoundObject[] = [];
  for await (const object of listObjects(client, bucket, pattern.prefix)) {
    if (isFile(object) && pattern.matches(object.key)) found.push({ ...object, name: object.key.slice(pattern.folder.length) });
    if (found.length > (source.maxFiles ?? mostFiles)) throw tooMany(source.uri, source.maxFiles ?? mostFiles);
  }
  if (found.length === 0) throw await notFound(client, search);
  return found.sort((a, b) => byCodeUnit(a.key, b.key));
}

/** Some programs make an empty object for a folder. */
const isFile = ({ key, bytes }: S3Object): boolean => bytes > 0 && !key.endsWith('/');

/** Undefined when it is not there, which is told when it is brought. */
async function etagOf(client: S3Client, Bucket: string, Key: string, telling: Telling): Promise<string | undefined> {
  try {
    return (await client.send(new HeadObjectCommand({ Bucket, Key }))).ETag;
  } catch (error) {
    if (isNotThere(error)) return undefined;
    throw toldError(error, telling);
  }
}

/** Names what lies in the deepest folder on the way in which anything is. */
async function notFound(client: S3Client, { source, bucket, pattern }: Search): Promise<AnnealError> {
  for (let folder = pattern.folder; ;) {
    const names = await namesIn(client, bucket, folder);
    if (names === undefined) return new AnnealError('DATA_NOT_FOUND', { at: `${sourceField}.uri`, message: `There is no object ${source.uri}. Correct the uri, or put the file there.` });
    if (names.length > 0 || folder === '') return nothingThere(source.uri, `s3://${bucket}/${folder}`, names, pattern.isPattern);
    folder = folder.slice(0, folder.lastIndexOf('/', folder.length - 2) + 1);
  }
}

/** The first page of names; undefined when the credentials may not list. */
async function namesIn(client: S3Client, Bucket: string, folder: string): Promise<string[] | undefined> {
  try {
    const { Contents = [], CommonPrefixes = [] } = await client.send(new ListObjectsV2Command({ Bucket, Prefix: folder, Delimiter: '/' }));
    const whole = [...Contents.map(({ Key = '' }) => Key), ...CommonPrefixes.map(({ Prefix = '' }) => Prefix)];
    return whole.map((key) => key.slice(folder.length)).filter((name) => name !== '');
  } catch {
    return undefined;
  }
}
