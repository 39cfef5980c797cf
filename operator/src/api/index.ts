/**
 * The contract of the product: the types of the three kinds, generated from crds/, and what operator and trainer say to
 * each other. At the bottom of the import order; the trainer image may import this folder and no other.
 */
export * from './conditions.ts';
export type * from './generated/types.ts';
export type { Trainer as TrainerSpec } from './generated/types.ts';
export * from './labels.ts';
export type * from './metadata.ts';
export * from './names.ts';
export * from './text.ts';
export * from './time.ts';
export * from './trainer-protocol.ts';
