/** A loaded model as a function from raw rows to named outputs. */
import { rowErrors } from '../data/anomalies.ts';
import { preprocess } from '../data/prepare.ts';
import { changeTable, openSteps, readKey } from '../data/privacy/index.ts';
import type { Preprocessing } from '../data/prepare.ts';
import type { Table } from '../data/table.ts';
import { decide } from '../evaluate/thresholds.ts';
import { AnnealError } from '../errors.ts';
import { readModel } from '../model/directory.ts';
import type { Engine, Manifest, TensorSignature } from '../model/directory.ts';
import { openEngine } from './engine.ts';
import { sizeOf } from '../shape.ts';

export interface OutputTensor {
  readonly name: string;
  readonly datatype: TensorSignature['datatype'];
  readonly shape: readonly number[];
  readonly data: readonly (number | string | boolean)[];
}

export interface Predictor {
  readonly manifest: Manifest;
  readonly digest: string;
  /** Head of the digest: what a response calls the model's version. */
  readonly version: string;
  readonly preprocessing: Preprocessing;
  readonly engine: Engine;
  /** @throws AnnealError `DATA_…` for a row that the preprocessing or the network cannot take */
  predict(table: Table): Promise<OutputTensor[]>;
}

/** Rows that go through the network at once; bounds memory and the time that the event loop waits. */
const batchRows = 1024;

/**
 * Verifies, loads, and runs the network once, so that the first request is not the slow one.
 * @param threads  that may compute at once. @param pseudonymKey  file with the key, for a model that knows its rows by pseudonyms
 * @throws AnnealError `MODEL_INVALID`, `PRIVACY_KEY`
 */
export async function loadPredictor(directory: string, threads: number, pseudonymKey?: string): Promise<Predictor> {
  const model = readModel(directory);
  const { manifest, digest, preprocessing } = model;
  const changes = openSteps(preprocessing.privacy ?? [], pseudonymKey === undefined ? undefined : readKey(pseudonymKey));
  const width = sizeOf(preprocessing.shape);
  const engine = await openEngine(model, threads);
  for (const rows of [1, 64]) await engine.run(new Float32Array(rows * width), rows);

  const prepared = (table: Table): Promise<Float32Array> => preprocess(preprocessing, changeTable(changes, table));
  const run = async (features: Float32Array, { rows: all }: Table): Promise<Float32Array> => {
    const parts: Float32Array[] = [];
    for (let from = 0; from < all; from += batchRows) {
      const rows = Math.min(batchRows, all - from);
      const outputs = await engine.run(features.subarray(from * width, (from + rows) * width), rows);
      requireFinite(outputs, rows, from);
      parts.push(outputs);
    }
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : joined(parts);
  };
  return {
    manifest, digest, preprocessing,
    engine: engine.name,
    version: digest.replace('sha256:', '').slice(0, 12),
    predict: async (table) => {
      const features = await prepared(table);
      return answers(preprocessing, table.rows, features, await run(features, table));
    },
  };
}

/** Float32 overflows within a network far from what it learnt from; no class and no number is an answer to that. @param first  place of the first row in the request */
function requireFinite(outputs: Float32Array, rows: number, first: number): void {
  const place = outputs.findIndex((output) => !Number.isFinite(output));
  if (place >= 0) throw new AnnealError('DATA_OUT_OF_RANGE', { message: `The network has no answer for row ${first + Math.floor((place * rows) / outputs.length) + 1}, since its values are too large to compute with.` });
}

/** @param outputs  of the network for these features */
function answers({ target, shape, thresholds = [], anomaly }: Preprocessing, rows: number, features: Float32Array, outputs: Float32Array): OutputTensor[] {
  switch (target.task) {
    case 'Classification': {
      const { classes } = target;
      const places = decide({ classes, probabilities: outputs }, thresholds);
      return [
        { name: 'label', datatype: 'BYTES', shape: [rows], data: Array.from(places, (place) => classes[place] ?? '') },
        { name: 'probabilities', datatype: 'FP32', shape: [rows, classes.length], data: Array.from(outputs) },
      ];
    }
    case 'Regression': return [{ name: 'prediction', datatype: 'FP64', shape: [rows], data: Array.from(outputs, (value) => value * target.scale + target.mean) }];
    case 'Reconstruction': {
      if (anomaly === undefined) throw new AnnealError('MODEL_INVALID', { at: 'preprocessing.json', message: 'The model cannot be used: preprocessing.json has no threshold of anomalies. Train again.' });
      const scores = rowErrors(anomaly.error, features, outputs, sizeOf(shape));
      return [
        { name: 'score', datatype: 'FP64', shape: [rows], data: Array.from(scores) },
        { name: 'anomaly', datatype: 'BOOL', shape: [rows], data: Array.from(scores, (score) => score > anomaly.threshold) },
      ];
    }
  }
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
