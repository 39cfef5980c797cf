/** Keys with due times, the earliest first; each key once, with the earliest time that was asked for. */

interface Entry {
  readonly key: string;
  readonly due: number;
}

export class DelayHeap {
  readonly #entries: Entry[] = [];
  /** The time that counts for a key; an entry in the heap with another time is stale and skipped. */
  readonly #due = new Map<string, number>();

  get size(): number {
    return this.#due.size;
  }

  /** The earliest due time. */
  get next(): number | undefined {
    this.#dropStale();
    return this.#entries[0]?.due;
  }

  add(key: string, due: number): void {
    const held = this.#due.get(key);
    if (held !== undefined && held <= due) return;
    this.#due.set(key, due);
    this.#entries.push({ key, due });
    this.#rise(this.#entries.length - 1);
  }

  delete(key: string): void {
    this.#due.delete(key);
  }

  clear(): void {
    this.#due.clear();
    this.#entries.length = 0;
  }

  /** Takes out every key that is due, in order. */
  takeDue(now: number): string[] {
    const keys: string[] = [];
    for (;;) {
      this.#dropStale();
      const first = this.#entries[0];
      if (first === undefined || first.due > now) return keys;
      this.#pop();
      this.#due.delete(first.key);
      keys.push(first.key);
    }
  }

  #dropStale(): void {
    for (let first = this.#entries[0]; first !== undefined && this.#due.get(first.key) !== first.due; first = this.#entries[0]) this.#pop();
  }

  #pop(): void {
    const last = this.#entries.pop();
    if (last === undefined || this.#entries.length === 0) return;
    this.#entries[0] = last;
    this.#sink(0);
  }

  #rise(from: number): void {
    for (let child = from; child > 0; ) {
      const parent = (child - 1) >> 1;
      if (!this.#swapIfLater(parent, child)) return;
      child = parent;
    }
  }

  #sink(from: number): void {
    for (let parent = from; ; ) {
      const left = 2 * parent + 1;
      const child = this.#dueAt(left + 1) < this.#dueAt(left) ? left + 1 : left;
      if (!this.#swapIfLater(parent, child)) return;
      parent = child;
    }
  }

  #dueAt(position: number): number {
    return this.#entries[position]?.due ?? Infinity;
  }

  #swapIfLater(parent: number, child: number): boolean {
    const [a, b] = [this.#entries[parent], this.#entries[child]];
    if (a === undefined || b === undefined || a.due <= b.due) return false;
    this.#entries[parent] = b;
    this.#entries[child] = a;
    return true;
  }
}
