/**
 * Reads a manifest and remembers what was read. Whatever nobody asked for is reported, so a field can be forgotten here, but never
 * in silence.
 */
import type { Json } from './json.ts';
import { join, leavesOf, plain, childrenOf, type Node, type Scalar } from './node.ts';
import { ConvertError, type Note } from './note.ts';

/** What is known so far about the fields of one conversion. */
export class Ledger {
  readonly #seen = new Set<Node>();
  readonly #opened = new Set<Node>();
  readonly #notes: Note[] = [];

  see(node: Node): void {
    for (const leaf of leavesOf(node)) this.#seen.add(leaf);
  }

  /** Its fields were asked for, so it is known, even if none of them is. */
  open(node: Node): void {
    this.#opened.add(node);
    if (childrenOf(node).length === 0) this.#seen.add(node);
  }

  note(note: Note): void {
    if (!this.#notes.some(({ path, why }) => path === note.path && why === note.why)) this.#notes.push(note);
  }

  /** The notes, with one for each field of these documents that nobody read. */
  report(documents: readonly Node[]): readonly Note[] {
    return [...this.#notes, ...documents.flatMap((document) => this.#unread(document)).map(unknownField)];
  }

  /** The largest parts of which nothing was read. */
  #unread(node: Node): readonly string[] {
    const leaves = leavesOf(node);
    if (leaves.every((leaf) => this.#seen.has(leaf))) return [];
    if (!this.#opened.has(node) && leaves.every((leaf) => !this.#seen.has(leaf))) return [node.path];
    return childrenOf(node).flatMap((child) => this.#unread(child));
  }
}

function unknownField(path: string): Note {
  return { kind: 'Lost', path, why: 'The converter does not know this field.', instead: 'If it matters, look for what does the same in `kubectl explain trainingjob.spec`.' };
}

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** One value of a manifest. What is taken, lost or ignored counts as read; what is only looked at does not. */
export class Reader {
  readonly node: Node;
  readonly #ledger: Ledger;

  constructor(node: Node, ledger: Ledger) {
    this.node = node;
    this.#ledger = ledger;
  }

  get path(): string {
    return this.node.path;
  }

  get ledger(): Ledger {
    return this.#ledger;
  }

  /** The fields, of a value that must be a mapping. */
  entries(): readonly (readonly [string, Reader])[] {
    if (this.node.kind !== 'mapping') this.fail('must be a map of fields.');
    this.#ledger.open(this.node);
    return [...this.node.fields].map(([name, field]) => [name, new Reader(field, this.#ledger)]);
  }

  items(): readonly Reader[] {
    if (this.node.kind !== 'sequence') this.fail('must be a list.');
    this.#ledger.open(this.node);
    return this.node.items.map((item) => new Reader(item, this.#ledger));
  }

  at(name: string): Reader | undefined {
    return this.entries().find(([field]) => field === name)?.[1];
  }

  /** A field that must be there. */
  need(name: string, example: string): Reader {
    return this.at(name) ?? fail(join(this.path, name), `is missing; write for example ${example}.`);
  }

  take(): Json {
    this.#ledger.see(this.node);
    return plain(this.node);
  }

  text(name: string): string | undefined {
    const value = this.at(name)?.scalar();
    if (value === undefined || typeof value === 'string') return value;
    return fail(join(this.path, name), `is ${value}; write a text, in quotes where it looks like something else.`);
  }

  /** One of some words; an empty text counts as left out, as for the operators that these manifests were written for. */
  choice<Word extends string>(name: string, words: readonly Word[]): Word | undefined {
    const value = this.text(name);
    if (value === undefined || value === '') return undefined;
    return words.find((word) => word === value) ?? fail(join(this.path, name), `is "${value}"; write one of ${words.join(', ')}.`);
  }

  whole(name: string, { min, max }: Range): number | undefined {
    const value = this.at(name)?.scalar();
    if (value === undefined) return undefined;
    if (typeof value !== 'number' || !Number.isInteger(value)) return fail(join(this.path, name), `is ${JSON.stringify(value)}; write a whole number.`);
    return value < min || value > max ? fail(join(this.path, name), `is ${value}; a TrainingJob takes ${min} to ${max}.`) : value;
  }

  flag(name: string): boolean | undefined {
    const value = this.at(name)?.scalar();
    if (value === undefined || typeof value === 'boolean') return value;
    return fail(join(this.path, name), `is ${JSON.stringify(value)}; write true or false.`);
  }

  scalar(): Scalar {
    if (this.node.kind !== 'scalar') this.fail('must be a single value.');
    this.#ledger.see(this.node);
    return this.node.value;
  }

  /** Counts fields as read that say nothing about what is trained. */
  ignore(...names: readonly string[]): void {
    for (const [name, field] of this.entries()) if (names.includes(name)) this.#ledger.see(field.node);
  }

  ignoreAll(): void {
    this.#ledger.see(this.node);
  }

  lose(why: string, instead: string): void {
    this.#ledger.see(this.node);
    this.#ledger.note({ kind: 'Lost', path: this.path, why, instead });
  }

  loseField(name: string, why: string, instead: string): void {
    this.at(name)?.lose(why, instead);
  }

  /** Says that the value is kept and means something else now. */
  remark(why: string, instead: string, name?: string): void {
    this.#ledger.note({ kind: 'Changed', path: name === undefined ? this.path : join(this.path, name), why, instead });
  }

  /** Says that a value is kept and does nothing any more. */
  warn(path: string, why: string, instead: string): void {
    this.#ledger.note({ kind: 'Lost', path, why, instead });
  }

  fail(message: string): never {
    return fail(this.path, message);
  }
}

function fail(path: string, message: string): never {
  throw new ConvertError(path, message);
}
