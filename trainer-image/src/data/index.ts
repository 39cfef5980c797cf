/** Data: from a uri to float32 rows for the network, with the preprocessing that serving repeats. Exports what training and serving use. */
export { readCsv } from './csv.ts';
export { prepare, preprocess } from './prepare.ts';
export type { Part, Prepared, Preprocessing } from './prepare.ts';
export { derivedSeed, random, shuffle } from './random.ts';
export { openSource } from './source.ts';
export type { LocalFile, SourcePlaces } from './source.ts';
export type { Column, Table } from './table.ts';
export type { TargetCoding, Task } from './target.ts';
