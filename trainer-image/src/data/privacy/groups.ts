/**
 * Whether a row hides among others. Rows that are alike in their quasi-identifiers are a group. k-anonymity (Sweeney, 2002): each group has at
 * least k rows. l-diversity (Machanavajjhala et al., 2007, sections 4.1 and 4.2): each group has at least l different sensitive values,
 * or an entropy of them of at least ln l. A missing value is a value like any other. Only hashes are held, in passes over the data.
 */
import { RowHasher, hashWords } from '../rowhash/hash.ts';
import { Counts, Keys, inParts, mostKeys } from '../rowhash/keys.ts';
import type { KeyPart } from '../rowhash/keys.ts';
import { hashedBlocks } from '../rowhash/repeats.ts';
import type { Rows } from '../rows.ts';

export interface Exposed {
  /** 1 for each row whose group is too small, or too uniform. */
  readonly mask: Uint8Array;
  readonly rows: number;
  readonly groups: number;
  /** Rows, or different values, of the smallest group, also where none is too small; exp(entropy) where that is asked for. */
  readonly smallest: number;
}

/** Groups of fewer than k rows. @param names  quasi-identifiers */
export function smallGroups(source: Rows, names: readonly string[], k: number, most = mostKeys): Promise<Exposed> {
  return exposed(source, names, names, most, k, async (part) => {
    const keys = new Keys(part.most);
    const counts = new Counts();
    for await (const { hashes, table } of hashedBlocks(source, names)) {
      for (let row = 0; row < table.rows; row++) if (part.holds(hashes, row * hashWords)) counts.add(keys.add(hashes, row * hashWords));
    }
    return { keys, sizeOf: (key) => counts.of(key) };
  });
}

/** Groups with fewer than l values of a sensitive column. */
export function uniformGroups(source: Rows, names: readonly string[], sensitive: string, l: number, method: 'Distinct' | 'Entropy', most = mostKeys): Promise<Exposed> {
  const all = [...new Set([...names, sensitive])];
  // Rounding must not make l equally frequent values fewer than l.
  const least = method === 'Entropy' ? l * (1 - 1e-9) : l;
  return exposed(source, all, names, most, least, async (part, hasher) => {
    const [groups, pairs] = [new Keys(part.most), new Keys(part.most)];
    const [rows, distinct, pairRows] = [new Counts(), new Counts(), new Counts()];
    const owners: number[] = [];
    for await (const { table, hashes } of hashedBlocks(source, all)) {
      const alike = hasher(table.columns, table.rows);
      for (let row = 0; row < table.rows; row++) {
        const at = row * hashWords;
        if (!part.holds(alike, at)) continue;
        const [group, pair] = [groups.add(alike, at), pairs.add(hashes, at)];
        rows.add(group);
        if (pairRows.add(pair) > 1) continue;
        distinct.add(group);
        if (method === 'Entropy') owners.push(group);
      }
    }
    if (method === 'Distinct') return { keys: groups, sizeOf: (key) => distinct.of(key) };
    const sums = new Float64Array(groups.size);
    owners.forEach((group, pair) => (sums[group] = (sums[group] ?? 0) + pairRows.of(pair) * Math.log(pairRows.of(pair))));
    return { keys: groups, sizeOf: (key) => Math.exp(Math.log(rows.of(key)) - (sums[key] ?? 0) / rows.of(key)) };
  });
}

type Hash = (columns: Parameters<RowHasher['hash']>[0], rows: number) => Int32Array;

interface Sizes {
  readonly keys: Keys;
  readonly sizeOf: (key: number) => number;
}

/** Sizes of groups in one pass, and their rows in another. @param read  columns that are brought. @param names  those that make a group */
async function exposed(source: Rows, read: readonly string[], names: readonly string[], most: number, least: number, measure: (part: KeyPart, alike: Hash) => Promise<Sizes>): Promise<Exposed> {
  const hasher = new RowHasher();
  const alike: Hash = (columns, rows) => hasher.hash(names.flatMap((name) => columns.filter((column) => column.name === name)), rows);
  const mask = new Uint8Array(source.rows);
  const found = await inParts(source.rows, most, async (part) => {
    const { keys, sizeOf } = await measure(part, alike);
    let [rows, groups, smallest] = [0, 0, Infinity];
    for (let key = 0; key < keys.size; key++) {
      smallest = Math.min(smallest, sizeOf(key));
      if (sizeOf(key) < least) groups++;
    }
    if (groups === 0) return { rows, groups, smallest };
    for await (const { hashes, table, from } of hashedBlocks(source, names)) {
      for (let row = 0; row < table.rows; row++) {
        const key = keys.find(hashes, row * hashWords);
        if (key < 0 || sizeOf(key) >= least) continue;
        mask[from + row] = 1;
        rows++;
      }
    }
    return { rows, groups, smallest };
  });
  return found.reduce<Exposed>((sum, each) => ({ mask, rows: sum.rows + each.rows, groups: sum.groups + each.groups, smallest: Math.min(sum.smallest, each.smallest) }), { mask, rows: 0, groups: 0, smallest: Infinity });
}
