/** Sources that cannot be read, and others than were meant. */
import { chmodSync, mkdirSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { blobs } from '../../support.ts';
import { bucketName } from '../../store/s3-server.ts';
import type { Handler } from '../sources/support.ts';
import type { BrokenInput } from './input.ts';

const rows = blobs(60);
const status = (code: number, headers: Record<string, string> = {}): Handler => (_, response) => void response.writeHead(code, headers).end();
const body = (content: Buffer | string, headers: Record<string, string> = {}, code = 200): Handler => (_, response) => void response.writeHead(code, headers).end(content);
const half: Handler = (_, response) => {
  response.writeHead(200, { 'content-length': rows.length });
  response.write(rows.slice(0, 100), () => response.destroy());
};
const uri = 'spec.trainer.data.source.uri';
const maxBytes = 'spec.trainer.data.source.maxBytes';

export const brokenPlaces: readonly BrokenInput[] = [
  { what: 'a file that is not there', files: { 'rows.csv': rows }, path: 'row.csv', code: 'DATA_NOT_FOUND', at: uri, says: /no readable file at file:\/\/.*row\.csv; in .*data\/ there are "rows\.csv"/ },
  { what: 'a folder instead of a file', files: {}, path: 'rows', prepare: (root) => mkdirSync(`${root}/rows`), code: 'DATA_NOT_FOUND', at: uri, says: /is a folder\. Name one file in it/ },
  { what: 'a file that it may not read', files: { 'rows.csv': rows }, prepare: (root) => chmodSync(`${root}/rows.csv`, 0o600), isStranger: true, code: 'DATA_NOT_FOUND', at: uri, says: /rows\.csv cannot be read: .*Check its permissions/ },
  { what: 'a pattern that nothing matches', files: { 'rows.csv': rows }, path: '*.parquet', code: 'DATA_NOT_FOUND', at: uri, says: /no file that matches .*"rows\.csv"/ },
  { what: 'a claim that is not mounted', files: { 'rows.csv': rows }, source: { uri: 'pvc://lake/rows.csv' }, code: 'SPEC_SOURCE', at: uri, says: /pvc:\/\/lake\/rows\.csv can only be read in a cluster/ },
  { what: 'another file than was meant', files: { 'rows.csv': rows }, source: { sha256: '0'.repeat(64) }, code: 'DATA_CHECKSUM', at: 'spec.trainer.data.source.sha256', says: /rows\.csv has the SHA-256 [0-9a-f]{64}, not 0{64}/ },
  { what: 'a digest of several files', files: { 'a.csv': rows, 'b.csv': rows }, path: '*.csv', source: { sha256: '0'.repeat(64) }, code: 'SPEC_CONFLICT', at: 'spec.trainer.data.source.sha256', says: /matches 2/ },
  { what: 'a file that is too large', files: { 'rows.csv': rows }, source: { maxBytes: 100 }, code: 'DATA_TOO_LARGE', at: maxBytes, says: new RegExp(`rows\\.csv has ${rows.length} bytes, more than the 100`) },
  { what: 'files that are too many', files: { 'a.csv': rows, 'b.csv': rows }, path: '*.csv', source: { maxFiles: 1 }, code: 'DATA_TOO_LARGE', at: 'spec.trainer.data.source.maxFiles', says: /more than the 1 file/ },
  { what: 'an answer of 404', web: [status(404)], code: 'DATA_REFUSED', at: uri, says: /127\.0\.0\.1:\d+ answered 404 Not Found for rows\.csv/ },
  { what: 'an answer of 403', web: [status(403)], code: 'DATA_REFUSED', at: uri, says: /answered 403 Forbidden for rows\.csv/ },
  { what: 'redirects in a circle', web: [status(302, { location: '/again' })], code: 'DATA_REFUSED', at: uri, says: /on in a circle/ },
  { what: 'a redirect to where others can write along', web: [status(302, { location: 'http://localhost:1/rows.csv' })], code: 'DATA_REFUSED', at: uri, says: /on to http:\/\/localhost:1, and only https/ },
  { what: 'a server that stops in the middle', web: [half], code: 'DATA_DOWNLOAD', at: uri, says: /rows\.csv could not be downloaded from 127\.0\.0\.1:\d+ after 6 tries/ },
  { what: 'another file from the web than was meant', web: [body(rows)], source: { sha256: '0'.repeat(64) }, code: 'DATA_CHECKSUM', at: 'spec.trainer.data.source.sha256', says: /rows\.csv has the SHA-256/ },
  { what: 'a body without end', web: [body(Buffer.alloc(5_000_000))], source: { maxBytes: 1_000_000 }, code: 'DATA_TOO_LARGE', at: maxBytes, says: /more than the 1000000/ },
  { what: 'a body that unpacks to far more', web: [body(gzipSync(Buffer.alloc(50_000_000)), { 'content-encoding': 'gzip' })], source: { maxBytes: 1_000_000 }, code: 'DATA_TOO_LARGE', at: maxBytes, says: /more than the 1000000/ },
  { what: 'an encoding that nobody knows', web: [body(rows, { 'content-encoding': 'pack200' })], code: 'DATA_REFUSED', at: uri, says: /content encoding "pack200"/ },
  { what: 'a page where a file was meant', web: [body('<!DOCTYPE html>\n<html><body>Log in, please</body></html>\n')], code: 'DATA_FORMAT', at: uri, says: /is a web page, perhaps one to log in at/ },
];

const expired = '<?xml version="1.0"?><Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>';

/** In a bucket that holds lake/rows.csv. */
export const brokenBuckets: readonly BrokenInput[] = [
  { what: 'a bucket that is not there', bucket: { uri: 's3://no-such-bucket/rows.csv' }, code: 'BUCKET_REFUSED', at: uri, says: /NoSuchBucket.*Check the bucket/ },
  { what: 'an object that is not there', bucket: { uri: `s3://${bucketName}/lake/row.csv` }, code: 'DATA_NOT_FOUND', at: uri, says: /in s3:\/\/checkpoints\/lake\/ there are "rows\.csv"/ },
  { what: 'a wrong key of a bucket', bucket: { uri: `s3://${bucketName}/lake/rows.csv`, credentials: { AWS_SECRET_ACCESS_KEY: 'anneal-test-secret-of-old' } }, code: 'BUCKET_REFUSED', at: uri, says: /SignatureDoesNotMatch.*source\.credentials/ },
  { what: 'credentials that have expired', web: [body(expired, { 'content-type': 'application/xml' }, 400)], bucket: { uri: `s3://${bucketName}/lake/rows.csv`, credentials: { AWS_SESSION_TOKEN: 'an-old-token' } }, code: 'BUCKET_REFUSED', at: uri, says: /ExpiredToken: The provided token has expired.*have not expired/ },
  { what: 'an object that is too large', bucket: { uri: `s3://${bucketName}/lake/rows.csv` }, source: { maxBytes: 100 }, code: 'DATA_TOO_LARGE', at: maxBytes, says: /rows\.csv has \d+ bytes, more than the 100/ },
];
