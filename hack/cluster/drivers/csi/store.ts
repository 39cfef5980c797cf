/** Volumes and snapshots as folders: `<root>/<kind>/<id>/{record.json, data/}`. An item appears and disappears by one rename. */
import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface VolumeRecord {
  id: string;
  name: string;
  capacityBytes: number;
  source: ContentSource | undefined;
}

export interface SnapshotRecord {
  id: string;
  name: string;
  sourceVolumeId: string;
  /** What a volume made from it must at least offer. */
  sizeBytes: number;
  createdAtMs: number;
}

export type ContentSource = { kind: 'volume'; volumeId: string } | { kind: 'snapshot'; snapshotId: string };

export interface Store<Item extends { id: string }> {
  find(id: string): Promise<Item | undefined>;
  /** All items, by id. */
  list(): Promise<Item[]>;
  /** Where the files of an item live. */
  dataOf(id: string): string;
  /** Makes the item visible once `fill` has filled its data folder; what an interrupted call left is thrown away first. */
  add(item: Item, fill: (data: string) => Promise<void>): Promise<void>;
  /** Removes the item, or what an interrupted call left of it. */
  remove(id: string): Promise<void>;
}

const safeId = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;
const safeName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** The id of a thing called `name`: the name itself where it can be a folder's, else its hash (whose colon no safe name has). */
export function idOf(name: string): string {
  return safeName.test(name) ? name : `sha256:${createHash('sha256').update(name).digest('hex')}`;
}

export function openStore<Item extends { id: string }>(root: string, kind: 'volumes' | 'snapshots'): Store<Item> {
  const items = join(root, kind);
  const unfinished = join(root, 'unfinished', kind);

  async function find(id: string): Promise<Item | undefined> {
    if (!safeId.test(id)) return undefined; // an id with a slash must not reach the file system
    try {
      return JSON.parse(await readFile(join(items, id, 'record.json'), 'utf8')) as Item;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  return {
    find,
    async list() {
      const names = await readdir(items).catch(emptyWhenMissing);
      const found = await Promise.all(names.sort().map(find));
      return found.filter((item) => item !== undefined);
    },
    dataOf: (id) => join(items, id, 'data'),
    async add(item, fill) {
      const draft = join(unfinished, item.id);
      await rm(draft, { recursive: true, force: true });
      await mkdir(join(draft, 'data'), { recursive: true, mode: 0o700 });
      // Like a fresh file system: root's own, readable by all. Who else may write is fsGroup's business, as in production.
      await chmod(join(draft, 'data'), 0o755);
      await fill(join(draft, 'data'));
      await writeFile(join(draft, 'record.json'), JSON.stringify(item));
      await mkdir(items, { recursive: true, mode: 0o700 });
      await rename(draft, join(items, item.id));
    },
    async remove(id) {
      if (!safeId.test(id)) return;
      const rest = join(unfinished, id);
      await rm(rest, { recursive: true, force: true });
      await mkdir(unfinished, { recursive: true, mode: 0o700 });
      await rename(join(items, id), rest).catch(emptyWhenMissing);
      await rm(rest, { recursive: true, force: true });
    },
  };
}

function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
}

function emptyWhenMissing(error: unknown): never[] {
  if (isMissing(error)) return [];
  throw error;
}
