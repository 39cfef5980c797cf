/** Images as rows: a folder for each class, as files or in archives, each image decoded and brought to one size. */
import { readFile } from 'node:fs/promises';
import { AnnealError, list } from '../../errors.ts';
import { damaged } from '../archive/archive.ts';
import type { ArchiveLimits } from '../archive/archive.ts';
import { readTar } from '../archive/tar.ts';
import { readZip } from '../archive/zip.ts';
import type { LocalFile } from '../source.ts';
import { byCodeUnit } from '../sources/pattern.ts';
import { textColumn } from '../table.ts';
import type { Table } from '../table.ts';
import { decodeImage } from './decode.ts';
import type { ImageSize } from './decode.ts';

export interface ReadImages {
  readonly size: ImageSize;
  readonly limits: ArchiveLimits;
  /** Whether each image must have one, since it is learnt. */
  readonly classes: boolean;
  readonly signal: AbortSignal;
  /** Called with how many of how many were decoded. */
  readonly onProgress?: (done: number, of: number) => void;
}

/** Column with the name of each image's folder. */
export const labelColumn = 'label';
export const imageColumn = 'image';

/** A file that holds images: by name, and to be read in any order, or in its own. */
interface Album {
  readonly names: readonly string[];
  /** Each once. */
  read(): AsyncIterable<{ readonly name: string; readonly content: Buffer }>;
}

/**
 * Rows by code unit of their names, so that a folder and an archive of it give the same.
 * @throws AnnealError `DATA_IMAGE` that names the broken ones, `DATA_ARCHIVE`, `DATA_TOO_LARGE`
 */
export async function readImages(files: readonly LocalFile[], { size, limits, classes, signal, onProgress }: ReadImages): Promise<Table> {
  const albums = await albumsOf(files, limits);
  const images = albums.flatMap((album) => album.names.map((name) => ({ album, name }))).sort((a, b) => byCodeUnit(a.name, b.name));
  const labels = images.map(({ name }) => classOf(name, classes));
  const places = new Map(albums.map((album) => [album, new Map<string, number>()]));
  images.forEach(({ album, name }, place) => places.get(album)?.set(name, place));
  const width = size.height * size.width * size.channels;
  const values = new Uint8Array(images.length * width);
  const broken: Broken[] = [];
  let done = 0;
  for (const album of albums) {
    for await (const { name, content } of album.read()) {
      signal.throwIfAborted();
      const place = places.get(album)?.get(name) ?? 0;
      try {
        decodeImage(content, size, values.subarray(place * width, (place + 1) * width));
      } catch (error) {
        broken.push({ name, why: error instanceof Error ? error.message : String(error) });
      }
      onProgress?.(++done, images.length);
    }
  }
  if (broken.length > 0) throw brokenError(broken.sort((a, b) => byCodeUnit(a.name, b.name)), images.length);
  return { rows: images.length, columns: [textColumn(labelColumn, labels)], vector: { kind: 'Vector', name: imageColumn, shape: [size.height, size.width, size.channels], width, values } };
}

interface Broken {
  readonly name: string;
  /** The end of a sentence that begins with the name. */
  readonly why: string;
}

function brokenError([first, ...others]: readonly Broken[], of: number): AnnealError {
  const more = others.length === 0 ? '' : ` ${list(others.map(({ name }) => name))} cannot be read either: ${others.length + 1} of ${of} images in all.`;
  return new AnnealError('DATA_IMAGE', { at: first?.name ?? '', message: `${first?.name ?? ''} ${first?.why ?? ''}.${more} Remove ${others.length === 0 ? 'it' : 'them'}, or write a pattern that matches images alone, for example …/**/*.jpg.` });
}

function classOf(name: string, isNeeded: boolean): string | null {
  const end = name.indexOf('/');
  if (end > 0) return name.slice(0, end);
  if (!isNeeded) return null;
  throw new AnnealError('DATA_IMAGE', { at: name, message: `${name} lies in no folder, and its folder is its class. Put images into one folder for each class, below the folder that source.uri names.` });
}

async function albumsOf(files: readonly LocalFile[], limits: ArchiveLimits): Promise<Album[]> {
  const albums: Album[] = [];
  const plain = files.filter(({ name }) => !isArchive(name));
  if (plain.length > 0) albums.push(folderOf(plain));
  let [count, bytes] = [plain.length, 0];
  for (const file of files) {
    if (!isArchive(file.name)) continue;
    const left = { maxFiles: limits.maxFiles - count, maxBytes: limits.maxBytes - bytes };
    const archive = /\.zip$/i.test(file.name) ? await zipOf(file, left) : await tarOf(file, left);
    const twice = archive.names.length === new Set(archive.names).size ? undefined : archive.names.find((name, at) => archive.names.indexOf(name) !== at);
    if (twice !== undefined) throw damaged(file.name, `it holds "${twice}" twice`);
    albums.push(archive);
    count += archive.names.length;
    bytes += archive.bytes;
  }
  return albums;
}

const isArchive = (name: string): boolean => /\.(?:zip|tar|tgz|tar\.gz)$/i.test(name);
/** Some programs leave files of their own beside each image. */
const isHidden = (name: string): boolean => name.split('/').some((part) => part.startsWith('.') || part === '__MACOSX');

/** Files that are read ahead while one is decoded. */
const filesAhead = 16;

function folderOf(files: readonly LocalFile[]): Album {
  return {
    names: files.map(({ name }) => name),
    read: async function* () {
      const reading = new Map<LocalFile, Promise<Buffer>>();
      const read = (file: LocalFile | undefined): void => {
        if (file === undefined) return;
        const content = readFile(file.path);
        // It is told where it is waited for.
        content.catch(() => undefined);
        reading.set(file, content);
      };
      files.slice(0, filesAhead).forEach(read);
      for (const [at, file] of files.entries()) {
        read(files[at + filesAhead]);
        const content = await reading.get(file) ?? Buffer.alloc(0);
        reading.delete(file);
        yield { name: file.name, content };
      }
    },
  };
}

interface Archive extends Album {
  readonly bytes: number;
}

async function zipOf(file: LocalFile, limits: ArchiveLimits): Promise<Archive> {
  const entries = (await readZip(file.path, file.name, limits)).filter(({ name }) => !isHidden(name));
  const inner = innerOf(entries.map(({ name }) => name));
  return {
    bytes: entries.reduce((sum, entry) => sum + entry.bytes, 0),
    names: entries.map(({ name }) => inner(name)),
    read: async function* () {
      for (const entry of entries) yield { name: inner(entry.name), content: Buffer.concat(await (await entry.stream()).toArray() as Buffer[]) };
    },
  };
}

/** Read twice, since it must be known how many there are before the first is kept. */
async function tarOf(file: LocalFile, limits: ArchiveLimits): Promise<Archive> {
  const names: string[] = [];
  let bytes = 0;
  for await (const entry of readTar(file.path, file.name, limits)) {
    if (isHidden(entry.name)) continue;
    names.push(entry.name);
    bytes += entry.bytes;
  }
  const inner = innerOf(names);
  return {
    bytes,
    names: names.map(inner),
    read: async function* () {
      for await (const entry of readTar(file.path, file.name, limits)) if (!isHidden(entry.name)) yield { name: inner(entry.name), content: await entry.read() };
    },
  };
}

/** Names without folders that hold everything else: who packs a folder often packs it with its own name. */
function innerOf(names: readonly string[]): (name: string) => string {
  let prefix = '';
  for (;;) {
    const parts = new Set(names.map((name) => name.slice(prefix.length).split('/')[0] ?? ''));
    const [only] = parts;
    // The folder of the last level is a class, be it the only one.
    if (parts.size !== 1 || only === undefined || !names.every((name) => name.slice(prefix.length).split('/').length > 2)) return (name) => name.slice(prefix.length);
    prefix += `${only}/`;
  }
}
