/** The texts of one column in one block by themselves, where there are too many different ones for codes. */

export class PlainTexts {
  rows = 0;
  /** Bytes of each row's text; -1 is a missing value. */
  lengths = new Int32Array(1024);
  bytes = new Uint8Array(16_384);
  used = 0;

  /** Bytes from, …, to - 1 as the text of the next row. */
  push(bytes: Uint8Array, from: number, to: number): void {
    const used = this.used + to - from;
    if (used > this.bytes.length) {
      const larger = new Uint8Array(Math.max(used, this.bytes.length * 2));
      larger.set(this.bytes.subarray(0, this.used));
      this.bytes = larger;
    }
    for (let at = from, held = this.used; at < to; at++, held++) this.bytes[held] = bytes[at] ?? 0;
    this.used = used;
    this.#pushLength(to - from);
  }

  pushMissing(): void {
    this.#pushLength(-1);
  }

  clear(): void {
    this.rows = 0;
    this.used = 0;
  }

  #pushLength(length: number): void {
    if (this.rows === this.lengths.length) {
      const larger = new Int32Array(this.rows * 2);
      larger.set(this.lengths);
      this.lengths = larger;
    }
    this.lengths[this.rows++] = length;
  }
}
