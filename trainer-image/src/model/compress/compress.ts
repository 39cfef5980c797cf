/** A model in fewer bytes, if it costs no more than what was allowed for it. */
import { AnnealError } from '../../errors.ts';
import type { Sample } from '../onnx/file.ts';
import { encodeModel } from '../onnx/proto.ts';
import type { OnnxModel } from '../onnx/proto.ts';
import { latencyOf, outputsOf, sizeOf, withSession } from './measure.ts';
import type { Latency, OutputBlocks, Size } from './measure.ts';
import { prune } from './prune.ts';
import type { Pruning } from './prune.ts';
import { quantize } from './quantize.ts';
import type { Precision } from './quantize.ts';
import { sparsityOf } from './weights.ts';

/** `compress` of the spec. */
export interface CompressionSpec {
  readonly quantize?: Precision;
  readonly prune?: Omit<Pruning, 'scope'> & Partial<Pick<Pruning, 'scope'>>;
  /** By how much the metric may get worse, in its own unit. */
  readonly maxLoss?: { readonly metric: string; readonly by: number };
}

/** Says how good outputs are. */
export interface Judge {
  /** As maxLoss names it. */
  readonly metric: string;
  readonly isLargerBetter: boolean;
  /** @param outputs  rows × outputs of the network for the sample's rows, in their order */
  readonly of: (outputs: OutputBlocks) => Promise<number>;
}

export interface CompressionRequest {
  readonly model: OnnxModel;
  /** Of one row. */
  readonly shape: readonly number[];
  /** Rows that the judge knows the truth of. */
  readonly sample: Sample;
  readonly judge: Judge;
  readonly spec: CompressionSpec;
}

interface BeforeAfter<T> {
  readonly before: T;
  readonly after: T;
}

/** Equal for equal models, so that it may stand in files with a digest. */
export interface CompressionReport {
  readonly spec: CompressionSpec;
  readonly metric: string;
  readonly value: BeforeAfter<number>;
  readonly size: BeforeAfter<Size>;
  /** Share of weights that are zero. */
  readonly sparsity: BeforeAfter<number>;
}

export interface Compressed {
  readonly model: OnnxModel;
  readonly file: Uint8Array;
  readonly report: CompressionReport;
  /** For logs and results only. */
  readonly latency: BeforeAfter<Latency>;
}

/**
 * Prunes, then quantises, and measures both models on the sample.
 * @param now  milliseconds of a clock that never goes back
 * @throws AnnealError `COMPRESSION_LOSS` where the metric gets worse by more than maxLoss allows
 */
export async function compress({ model, shape, sample, judge, spec }: CompressionRequest, now: () => number): Promise<Compressed> {
  const pruned = spec.prune === undefined ? model : prune(model, { scope: 'Global', ...spec.prune });
  const small = spec.quantize === undefined ? pruned : quantize(pruned, spec.quantize);
  const [file, original] = [encodeModel(small), encodeModel(model)];
  const measured = async (bytes: Uint8Array): Promise<{ value: number; latency: Latency }> => withSession(bytes, shape, async (session) => ({
    value: await judge.of(outputsOf(session, sample)),
    latency: await latencyOf(session, sample, now),
  }));
  const before = await measured(original);
  const after = await measured(file);
  requireLittleLoss(before.value, after.value, sample.rows, judge, spec);
  return {
    model: small,
    file,
    report: {
      spec,
      metric: judge.metric,
      value: { before: before.value, after: after.value },
      size: { before: sizeOf(original), after: sizeOf(file) },
      sparsity: { before: sparsityOf(model), after: sparsityOf(small) },
    },
    latency: { before: before.latency, after: after.latency },
  };
}

function requireLittleLoss(before: number, after: number, rows: number, { metric, isLargerBetter }: Judge, { maxLoss, quantize: precision, prune: pruning }: CompressionSpec): void {
  if (maxLoss === undefined) return;
  const loss = isLargerBetter ? before - after : after - before;
  // Written so that a metric that is no number is too bad.
  if (loss <= maxLoss.by) return;
  const how = [...(precision === undefined ? [] : [`quantised to ${precision}`]), ...(pruning === undefined ? [] : [`pruned to a sparsity of ${pruning.sparsity}`])].join(' and ');
  throw new AnnealError('COMPRESSION_LOSS', {
    at: 'spec.trainer.compress',
    message: `The model ${how} has ${metric} ${rounded(after)} on ${rows} rows, ${rounded(loss)} worse than the ${rounded(before)} it had, and maxLoss allows ${maxLoss.by}. ${advice(precision, pruning !== undefined)}, or allow more in maxLoss.by.`,
  });
}

const rounded = (value: number): string => String(Number(value.toPrecision(4)));

function advice(precision: Precision | undefined, isPruned: boolean): string {
  if (isPruned) return 'Prune less';
  return precision === 'Int8' ? 'Write quantize: Float16' : 'Leave compress out';
}
