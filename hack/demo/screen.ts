/** What the demo draws in the terminal: headings, a live line, loss curves, a confusion matrix. */

const bold = (text: string): string => (process.stdout.isTTY ? `\u001B[1m${text}\u001B[0m` : text);

export function heading(text: string): void {
  console.log(`\n${bold(text)}`);
}

/** Elsewhere than on a terminal, a line that changes is printed this often at most. */
const quietMs = 5000;

/** A line that replaces itself on a terminal. */
export class LiveLine {
  #last = '';
  #printed = '';
  #printedAt = -Infinity;

  show(text: string): void {
    if (text === this.#last) return;
    this.#last = text;
    if (process.stdout.isTTY) process.stdout.write(`\r\u001B[2K  ${text}`);
    else if (performance.now() - this.#printedAt >= quietMs) this.#print();
  }

  end(): void {
    if (process.stdout.isTTY) process.stdout.write('\n');
    else if (this.#last !== this.#printed) this.#print();
  }

  #print(): void {
    console.log(`  ${this.#last}`);
    this.#printed = this.#last;
    this.#printedAt = performance.now();
  }
}

export function bar(share: number, width = 24): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * width);
  return `${'█'.repeat(full)}${'░'.repeat(width - full)}`;
}

export interface Series {
  readonly name: string;
  readonly mark: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** Curves on a grid of characters, the logarithm of y upwards, since a loss falls by orders of magnitude. */
export function curves(series: readonly Series[], width = 60, height = 10): string {
  const points = series.flatMap(({ points }) => points).filter(([, y]) => y > 0);
  if (new Set(points.map(([x]) => x)).size < 3) return '';
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => Math.log10(y));
  const [left, right, low, high] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const grid = Array.from({ length: height }, () => Array.from({ length: width }, () => ' '));
  for (const { mark, points: own } of series) {
    for (const [x, y] of own) {
      if (y <= 0) continue;
      const column = Math.round(((x - left) / Math.max(1, right - left)) * (width - 1));
      const row = Math.round(((high - Math.log10(y)) / Math.max(1e-9, high - low)) * (height - 1));
      const line = grid[row];
      if (line !== undefined) line[column] = mark;
    }
  }
  const label = (row: number): string => (10 ** (high - ((high - low) * row) / (height - 1))).toPrecision(2).padStart(8);
  const lines = grid.map((line, row) => `  ${row % 3 === 0 ? label(row) : ' '.repeat(8)} │${line.join('')}`);
  const legend = series.map(({ name, mark }) => `${mark} ${name}`).join('   ');
  return [...lines, `  ${' '.repeat(8)} └${'─'.repeat(width)}`, `  ${' '.repeat(9)} epoch ${left} to ${right}   ${legend}`].join('\n');
}

/** Rows are what was there, columns what was said. */
export function confusion(classes: readonly string[], pairs: readonly (readonly [truth: string, said: string])[]): string {
  const count = (truth: string, said: string): number => pairs.filter(([a, b]) => a === truth && b === said).length;
  const cell = (text: string): string => text.padStart(4);
  const rows = classes.map((truth) => `  ${cell(truth)} │${classes.map((said) => cell(count(truth, said) === 0 ? '·' : String(count(truth, said)))).join('')}`);
  return [`  true │${classes.map(cell).join('')}  predicted`, `  ─────┼${'─'.repeat(4 * classes.length)}`, ...rows].join('\n');
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}
