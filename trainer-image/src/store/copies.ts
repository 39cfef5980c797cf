/**
 * Checkpoints and model in a bucket. An object beside the files, written last, makes a copy complete: whatever lies there without it
 * is a leftover. Only the newest attempt writes or removes anything.
 */
import { renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { volumeLayout } from '@anneal/operator/api';
import { AnnealError } from '../errors.ts';
import { makeFolder, namesIn, removeFolder } from '../files.ts';
import { byNewest, isCheckpointName, runDigestOf } from '../train/checkpoint.ts';
import { isOwn, parseClaim, superseded } from '../train/fence.ts';
import type { Fence } from '../train/fence.ts';
import type { Bucket, StoredFile } from './bucket.ts';

/** Makes a copy complete. */
interface CopyManifest {
  readonly formatVersion: 1;
  /** Digest of the run: those of another do not count when old ones are removed. */
  readonly runDigest: string;
  readonly files: readonly StoredFile[];
}

const manifestName = 'manifest.json';
/** The model has a manifest of its own, which names each file's digest. */
const modelManifest = 'manifest.json';

export interface Copies {
  readonly uri: string;
  /** @throws AnnealError `SUPERSEDED`, `BUCKET_REFUSED`, `BUCKET_FAILED` */
  claim(): Promise<void>;
  /** Copies `checkpoints/NAME`, then removes copies beyond `keep`. @throws also when it was removed from the volume meanwhile */
  copyCheckpoint(name: string, keep: number): Promise<void>;
  copyModel(): Promise<void>;
  /** Brings the newest complete checkpoint to `checkpoints/` of a folder. @returns its name; undefined when there is none */
  bringNewest(to: string, passedOver: (name: string, why: string) => void): Promise<string | undefined>;
}

/** @param volume  the job's volume. @param fence  undefined for another job's copies, which are only read */
export function copiesIn(bucket: Bucket, volume: string, fence: Fence | undefined): Copies {
  const claimKey = `${volumeLayout.attempts}/${fence?.place ?? ''}.json`;

  const requireOwn = async (): Promise<void> => {
    const json = await bucket.getText(claimKey);
    const found = json === undefined ? undefined : parseClaim(json);
    if (fence !== undefined && found !== undefined && !isOwn(found, fence)) throw superseded(fence, found);
  };

  const prune = async (runDigest: string, keep: number): Promise<void> => {
    const keys = await bucket.list(`${volumeLayout.checkpoints}/`);
    const own: string[] = [];
    for (const name of completeIn(keys)) if ((await manifestOf(bucket, name))?.runDigest === runDigest) own.push(name);
    const kept = new Set(own.slice(0, keep));
    const gone = keys.filter((key) => !kept.has(nameOf(key)));
    // What makes it complete goes first: a cut in between leaves no copy that looks whole.
    await bucket.remove(gone.filter((key) => key.endsWith(`/${manifestName}`)));
    await bucket.remove(gone.filter((key) => !key.endsWith(`/${manifestName}`)));
  };

  return {
    uri: bucket.uri,
    claim: async () => {
      if (fence === undefined) return;
      const json = await bucket.getText(claimKey);
      const found = json === undefined ? undefined : parseClaim(json);
      if (found?.jobUid === fence.jobUid && found.attempt > fence.attempt) throw superseded(fence, found);
      await bucket.putText(claimKey, JSON.stringify({ jobUid: fence.jobUid, attempt: fence.attempt }));
      await bucket.abortUploads();
    },
    copyCheckpoint: async (name, keep) => {
      const key = `${volumeLayout.checkpoints}/${name}`;
      const folder = path.join(volume, key);
      const runDigest = runDigestOf(path.join(volume, volumeLayout.checkpoints), name);
      if (runDigest === undefined) throw new Error(`${key} is not on the volume any more`);
      await requireOwn();
      const files = await bucket.putFolder(key, folder, namesIn(folder));
      await requireOwn();
      const manifest: CopyManifest = { formatVersion: 1, runDigest, files };
      await bucket.putText(`${key}/${manifestName}`, JSON.stringify(manifest));
      await prune(runDigest, keep);
    },
    copyModel: async () => {
      const folder = path.join(volume, volumeLayout.model);
      await requireOwn();
      await bucket.remove([`${volumeLayout.model}/${modelManifest}`]);
      await bucket.putFolder(volumeLayout.model, folder, namesIn(folder).filter((name) => name !== modelManifest));
      await requireOwn();
      await bucket.putFolder(volumeLayout.model, folder, [modelManifest]);
    },
    bringNewest: async (to, passedOver) => {
      for (const name of completeIn(await bucket.list(`${volumeLayout.checkpoints}/`))) {
        const why = await bring(bucket, name, path.join(to, volumeLayout.checkpoints));
        if (why === undefined) return name;
        passedOver(name, why);
      }
      return undefined;
    },
  };
}

const nameOf = (key: string): string => key.split('/')[1] ?? '';

/** Names of the complete copies, the newest first. */
function completeIn(keys: readonly string[]): string[] {
  return byNewest(keys.filter((key) => key.endsWith(`/${manifestName}`)).map(nameOf).filter(isCheckpointName));
}

/** Puts one copy into the folder, whole or not at all. @returns why it cannot be used */
async function bring(bucket: Bucket, name: string, folder: string): Promise<string | undefined> {
  const key = `${volumeLayout.checkpoints}/${name}`;
  const manifest = await manifestOf(bucket, name);
  if (manifest === undefined) return 'its manifest is damaged';
  const beside = path.join(folder, `.tmp-${name}`);
  rmSync(beside, { recursive: true, force: true });
  makeFolder(beside);
  try {
    for (const file of manifest.files) {
      const arrived = await bucket.download(`${key}/${file.name}`, path.join(beside, file.name));
      if (arrived.sha256 !== file.sha256) return `${file.name} is damaged`;
    }
    removeFolder(folder, name);
    renameSync(beside, path.join(folder, name));
    return undefined;
  } catch (error) {
    // A file that was removed, as its whole bucket would not let us have listed it.
    if (error instanceof AnnealError && error.cause instanceof Error && error.cause.name === 'NoSuchKey') return 'a file is missing';
    throw error;
  } finally {
    rmSync(beside, { recursive: true, force: true });
  }
}

async function manifestOf(bucket: Bucket, name: string): Promise<CopyManifest | undefined> {
  return parseManifest(await bucket.getText(`${volumeLayout.checkpoints}/${name}/${manifestName}`));
}

/** Names are those of files in one folder: a foreign manifest must not write elsewhere. */
function parseManifest(text: string | undefined): CopyManifest | undefined {
  if (text === undefined) return undefined;
  try {
    const { formatVersion, runDigest, files } = JSON.parse(text) as Partial<CopyManifest>;
    const isSafe = (file: Partial<StoredFile>): boolean => typeof file.name === 'string' && /^[\w-][\w.-]*$/.test(file.name) && typeof file.sha256 === 'string';
    return formatVersion === 1 && typeof runDigest === 'string' && Array.isArray(files) && files.length > 0 && files.every(isSafe) ? { formatVersion, runDigest, files } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}
