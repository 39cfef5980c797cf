/** How a file of delimited text is written, down to its bytes. */

/** What ends a row, as the first line break outside of quotes tells. Others are then part of a value. */
export type RowEnd = 'LineFeed' | 'CarriageReturnLineFeed' | 'CarriageReturn';

export const lineFeed = 10;
export const carriageReturn = 13;
export const quote = 34;

export interface Dialect {
  /** UTF-8 of the one character between two values. */
  readonly delimiter: Uint8Array;
  readonly rowEnd: RowEnd;
}

export const rowEndBytes: Readonly<Record<RowEnd, Uint8Array>> = {
  LineFeed: Uint8Array.of(lineFeed),
  CarriageReturnLineFeed: Uint8Array.of(carriageReturn, lineFeed),
  CarriageReturn: Uint8Array.of(carriageReturn),
};

/** What is wrong with bytes that were to be rows. `at` is where it begins, in bytes from the start of the block. */
export type Fault =
  | { readonly kind: 'Ragged'; readonly at: number; readonly has: number }
  | { readonly kind: 'QuoteInValue' | 'TextAfterQuote' | 'QuoteNotClosed' | 'RowTooLong' | 'NotUtf8'; readonly at: number }
  | { readonly kind: 'NotJson' | 'NotObject'; readonly at: number }
  | { readonly kind: 'Nested' | 'KeyTwice' | 'KeyEmpty'; readonly at: number; readonly key: string };

/** Rows end at it. A program's way to say it to itself; a person reads an `AnnealError` with a line. */
export class FaultError extends Error {
  readonly fault: Fault;
  constructor(fault: Fault) {
    super(fault.kind);
    this.fault = fault;
  }
}
