/** Files of any supported format become `Rows`: read once into a table by columns, which later runs find again in a cache. */
export { openRows } from './open.ts';
export type { FileOptions, Resources } from './open.ts';
export { isSelected } from './scan.ts';
export type { Selection } from './scan.ts';
export type { OpenRows } from './stored-rows.ts';
