/** Streams that stand one behind the other. */
import { pipeline } from 'node:stream';
import type { Duplex, Readable } from 'node:stream';

/** An error of `from` is one of `to`, and whoever reads that gets it: also one that came before they began, which would otherwise end the process. */
export const chain = (from: Readable, to: Duplex): Duplex => pipeline(from, to, () => undefined);
