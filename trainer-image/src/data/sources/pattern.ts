/**
 * Names of several files by pattern, as a shell writes them (POSIX.1-2017, XCU 2.13): `*` is any run of characters but `/`, `?` is one,
 * `**` as a whole part is any number of folders, and a pattern that ends in `/` or `**` is all files below. A name that begins with a dot is
 * matched only by a part that begins with one.
 */

export interface Pattern {
  /** False for the name of one file. */
  readonly isPattern: boolean;
  /** The folders before the first part with a wildcard, each with a slash behind it; '' when there are none. */
  readonly folder: string;
  /** What every match begins with: `folder` and the letters up to the first wildcard. */
  readonly prefix: string;
  /** Whether a whole path is matched. */
  readonly matches: (path: string) => boolean;
  /** Whether files below a folder (its path with a slash behind it) may be matched; spares looking into the others. */
  readonly mayHold: (folder: string) => boolean;
}

type Part = RegExp | 'AnyFolders';

/** @param decode  gives a written letter sequence its meaning, for example by percent-decoding, after wildcards were found in it */
export function parsePattern(written: string, decode: (text: string) => string = (text) => text): Pattern {
  const parts = written.replace(/\/$/, '/**').replace(/(^|\/)\*\*$/, '$1**/*').split('/');
  const first = parts.findIndex((part) => /[*?]/.test(part));
  if (first < 0) {
    const path = decode(written);
    return { isPattern: false, folder: path.slice(0, path.lastIndexOf('/') + 1), prefix: path, matches: (other) => other === path, mayHold: (folder) => path.startsWith(folder) };
  }
  const folder = parts.slice(0, first).map((part) => `${decode(part)}/`).join('');
  const compiled = parts.slice(first).map((part): Part => (part === '**' ? 'AnyFolders' : compile(part, decode)));
  return {
    isPattern: true,
    folder,
    prefix: folder + decode(/^[^*?]*/.exec(parts[first] ?? '')?.[0] ?? ''),
    matches: (path) => path.startsWith(folder) && matchesParts(compiled, path.slice(folder.length).split('/')),
    mayHold: (below) => folder.startsWith(below) || (below.startsWith(folder) && mayGoOn(compiled, below.slice(folder.length, -1).split('/'))),
  };
}

function compile(part: string, decode: (text: string) => string): RegExp {
  const source = part.split(/([*?])/).map((piece) => (piece === '*' ? '[^/]*' : piece === '?' ? '[^/]' : escaped(decode(piece)))).join('');
  return new RegExp(`^${/^[*?]/.test(part) ? '(?!\\.)' : ''}${source}$`, 'su');
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');

const isVisible = (name: string): boolean => !name.startsWith('.');

function matchesParts(parts: readonly Part[], names: readonly string[]): boolean {
  const [part, ...rest] = parts;
  const [name, ...below] = names;
  if (part === undefined) return name === undefined;
  if (part === 'AnyFolders') return matchesParts(rest, names) || (name !== undefined && below.length > 0 && isVisible(name) && matchesParts(parts, below));
  return name !== undefined && part.test(name) && matchesParts(rest, below);
}

/** Whether names that go on from these can match. */
function mayGoOn(parts: readonly Part[], names: readonly string[]): boolean {
  const [part, ...rest] = parts;
  const [name, ...below] = names;
  if (name === undefined) return part !== undefined;
  if (part === undefined) return false;
  if (part === 'AnyFolders') return mayGoOn(rest, names) || (isVisible(name) && mayGoOn(parts, below));
  return part.test(name) && mayGoOn(rest, below);
}

/** Ascending by code unit, so that the order is the same on every machine and in every language. */
export const byCodeUnit = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
