/** What a model costs: its outputs for the judge, its bytes, and, apart from these, how long it takes. */
import { gzipSync } from 'node:zlib';
import type { Sample } from '../onnx/file.ts';
import { openSession } from '../onnx/session.ts';
import type { OnnxSession } from '../onnx/session.ts';

export interface Size {
  readonly bytes: number;
  /** As it crosses a network that compresses; zeros cost next to nothing here. */
  readonly gzipBytes: number;
}

/** Median milliseconds of one call, on one thread. Differs from machine to machine, so it must not get into a file with a digest. */
export interface Latency {
  readonly batch1Ms: number;
  readonly batch64Ms: number;
}

export const sizeOf = (file: Uint8Array): Size => ({ bytes: file.length, gzipBytes: gzipSync(file).length });

/** Opens the model for as long as the work takes. @param shape  of one row */
export async function withSession<T>(file: Uint8Array, shape: readonly number[], work: (session: OnnxSession) => Promise<T>): Promise<T> {
  const session = await openSession(file, shape, 1);
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

const batchRows = 64;

/** What a network gives for rows, one block after the other. */
export type OutputBlocks = AsyncIterable<Float32Array>;

/** Outputs for all rows of the sample. */
export async function* outputsOf(session: OnnxSession, { rows, features }: Sample): AsyncGenerator<Float32Array> {
  for (let from = 0; from < rows; from += batchRows) {
    const to = Math.min(rows, from + batchRows);
    yield await session.run(features.range(from, to), to - from);
  }
}

export async function joined(blocks: OutputBlocks): Promise<Float32Array> {
  const parts: Float32Array[] = [];
  for await (const block of blocks) parts.push(block);
  const outputs = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((at, part) => {
    outputs.set(part, at);
    return at + part.length;
  }, 0);
  return outputs;
}

const warmUps = 5;
const calls = 31;

/** @param now  milliseconds of a clock that never goes back */
export async function latencyOf(session: OnnxSession, sample: Sample, now: () => number): Promise<Latency> {
  return { batch1Ms: await medianOf(session, sample, 1, now), batch64Ms: await medianOf(session, sample, 64, now) };
}

async function medianOf(session: OnnxSession, { rows, features }: Sample, batch: number, now: () => number): Promise<number> {
  const chosen = Int32Array.from({ length: batch }, (_, place) => place % rows);
  const batchFeatures = features.gather(chosen);
  const took: number[] = [];
  for (let call = 0; call < warmUps + calls; call++) {
    const began = now();
    await session.run(batchFeatures, batch);
    if (call >= warmUps) took.push(now() - began);
  }
  return took.sort((a, b) => a - b)[calls >> 1] ?? NaN;
}
