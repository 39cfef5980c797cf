/**
 * Everything that a run can say went wrong. The table is the source of the list in docs/trainer.md; a test keeps them equal.
 * `Spec` errors are the manifest's, `Data` errors the file's: both need the user, so a restart would not help. `Run` errors may pass.
 */
export const errorCodes = {
  COMMAND_INVALID: ['Spec', 'A flag of anneal-train, or the file or folder that it names, cannot be used.'],
  SPEC_INVALID: ['Spec', 'The trainer got no spec, one that is not JSON, or a manifest that an API server would refuse.'],
  SPEC_TASK_MISMATCH: ['Spec', 'A field does not go with the task: a metric, or a target that is not a number in a regression.'],
  SPEC_SHAPE_MISMATCH: ['Spec', 'features.shape does not hold as many values as a row has after the pipeline, or is too small for the network.'],
  SPEC_COLUMN_MISSING: ['Spec', 'The spec names a column that the data does not have.'],
  SPEC_COLUMN_KIND: ['Spec', 'A step names a column of the wrong kind, for example scales text.'],
  SPEC_EXPRESSION: ['Spec', 'The expression of a derive step cannot be computed from the columns of one row alone.'],
  SPEC_SOURCE: ['Spec', 'The uri cannot be read by this container.'],
  SPEC_CONFLICT: ['Spec', 'Two parts of the spec contradict each other.'],
  COMPRESSION_LOSS: ['Spec', 'The compressed model is worse than compress.maxLoss allows.'],
  ACCELERATOR_UNUSED: ['Spec', 'An accelerator was asked for and TensorFlow does not use it.'],
  DATA_DOWNLOAD: ['Run', 'The file could not be downloaded, after retries.'],
  DATA_REFUSED: ['Data', 'The server refused the download, for example 403 or 404.'],
  DATA_NOT_FOUND: ['Data', 'The file is not where the uri says.'],
  DATA_TOO_LARGE: ['Data', 'The file is larger than source.maxBytes.'],
  DATA_CHECKSUM: ['Data', 'The file is not the one that source.sha256 names.'],
  DATA_FORMAT: ['Data', 'The file is of another format than source.format says.'],
  DATA_COMPRESSION: ['Data', 'The compressed file is cut off or damaged.'],
  DATA_ENCODING: ['Data', 'The file is not UTF-8 text.'],
  DATA_EMPTY: ['Data', 'The file has no rows.'],
  DATA_CSV: ['Data', 'The file is not well-formed CSV: an open quote, or a row that never ends.'],
  DATA_JSON: ['Data', 'A line is no JSON object, or names a key twice.'],
  DATA_NESTED: ['Data', 'A column holds lists or objects, and only single values and lists of equally many numbers can be read.'],
  DATA_PARQUET: ['Data', 'The file is not Parquet, or is damaged.'],
  DATA_SCHEMA: ['Data', 'The files do not have the same columns.'],
  DATA_ARCHIVE: ['Data', 'A .zip, .npz or .tar file is damaged, or holds what it may not.'],
  DATA_ARRAY: ['Data', 'An .npy file is damaged or of a type that cannot be read, or arrays do not go together.'],
  DATA_IMAGE: ['Data', 'A file is no image that can be read, or lies in no folder of a class.'],
  DATA_RAGGED: ['Data', 'A row has more or fewer values than the header.'],
  DATA_HEADER: ['Data', 'The header has an empty name, one name twice (of Parquet also where only case differs), or another delimiter than csv.delimiter.'],
  DATA_TARGET: ['Data', 'The target is missing in a row, has one class only, or has too many.'],
  DATA_SPLIT: ['Data', 'A row has no value in a column that the split goes by.'],
  DATA_TOO_FEW_ROWS: ['Data', 'A part of the split would have no rows.'],
  DATA_NOT_NUMERIC: ['Data', 'A column is still text, or has missing values, when it reaches the network.'],
  DATA_CATEGORIES: ['Data', 'A text column has too many different values to encode, or one that training never saw.'],
  DATA_OUT_OF_RANGE: ['Data', 'A step cannot compute with a value, for example take the logarithm of zero, or a value is infinite.'],
  DATA_COLUMN_EMPTY: ['Data', 'A column has no value in the training rows.'],
  DATA_EXPECTATION: ['Data', 'The data is not what data.expectations asks for.'],
  DATA_PRIVACY: ['Data', 'Rows could be told apart by what data.privacy calls quasi-identifiers, or would all have to be left out.'],
  PRIVACY_KEY: ['Spec', 'The key for pseudonyms is missing, weaker than 128 bits, or not the one that the model was trained with.'],
  TRAINING_DIVERGED: ['Data', 'The loss became infinite or not a number.'],
  VOLUME_WRITE: ['Run', 'A checkpoint or the model could not be written.'],
  SUPERSEDED: ['Run', 'A later attempt has begun; this one, on a node that was cut off, writes nothing more.'],
  CHECKPOINT_FOREIGN: ['Spec', 'restoreFrom names a checkpoint of a network with other layers, or none at all.'],
  BUCKET_REFUSED: ['Spec', 'The bucket is not there, or the credentials may not use it.'],
  BUCKET_FAILED: ['Run', 'The bucket could not be reached or written to, after retries.'],
  KAFKA_REFUSED: ['Spec', 'The brokers do not let the topic be read with these credentials, or in this way.'],
  KAFKA_FAILED: ['Run', 'The topic could not be read to its end, after retries.'],
  PEER_LOST: ['Run', 'Another replica was lost, and those that are left cannot go on by themselves. What happened to that one is the cause.'],
  PEER_MISMATCH: ['Run', 'Replicas of one job read different data.'],
  REPLICAS_DIVERGED: ['Run', 'A replica found other weights with itself than with the leader; it takes the leader\'s when it begins anew.'],
  MODEL_INVALID: ['Run', 'The model directory is incomplete or was changed: a digest does not match its manifest.'],
  OUT_OF_MEMORY: ['Data', 'The rows do not fit into the memory that the program may use.'],
  INTERNAL: ['Run', 'A defect of the trainer.'],
} as const satisfies Record<string, readonly ['Spec' | 'Data' | 'Run', string]>;

export type ErrorCode = keyof typeof errorCodes;

export interface ErrorDetail {
  /** Field of the manifest, or `file:line`, for example `spec.trainer.data.target`. */
  readonly at?: string;
  /** One or two sentences: what is wrong, where, what to write instead. */
  readonly message: string;
  readonly cause?: unknown;
}

/** An error that a person reads in the job's status. */
export class AnnealError extends Error {
  readonly code: ErrorCode;
  readonly at: string | undefined;

  constructor(code: ErrorCode, detail: ErrorDetail) {
    super(detail.message, { cause: detail.cause });
    this.name = 'AnnealError';
    this.code = code;
    this.at = detail.at;
  }

  /** Whether only a changed manifest or changed data can help. */
  get needsUser(): boolean {
    return errorCodes[this.code][0] !== 'Run';
  }
}

/** The error as one that can be told; what is not ours is a defect. */
export function toAnnealError(error: unknown): AnnealError {
  if (error instanceof AnnealError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new AnnealError('INTERNAL', { message: `The trainer failed unexpectedly: ${message}`, cause: error });
}

/** `"a", "b" and 3 more`, so that a sentence stays a sentence with a thousand columns. */
export function list(names: readonly string[], most = 8): string {
  const shown = names.slice(0, most).map((name) => `"${name}"`);
  return names.length > most ? `${shown.join(', ')} and ${names.length - most} more` : shown.join(', ');
}
