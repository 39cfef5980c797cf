/**
 * Checkpoints: everything that the next step depends on, to the bit. A folder each, written whole or not at all, and believed only
 * when its digests match, so that a torn or foreign one is passed over for the one before.
 */
import path from 'node:path';
import { canonicalJson, namesIn, readIfThere, removeFolder, sha256, writeFolder } from '../files.ts';
import type { LearnerState } from './learner.ts';
import type { Metrics, Tally } from './metrics.ts';
import type { PlateauState } from './schedule.ts';
import type { StoppingState } from './stopping.ts';

/** Where a run stands, between two steps. */
export interface RunState {
  /** Finished epochs. */
  readonly epoch: number;
  /** Rows of the current epoch that were learnt. */
  readonly position: number;
  /** Optimiser steps since the start of the whole run. */
  readonly step: number;
  /** Sums over those rows. */
  readonly tally: Tally;
  /** Metrics of each finished epoch. */
  readonly history: readonly Metrics[];
  readonly stopping: StoppingState;
  /** Where the learning rate waits for a plateau. */
  readonly plateau?: PlateauState;
  /** Weights of the best epoch, when early stopping restores them. */
  readonly best?: Float32Array;
}

export interface Checkpoint {
  readonly name: string;
  readonly state: RunState;
  readonly learner: LearnerState;
}

/** How much another job's checkpoint has to do with a run, for `restoreFrom`. */
export interface Kinship {
  /** Digest of data and spec without the number of epochs: equal ones may go on where the other stood. */
  readonly lineage: string;
  /** Digest of the network's layers: equal ones have weights of the same shapes. */
  readonly network: string;
}

export interface CheckpointStore {
  /** Folder with a folder for each checkpoint. */
  readonly folder: string;
  /** How many complete ones stay. */
  readonly keep: number;
  /** Digest of spec and data; a checkpoint of another run is never gone on from. */
  readonly runDigest: string;
  readonly kinship: Kinship;
  /** Threads that TensorFlow adds up with. */
  readonly threads: number;
}

/** Of what the vectors mean: 2 has weights in the order of the network's layers, and the optimiser's steps as its scalar. */
const formatVersion = 2;

interface Header {
  readonly formatVersion: number;
  readonly runDigest: string;
  readonly kinship: Kinship;
  readonly threads: number;
  readonly tensorsSha256: string;
  /** Lengths of the float32 vectors in tensors.bin, in order. */
  readonly tensors: readonly { readonly name: string; readonly length: number }[];
  readonly scalars: readonly number[];
  readonly state: Omit<RunState, 'best'>;
}

const namePattern = /^epoch-(\d{6,})(?:-step-(\d{9,}))?$/;

/** `epoch-000012`, and in the middle of the 13th epoch `epoch-000012-step-000000345`. */
export function checkpointName(state: Pick<RunState, 'epoch' | 'position' | 'step'>): string {
  const epoch = `epoch-${String(state.epoch).padStart(6, '0')}`;
  return state.position === 0 ? epoch : `${epoch}-step-${String(state.step).padStart(9, '0')}`;
}

/** Writes one, then removes those beyond `keep`. @throws the system's error; earlier checkpoints are then untouched */
export function writeCheckpoint(store: CheckpointStore, state: RunState, learner: LearnerState): string {
  const { best, ...plain } = state;
  const vectors = [
    { name: 'weights', values: learner.weights },
    ...learner.optimizer.slots.map((values, index) => ({ name: `slot-${index}`, values })),
    ...(best === undefined ? [] : [{ name: 'best', values: best }]),
  ];
  const tensors = Buffer.concat(vectors.map(({ values }) => Buffer.from(values.buffer, values.byteOffset, values.byteLength)));
  const header: Header = {
    formatVersion,
    runDigest: store.runDigest,
    kinship: store.kinship,
    threads: store.threads,
    tensorsSha256: sha256(tensors),
    tensors: vectors.map(({ name, values }) => ({ name, length: values.length })),
    scalars: learner.optimizer.scalars,
    state: plain,
  };
  const name = checkpointName(state);
  writeFolder(store.folder, name, { 'tensors.bin': tensors, 'checkpoint.json': JSON.stringify({ sha256: sha256(canonicalJson(header)), header }) });
  // Those of another run do not count: of a job of this name that went further, they would push out our own.
  const kept = new Set(ownNewestFirst(store).slice(0, store.keep));
  for (const old of newestFirst(store.folder)) if (!kept.has(old)) removeFolder(store.folder, old);
  return name;
}

/** When nothing is to be gone on with any more. */
export function removeCheckpoints(store: CheckpointStore): void {
  for (const name of ownNewestFirst(store)) removeFolder(store.folder, name);
}

const ownNewestFirst = (store: CheckpointStore): string[] => newestFirst(store.folder).filter((name) => headerIn(store.folder, name)?.runDigest === store.runDigest);

/** The newest checkpoint of this run that is complete; `passedOver` is told of the others. */
export function readNewest(store: CheckpointStore, passedOver: (name: string, why: string) => void): Checkpoint | undefined {
  for (const name of newestFirst(store.folder)) {
    const read = readCheckpoint(store, name);
    if (typeof read !== 'string') return read;
    passedOver(name, read);
  }
  return undefined;
}

/**
 * Threads of the newest checkpoint. Sums are rounded by how they are shared out, so a run that goes on with another number
 * would end with other weights; it may come back on a node of another size.
 */
export function threadsOfNewest(folder: string): number | undefined {
  for (const name of newestFirst(folder)) {
    const header = headerIn(folder, name);
    if (header !== undefined) return header.threads;
  }
  return undefined;
}

/** Digest of the run that a checkpoint is of; undefined when it cannot be read. */
export function runDigestOf(folder: string, name: string): string | undefined {
  return headerIn(folder, name)?.runDigest;
}

export const isCheckpointName = (name: string): boolean => namePattern.test(name);

const newestFirst = (folder: string): string[] => byNewest(namesIn(folder).filter(isCheckpointName));

/** Names of checkpoints, the furthest run first. */
export function byNewest(names: readonly string[]): string[] {
  const place = (name: string): [number, number] => {
    const [, epoch = '0', step = '0'] = namePattern.exec(name) ?? [];
    return [Number(epoch), Number(step)];
  };
  return names.toSorted((a, b) => {
    const [[epochA, stepA], [epochB, stepB]] = [place(a), place(b)];
    return epochB - epochA || stepB - stepA;
  });
}

/** The checkpoint, or why it cannot be used. */
function readCheckpoint(store: CheckpointStore, name: string): Checkpoint | string {
  const read = readAny(store.folder, name);
  if (typeof read === 'string') return read;
  return read.runDigest === store.runDigest ? read : 'it is of another spec or other data';
}

/** A checkpoint of whatever run, or why it cannot be used. */
export function readAny(folder: string, name: string): (Checkpoint & Pick<Header, 'runDigest' | 'kinship'>) | string {
  const json = readIfThere(path.join(folder, name, 'checkpoint.json'));
  const tensors = readIfThere(path.join(folder, name, 'tensors.bin'));
  if (json === undefined || tensors === undefined) return 'a file is missing';
  const header = headerOf(json);
  if (header === undefined) return 'checkpoint.json is damaged';
  if (header.formatVersion !== formatVersion) return 'it was written by another version of the trainer';
  if (header.tensorsSha256 !== sha256(tensors)) return 'tensors.bin is damaged';
  const vectors = vectorsOf(header, tensors);
  const [weights, ...rest] = vectors.filter(({ name: vector }) => vector !== 'best').map(({ values }) => values);
  if (weights === undefined) return 'it holds no weights';
  const best = vectors.find(({ name: vector }) => vector === 'best')?.values;
  return {
    name,
    runDigest: header.runDigest,
    kinship: header.kinship,
    state: { ...header.state, ...(best === undefined ? {} : { best }) },
    learner: { weights, optimizer: { slots: rest, scalars: header.scalars } },
  };
}

function headerIn(folder: string, name: string): Header | undefined {
  const json = readIfThere(path.join(folder, name, 'checkpoint.json'));
  return json === undefined ? undefined : headerOf(json);
}

function headerOf(json: Buffer): Header | undefined {
  try {
    const { sha256: digest, header } = JSON.parse(json.toString()) as { sha256: string; header: Header };
    return digest === sha256(canonicalJson(header)) ? header : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}

function vectorsOf(header: Header, tensors: Buffer): { name: string; values: Float32Array }[] {
  let at = 0;
  return header.tensors.map(({ name, length }) => {
    const bytes = Uint8Array.from(tensors.subarray(at, at + 4 * length));
    at += 4 * length;
    return { name, values: new Float32Array(bytes.buffer) };
  });
}
