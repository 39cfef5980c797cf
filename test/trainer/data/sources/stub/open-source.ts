/** A process of its own that opens a source: `open-source.ts URI CACHE`. Prints the digest and waits to be ended. */
import { openSource } from '../../../../../trainer-image/src/data/source.ts';

const [uri = '', cache = ''] = process.argv.slice(2);
await using source = await openSource({ uri, maxBytes: 1024 ** 3, format: 'CSV', csv: { header: 'Present' } }, { mounted: undefined, cache, environment: {}, now: Date.now }, new AbortController().signal, () => undefined);
process.stdout.write(`${source.sha256}\n`);
