/** What a source's uri means. */
import { AnnealError } from '../../errors.ts';
import { parsePattern } from './pattern.ts';
import type { Pattern } from './pattern.ts';
import { sourceField } from './spec.ts';

export type SourceUri =
  | { readonly kind: 'Web'; readonly url: URL }
  /** In the container, or in what the operator mounted. */
  | { readonly kind: 'Here'; readonly mounted: boolean; readonly rootUri: string; readonly pattern: Pattern }
  /** Keys are meant as they are written. */
  | { readonly kind: 'Bucket'; readonly bucket: string; readonly key: string }
  | { readonly kind: 'Topic'; readonly brokers: readonly string[]; readonly topic: string };

const at = `${sourceField}.uri`;
const schemes = 'http://, https://, file:///, configmap://, pvc://, s3:// or kafka://';

/** @throws AnnealError `SPEC_SOURCE` that says how it is written */
export function parseUri(uri: string): SourceUri {
  const { scheme = '', authority = '', path = '' } = /^(?<scheme>[a-z0-9]+):\/\/(?<authority>[^/]*)\/?(?<path>.*)$/s.exec(uri)?.groups ?? {};
  if (authority.includes('@')) throw wrong('The uri of a source may not hold a user or password, which everyone who can read the job could read. Remove what stands before the @.');
  switch (scheme) {
    case 'http':
    case 'https': return { kind: 'Web', url: webAddress(uri) };
    case 'file':
      if (authority !== '' || path === '') throw wrong(`"${uri}" is no file. Write file:///PATH with an absolute path.`);
      return { kind: 'Here', mounted: false, rootUri: 'file:///', pattern: parsePattern(path, decoded) };
    case 'configmap':
    case 'pvc':
      if (authority === '' || path.split('/').some((part) => decoded(part) === '..')) throw wrong(`"${uri}" is no file of a ${scheme === 'pvc' ? 'claim' : 'ConfigMap'}. Write ${scheme === 'pvc' ? 'pvc://CLAIM/PATH, where PATH has no ".."' : 'configmap://NAME/KEY'}.`);
      return { kind: 'Here', mounted: true, rootUri: `${scheme}://${authority}/`, pattern: parsePattern(path === '' ? '**' : path, decoded) };
    case 's3':
      if (authority === '') throw wrong(`"${uri}" names no bucket. Write s3://BUCKET/KEY, or a pattern such as s3://BUCKET/2026/*.csv.`);
      return { kind: 'Bucket', bucket: authority, key: path === '' ? '**' : path };
    case 'kafka': {
      const brokers = authority.split(',');
      if (!brokers.every((broker) => /^[^:\s]+(?::\d+)?$/.test(broker)) || !/^[a-zA-Z0-9._-]{1,249}$/.test(path)) throw wrong(`"${uri}" is no topic. Write kafka://BROKER:PORT,BROKER:PORT/TOPIC.`);
      return { kind: 'Topic', brokers: brokers.map((broker) => (/:\d+$/.test(broker) ? broker : `${broker}:9092`)), topic: path };
    }
    default: throw wrong(`A source cannot be read from "${uri}". Write ${schemes}.`);
  }
}

function webAddress(uri: string): URL {
  try {
    return new URL(uri);
  } catch (error) {
    throw wrong(`"${uri}" is no web address. Write one like https://HOST/rows.csv.`, error);
  }
}

/** Percent-encoding undone where it is one; a lone % is meant as it stands. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const wrong = (message: string, cause?: unknown): AnnealError => new AnnealError('SPEC_SOURCE', { at, message, cause });
