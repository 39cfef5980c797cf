/** Splits a stream of bytes into lines, copying none that arrive whole in one chunk. */

const newline = 0x0a;
/** Ten times the largest object that etcd stores: what is longer is no watch event. */
const longestLine = 16 * 2 ** 20;

export class LineTooLongError extends Error {
  override readonly name = 'LineTooLongError';
}

export class LineSplitter {
  readonly #partial: Buffer[] = [];
  #partialBytes = 0;

  /** The lines that this chunk completes, without their newline. Throws `LineTooLongError`. */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      lines.push(this.#partialBytes === 0 ? chunk.toString('utf8', start, end) : this.#join(chunk.subarray(start, end)));
      start = end + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
    return lines;
  }

  /** True when the last line has not ended. */
  get hasPartial(): boolean {
    return this.#partialBytes > 0;
  }

  #join(last: Buffer): string {
    const line = Buffer.concat([...this.#partial, last]).toString('utf8');
    this.#partial.length = 0;
    this.#partialBytes = 0;
    return line;
  }

  #keep(rest: Buffer): void {
    this.#partialBytes += rest.length;
    if (this.#partialBytes > longestLine) throw new LineTooLongError(`A line of a watch is longer than ${longestLine} bytes`);
    this.#partial.push(rest);
  }
}
