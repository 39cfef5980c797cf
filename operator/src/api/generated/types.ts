// Generated from crds/ by `npm run gen`. Do not edit.

import type {ObjectMeta} from '../metadata.ts';

/**
 * Names of columns.
 *
 * @minItems 1
 * @maxItems 4096
 *
 * Items: Name of a column.
 */
export type Columns = string[];
/**
 * Name of a metric.
 */
export type MetricName = string;
export type Quantity = number | string;
/**
 * @maxItems 32
 *
 * Items: One toleration, as in the Kubernetes pod API.
 */
export type Tolerations = {
  /**
   * Taint key; empty with operator Exists matches all.
   */
  key?: string;
  /**
   * How value is compared.
   */
  operator?: 'Exists' | 'Equal';
  /**
   * Taint value for operator Equal.
   */
  value?: string;
  /**
   * Taint effect; empty matches all.
   */
  effect?: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
  /**
   * How long a NoExecute taint is tolerated.
   */
  tolerationSeconds?: number;
}[];
export type BudgetCount = number;
/**
 * What made a pod fail; says which budget pays.
 */
export type FailureCause =
  | 'ApplicationError'
  | 'ConfigurationError'
  | 'OutOfMemory'
  | 'ImagePull'
  | 'Preempted'
  | 'SpotReclaim'
  | 'NodeLost'
  | 'Stalled'
  | 'Unschedulable';
/**
 * Events after which a VolumeSnapshot is taken.
 *
 * @minItems 1
 * @maxItems 1
 */
export type BackupEvents = 'Succeeded'[];
/**
 * What is true of the object now, one entry a type. Ready says whether all is well.
 *
 * @maxItems 16
 *
 * Items: One aspect of the object's state, as in the Kubernetes API conventions.
 */
export type Conditions = {
  /**
   * Name of the aspect, for example Running.
   */
  type: string;
  /**
   * Whether it holds.
   */
  status: 'True' | 'False' | 'Unknown';
  /**
   * Why, in one CamelCase word that programs may rely on.
   */
  reason: string;
  /**
   * Why, and what to do, in a sentence for a person.
   */
  message: string;
  /**
   * The metadata.generation that this was concluded from.
   */
  observedGeneration?: number;
  /**
   * When status last changed.
   */
  lastTransitionTime: string;
}[];

/**
 * What to train, on what, and what to do when it fails.
 */
export interface TrainingJobSpec {
  trainer?: Trainer;
  /**
   * What the roles' programs are written in. It decides the environment that wires them together, which restarts concern the whole gang, and which pods decide that the job has succeeded. Left out, the pods have nothing to do with each other; Custom gives them host names. A job with trainer is always TensorFlowJS.
   */
  framework?: 'TensorFlow' | 'PyTorch' | 'JAX' | 'MPI' | 'XGBoost' | 'TensorFlowJS' | 'Custom';
  /**
   * Training by any image, one entry a role.
   *
   * @minItems 1
   * @maxItems 8
   */
  roles?: Role[];
  /**
   * Pods of the built-in trainer that train together, each on its share of every batch. The weights do not depend on how they are shared out.
   */
  replicas: number;
  /**
   * With how few pods the built-in trainer goes on while others are lost. Makes the job elastic, together with maxReplicas.
   */
  minReplicas?: number;
  /**
   * Up to how many pods replicas may be raised while the job runs.
   */
  maxReplicas?: number;
  tensorflow?: Tensorflow;
  pytorch?: Pytorch;
  mpi?: Mpi;
  pod?: Pod;
  accelerator?: Accelerator;
  checkpoint: Checkpoint;
  failurePolicy: FailurePolicy;
  /**
   * Which pods decide that the job has succeeded. Left out, the framework decides: Chief for TensorFlow and MPI (their chief, master or launcher, else worker 0), AllWorkers for PyTorch, JAX and XGBoost, AllPods for Custom.
   */
  successPolicy?: 'AllPods' | 'AllWorkers' | 'Chief' | 'ChiefAndEvaluator';
  /**
   * What happens to pods when the job has ended. Running deletes those that still run and keeps the others for their logs.
   */
  cleanPodPolicy: 'Running' | 'All' | 'None';
  scheduling?: Scheduling;
  /**
   * True ends the pods (the trainer writes a checkpoint first) and holds the job until it is false again.
   */
  suspend: boolean;
  /**
   * Most seconds that the job may run, counted from its first running pod, time in suspension left out. Past it the job fails.
   */
  activeDeadlineSeconds?: number;
  /**
   * Seconds after its end at which the job is deleted, its volume with it. Waits while a ModelDeployment serves its model.
   */
  ttlSecondsAfterFinished?: number;
  nodePool?: NodePool;
  backup?: Backup;
}
/**
 * Declares data, model and training; Anneal's own trainer image does the rest. The same preprocessing is stored with the model and used again when it serves.
 */
export interface Trainer {
  data: Data;
  model: Network;
  fit: Fit;
  validation?: CrossValidation;
  evaluation?: Evaluation;
  compress?: Compress;
}
/**
 * Where the rows come from, what is predicted from what, and how the rows are prepared.
 */
export interface Data {
  source: DataSource;
  /**
   * Name of the column that the model learns to predict; of Images it is label. Every preset but Autoencoder needs one.
   */
  target?: string;
  /**
   * What is learnt. When unset it is Classification if the target is text or has at most 50 different whole numbers, else Regression.
   */
  task?: 'Classification' | 'Regression';
  /**
   * Which columns the model sees, and their shape. When unset it sees all columns but the target, pseudonyms, what rows are grouped or ordered by, and an index without a name that pandas wrote; of these only what a step lists among its columns.
   */
  features?: {
    columns?: Columns;
    exclude?: Columns;
    /**
     * Shape that one row gets after the pipeline, the last dimension varying fastest; [height, width, channels] for images. Images and Arrays have one of their own when unset.
     *
     * @minItems 1
     * @maxItems 4
     *
     * Items: Size of one dimension.
     */
    shape?: number[];
  };
  split: DataSplit;
  /**
   * Steps from raw columns to numbers, in order. Each is fitted on the training rows only and stored with the model.
   *
   * @maxItems 64
   */
  pipeline: PipelineStep[];
  /**
   * Trains on fewer rows, to learn sooner what is worth a full run. Validation and test keep theirs.
   */
  sample?: {
    /**
     * Share of the training rows that is trained on.
     */
    fraction: number;
    /**
     * Whether each class keeps its share. When unset it does for Classification.
     */
    stratify?: boolean;
    /**
     * Draws the rows.
     */
    seed: number;
  };
  /**
   * Evens out rare classes, in the training part alone.
   */
  balance?: {
    /**
     * Oversample repeats rows of rare classes. Undersample leaves out rows of frequent ones. SMOTE makes up rows between neighbours of a rare class (Chawla et al., 2002).
     */
    method: 'Oversample' | 'Undersample' | 'SMOTE';
    /**
     * Rows that the rarest class has then for each row of the most frequent one; 1 makes all equal.
     */
    ratio: number;
    /**
     * SMOTE. Among how many neighbours.
     */
    neighbours: number;
    /**
     * Draws what is repeated, left out or made up.
     */
    seed: number;
  };
  /**
   * Where files that were downloaded, and tables that were made of them, are kept to be found again, by their digest. Trials of one sweep that name the same claim read the data once.
   */
  cache?: {
    /**
     * PersistentVolumeClaim of the same namespace that all pods can mount for writing. Without one, each job keeps its own on its volume.
     */
    claimName: string;
    /**
     * Bytes that they may take there; what was not used for longest goes first. 64 GiB when unset.
     */
    maxBytes?: number;
  };
  /**
   * Changes images at random each time they are trained on, each at most as much as written. A function of fit.seed, epoch and row, so that a run that goes on sees the same. Needs rows of the shape [height, width, channels].
   */
  augment?: {
    /**
     * Mirrors every second image, by chance.
     */
    flip?: 'Horizontal' | 'Vertical' | 'Both';
    /**
     * How far an image moves, as a share of height and width.
     */
    shift?: number;
    /**
     * How many degrees it turns, either way.
     */
    rotate?: number;
    /**
     * 0.1 enlarges and shrinks by up to a tenth.
     */
    zoom?: number;
    /**
     * Share of the range of its values that is added or taken away.
     */
    brightness?: number;
    /**
     * 0.2 spreads its values about their mean by 0.8 to 1.2.
     */
    contrast?: number;
    /**
     * Standard deviation of what is added to each value, as a share of their range.
     */
    noise?: number;
    /**
     * Side of a square that is blanked, as a share of height and width.
     */
    cutout?: number;
  };
  /**
   * What is expected of the data before anything is learnt from them. All are checked, whatever the others say, and stand in the report of the data beside checks that are always made and only warn.
   *
   * @maxItems 128
   */
  expectations?: Expectation[];
  privacy?: Privacy;
}
/**
 * The file, or the files, with the rows.
 */
export interface DataSource {
  /**
   * Format of the files. CSV is RFC 4180, UTF-8, with or without a byte-order mark; TSV has tabs instead of commas; JSONLines has an object of numbers and texts on each line; Parquet has its own types. These may be compressed by gzip or zstd. Images are PNG, JPEG, BMP and GIF in a folder for each class, or .zip and .tar archives of such folders. Arrays are NumPy's .npy and .npz.
   */
  format: 'CSV' | 'TSV' | 'JSONLines' | 'Parquet' | 'Images' | 'Arrays';
  /**
   * Where the rows are: http://…, https://…, s3://BUCKET/KEY, kafka://BROKER:PORT,BROKER:PORT/TOPIC, file:///PATH inside the container, configmap://NAME/KEY for a ConfigMap of this namespace, or pvc://CLAIM/PATH for a PersistentVolumeClaim of this namespace (mounted read-only). PATH and KEY may name several files, by * (but /), ** and ?, or by a / at the end for all below.
   */
  uri: string;
  /**
   * SHA-256 of the one file; another file then fails the run instead of training on it. What `sha256sum FILE` prints.
   */
  sha256?: string;
  /**
   * Most bytes that are read, of all files together; more fail the run before they fill the disk. 1 GiB when unset.
   */
  maxBytes: number;
  /**
   * Most files that a pattern may name; 100,000 when unset.
   */
  maxFiles?: number;
  /**
   * For s3. URL of the service, for a store other than Amazon's.
   */
  endpoint?: string;
  /**
   * For s3. Region of the bucket; us-east-1 when unset.
   */
  region?: string;
  /**
   * For s3. How the bucket is named in a request; Auto when unset. Path, as https://endpoint/bucket, is what most stores other than Amazon's want.
   */
  addressing?: 'Auto' | 'Path' | 'VirtualHost';
  /**
   * Secret of the same namespace. For s3 with the keys AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and AWS_SESSION_TOKEN where there is one; left out, the pod's own identity counts. For kafka with KAFKA_USERNAME and KAFKA_PASSWORD where there is a sasl, and with TLS any of KAFKA_CA (certificates that the brokers' are checked by), KAFKA_CERTIFICATE and KAFKA_CERTIFICATE_KEY (the trainer's own), in PEM.
   */
  credentials?: {
    /**
     * Name of the Secret.
     */
    secretName: string;
  };
  /**
   * Which part of a topic is read, once, and how its brokers are reached. Each record's value is rows of the format, CSV or JSONLines; the order is by partition and offset.
   */
  kafka?: {
    /**
     * The first record of each partition: Earliest, an offset, or a time as 2026-01-31T12:00:00Z.
     */
    from: string;
    /**
     * The record of each partition that is not read any more: Latest (what is next when the job begins), an offset, or a time.
     */
    to: string;
    /**
     * Whether the connection is encrypted.
     */
    security: 'Plaintext' | 'TLS';
    /**
     * How the trainer says who it is.
     */
    sasl: 'None' | 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
  };
  /**
   * How the CSV file is written.
   */
  csv: {
    /**
     * The one character between two values; ";" and a tab are also common.
     */
    delimiter: string;
    /**
     * Whether the first row names the columns. When Absent they are named column_0, column_1 and so on.
     */
    header: 'Present' | 'Absent';
    /**
     * Texts that stand for a missing value.
     *
     * @maxItems 32
     *
     * Items: One such text, compared after surrounding blanks are removed.
     */
    missing: string[];
  };
  /**
   * The size that all images are brought to. A row is the array "image" [height, width, channels] of 0 to 255, and "label" the name of its folder.
   */
  images?: {
    /**
     * Pixels from top to bottom.
     */
    height: number;
    /**
     * Pixels from left to right.
     */
    width: number;
    /**
     * 1 is grey, 3 is red, green and blue.
     */
    channels: 1 | 3;
  };
  /**
   * Which arrays are read.
   */
  arrays?: {
    /**
     * Name of the array with a row for each example, in the .npz file or of the .npy file.
     */
    features: string;
    /**
     * Name of the array with what is to be predicted; data.target when unset.
     */
    target?: string;
  };
}
/**
 * Shares of the rows that are held back from training. Rows are drawn at random, equally for equal seeds, unless orderBy is set.
 */
export interface DataSplit {
  /**
   * Share that val_… metrics and early stopping are measured on.
   */
  validation: number;
  /**
   * Share that is looked at once, at the end, for the test_… metrics.
   */
  test: number;
  /**
   * Whether each part gets every class in the same proportion. When unset it does for Classification without orderBy.
   */
  stratify?: boolean;
  /**
   * Column whose equal values stay together, for example a customer, so that nobody is in two parts.
   */
  groupBy?: string;
  /**
   * Column of numbers or times. The last rows test and those before them validate, so that nothing is trained on that was not known by then.
   */
  orderBy?: string;
  /**
   * Seed of the draw.
   */
  seed: number;
}
/**
 * One step. Write exactly one of its fields.
 */
export interface PipelineStep {
  /**
   * Fills in missing values.
   */
  impute?: {
    columns?: Columns;
    /**
     * What is put in. Mean and Median suit columns of numbers and times; MostFrequent and Constant suit all.
     */
    strategy: 'Mean' | 'Median' | 'MostFrequent' | 'Constant';
    /**
     * Number that Constant puts into number columns.
     */
    value?: number;
    /**
     * Text that Constant puts into text columns; into columns of times, an ISO 8601 time.
     */
    text?: string;
    /**
     * Adds a column NAME_missing, 1 where the value was missing and 0 elsewhere, for each filled column with missing values in the training rows.
     */
    indicator: boolean;
  };
  /**
   * Brings number columns to one scale.
   */
  scale?: {
    columns?: Columns;
    /**
     * Standard: (x - mean) / population standard deviation. MinMax: to 0…1. Robust: (x - median) / interquartile range. MaxAbs: by the largest absolute value. A constant column is only shifted.
     */
    method: 'Standard' | 'MinMax' | 'Robust' | 'MaxAbs';
  };
  /**
   * Turns categories into numbers.
   */
  encode?: {
    columns?: Columns;
    /**
     * OneHot: a column NAME=CATEGORY of 0 and 1 for each category. Ordinal: the category's place in sorted order, from 0. Target: the mean of the target, smoothed and cross-fitted (as scikit-learn's TargetEncoder). Frequency: the category's share of the training rows. Hash: one of some columns of 0 and 1. Embedding: a vector that the network learns.
     */
    method: 'OneHot' | 'Ordinal' | 'Target' | 'Frequency' | 'Hash' | 'Embedding';
    /**
     * What a category does that training never saw. Ignore: zeros with OneHot and Embedding, -1 with Ordinal, the overall mean with Target, 0 with Frequency. Refuse: the row is an error.
     */
    unknown: 'Ignore' | 'Refuse';
    /**
     * Rarer categories become one, "(other)". Below 1 a share of the training rows, else a number of them. OneHot, Ordinal and Embedding.
     */
    minFrequency?: number;
    /**
     * Keeps the most frequent categories; all others become one, "(other)", which counts. OneHot, Ordinal and Embedding.
     */
    maxCategories?: number;
    /**
     * How many columns Hash gives; 32 when unset.
     */
    buckets?: number;
    /**
     * Rows of the overall mean that Target mixes into each category. When unset, by the variances.
     */
    smoothing?: number;
    /**
     * Parts of the training rows that Target encodes each by the others; 5 when unset.
     */
    folds?: number;
    /**
     * Draws the parts of Target; 0 when unset.
     */
    seed?: number;
  };
  /**
   * Does away with values far from the others. Limits are fitted on the training rows.
   */
  outliers?: {
    columns?: Columns;
    /**
     * IQR: beyond the quartiles by factor (1.5) interquartile ranges. ZScore: beyond the mean by factor (3) standard deviations. Quantile: outside of the shares lower (0.01) and upper (0.99).
     */
    method: 'IQR' | 'ZScore' | 'Quantile';
    /**
     * How far is too far; 1.5 for IQR and 3 for ZScore when unset.
     */
    factor?: number;
    /**
     * Quantile. Share of the values below the lower limit; 0.01 when unset.
     */
    lower?: number;
    /**
     * Quantile. Share of the values below the upper limit; 0.99 when unset.
     */
    upper?: number;
    /**
     * Clip: the nearest limit is put in. Missing: the value becomes a missing one, for a later impute. DropTrainingRows: the row is not trained on; rows that are tested or served stay as they are.
     */
    action: 'Clip' | 'Missing' | 'DropTrainingRows';
  };
  /**
   * Brings number columns nearer to a normal or uniform distribution.
   */
  transform?: {
    columns?: Columns;
    /**
     * YeoJohnson and BoxCox: the power of highest likelihood, then mean 0 and deviation 1 (BoxCox: values above 0). Log1p: log(1 + x), values above -1. Quantile: each value's place among the training rows.
     */
    method: 'YeoJohnson' | 'BoxCox' | 'Log1p' | 'Quantile';
    /**
     * What Quantile gives, between 0 and 1 or standard normal; Uniform when unset.
     */
    output?: 'Uniform' | 'Normal';
    /**
     * How many quantiles are kept; 1,000 when unset.
     */
    quantiles?: number;
  };
  /**
   * Adds a column that is computed from the others of the same row.
   */
  derive?: {
    /**
     * Name of the new column.
     */
    name: string;
    /**
     * An expression of SQL (DuckDB's) over the columns at this point, for example price / area or extract(hour from paid_at). The same row always gives the same value: no aggregates, no subqueries, no clock, no chance.
     */
    expression: string;
  };
  /**
   * Turns times into numbers.
   */
  dates?: {
    columns?: Columns;
    /**
     * A column NAME_part for each. DayOfWeek is 0 for Monday, Week is that of ISO 8601, EpochDays counts from 1970-01-01.
     *
     * @minItems 1
     * @maxItems 10
     *
     * Items: One part.
     */
    parts: ('Year' | 'Month' | 'Day' | 'DayOfWeek' | 'Hour' | 'Minute' | 'DayOfYear' | 'Week' | 'IsWeekend' | 'EpochDays')[];
    /**
     * Gives parts that come round again as a point on a circle, NAME_part_sin and NAME_part_cos, so that December is next to January.
     */
    cyclic: boolean;
  };
  /**
   * Turns texts into numbers by the words or characters in them.
   */
  text?: {
    /**
     * The column; it is replaced.
     */
    column: string;
    /**
     * Hashing: counts of terms in a fixed number of columns. TfIdf: the weight of each term that the training rows had. As scikit-learn's HashingVectorizer and TfidfVectorizer.
     */
    method: 'Hashing' | 'TfIdf';
    /**
     * How many columns; TfIdf keeps the most frequent terms.
     */
    features: number;
    /**
     * What a term is made of.
     */
    analyzer: 'Word' | 'Character';
    /**
     * Fewest and most words or characters of one term.
     *
     * @minItems 2
     * @maxItems 2
     *
     * Items: How many.
     */
    ngrams: number[];
    /**
     * Whether capital letters count as small ones.
     */
    lowercase: boolean;
    /**
     * TfIdf leaves out terms that more than this share of the texts has; 1 when unset.
     */
    maxDocumentFrequency?: number;
    /**
     * TfIdf leaves out terms that fewer texts have; below 1 a share of them. 1 when unset.
     */
    minDocumentFrequency?: number;
  };
  /**
   * Turns numbers into the bin that they fall into, from 0.
   */
  discretise?: {
    columns?: Columns;
    /**
     * How many.
     */
    bins: number;
    /**
     * Uniform: equally wide. Quantile: equally many training rows in each.
     */
    strategy: 'Uniform' | 'Quantile';
  };
  /**
   * Adds products of number columns, named a*b.
   */
  polynomial?: {
    columns?: Columns;
    /**
     * Most factors of one product.
     */
    degree: number;
    /**
     * Whether each factor may stand only once.
     */
    interactionOnly: boolean;
  };
  /**
   * Keeps the columns that say most.
   */
  select?: {
    columns?: Columns;
    /**
     * Variance; MutualInformation and FTest with the target; L1: columns that a penalised linear model uses; Correlation: leaves out columns that are correlated with one before them.
     */
    method: 'Variance' | 'MutualInformation' | 'L1' | 'Correlation' | 'FTest';
    /**
     * How many columns of the highest score stay; below 1 a share of them.
     */
    keep?: number;
    /**
     * Only higher scores stay; with Correlation, columns that are correlated higher go. When unset 0, 0.95 for Correlation, 0.00001 for L1.
     */
    threshold?: number;
    /**
     * Weight of L1's penalty; 0.01 when unset.
     */
    penalty?: number;
  };
  /**
   * Replaces number columns by their principal components.
   */
  pca?: {
    columns?: Columns;
    /**
     * How many; below 1 the share of the variance that they must hold together.
     */
    components: number;
    /**
     * Whether each component gets variance 1.
     */
    whiten: boolean;
    /**
     * The new columns are NAME_0, NAME_1 and so on; pca when unset.
     */
    name?: string;
  };
  /**
   * Leaves out columns that steps before it needed.
   */
  drop?: {
    columns: Columns;
  };
}
/**
 * One expectation. Write column with at least one check of it, or exactly one of rows, duplicates, classShare, splitLeakage and targetLeakage.
 */
export interface Expectation {
  /**
   * Name of the column that is checked.
   */
  column?: string;
  /**
   * No value is missing.
   */
  notNull?: boolean;
  /**
   * At most this share of the values is missing.
   */
  maxMissing?: number;
  /**
   * No number is below.
   */
  min?: number;
  /**
   * No number is above.
   */
  max?: number;
  /**
   * No value stands in two rows.
   */
  unique?: boolean;
  /**
   * Each value is one of these.
   *
   * @minItems 1
   * @maxItems 1000
   *
   * Items: A value.
   */
  oneOf?: (number | string)[];
  /**
   * A regular expression (RE2) that each text matches somewhere; ^ and $ anchor it.
   */
  matches?: string;
  /**
   * What the column holds.
   */
  type?: 'Number' | 'Text' | 'Time';
  /**
   * Bounds of the mean.
   */
  meanBetween?: {
    /**
     * The mean is not below.
     */
    min: number;
    /**
     * The mean is not above.
     */
    max: number;
  };
  /**
   * At most this share of the numbers lies more than 1.5 interquartile ranges beyond the quartiles.
   */
  maxOutliers?: number;
  /**
   * How many rows there are.
   */
  rows?: {
    /**
     * At least.
     */
    min?: number;
    /**
     * At most.
     */
    max?: number;
  };
  /**
   * Rows that are equal to one before them.
   */
  duplicates?: {
    /**
     * At most this share of all rows.
     */
    max: number;
  };
  /**
   * How rare a class of the target may be.
   */
  classShare?: {
    /**
     * Each class has at least this share of the rows.
     */
    min: number;
  };
  /**
   * Rows of validation and test whose features stand in training too.
   */
  splitLeakage?: {
    /**
     * At most this share of them.
     */
    max: number;
  };
  /**
   * Whether one column all but gives the target away.
   */
  targetLeakage?: {
    /**
     * Most that one column may say of the target, from 0 (nothing) to 1 (all).
     */
    max: number;
  };
  /**
   * Whether the run ends, or goes on with a warning in its log and in the report.
   */
  onViolation: 'Fail' | 'Warn';
}
/**
 * What is done to personal data before anything else sees them, in this order: pseudonymise, drop, generalise, suppress, then leave out or refuse rows that could be told apart. The same is done to each row that the model is asked about.
 */
export interface Privacy {
  /**
   * Values become keyed hashes (HMAC-SHA-256), so that rows of one person stay together and nobody without the key can find out whose they are.
   */
  pseudonymise?: {
    columns: Columns;
    /**
     * Where the key is; at least 128 bits that were drawn at random, for example by openssl rand -hex 32.
     */
    key: {
      /**
       * Secret of the same namespace.
       */
      secretName: string;
      /**
       * Key of the Secret.
       */
      key: string;
    };
  };
  drop?: Columns;
  /**
   * Columns that become coarser.
   *
   * @minItems 1
   * @maxItems 256
   *
   * Items: One column, and how coarse it becomes.
   */
  generalise?: {
    /**
     * Name of the column.
     */
    column: string;
    /**
     * Bin: the lower end of the stretch that a number lies in, by width or edges. Round: the nearest multiple of to. Prefix: the first length characters of a text. TruncateTime: the beginning of the unit, in UTC.
     */
    method: 'Bin' | 'Round' | 'Prefix' | 'TruncateTime';
    /**
     * For Bin. Width of each stretch, counted from 0.
     */
    width?: number;
    /**
     * For Bin. Where stretches begin, ascending.
     *
     * @minItems 1
     * @maxItems 1000
     *
     * Items: One edge.
     */
    edges?: number[];
    /**
     * For Round.
     */
    to?: number;
    /**
     * For Prefix. How many characters stay.
     */
    length?: number;
    /**
     * For TruncateTime.
     */
    unit?: 'Year' | 'Month' | 'Day' | 'Hour';
  }[];
  /**
   * Rare values, which become missing.
   *
   * @minItems 1
   * @maxItems 256
   *
   * Items: One column.
   */
  suppress?: {
    /**
     * Name of the column.
     */
    column: string;
    /**
     * Values that fewer rows have become missing.
     */
    fewerThan: number;
  }[];
  /**
   * Fewest rows that are alike in the columns that together might point to a person (Sweeney, 2002).
   */
  kAnonymity?: {
    quasiIdentifiers: Columns;
    /**
     * Fewest rows that are alike in them.
     */
    k: number;
    /**
     * Whether the run ends, or rows that could be told apart are left out.
     */
    onViolation: 'Fail' | 'Suppress';
  };
  /**
   * Fewest different values of a sensitive column among rows that are alike (Machanavajjhala et al., 2007).
   */
  lDiversity?: {
    /**
     * Column that must not be told of a person.
     */
    sensitive: string;
    quasiIdentifiers?: Columns;
    /**
     * How many.
     */
    l: number;
    /**
     * Distinct: different values. Entropy: values as evenly spread as that many would be.
     */
    method: 'Distinct' | 'Entropy';
    /**
     * Whether the run ends, or rows that could be told apart are left out.
     */
    onViolation: 'Fail' | 'Suppress';
  };
}
/**
 * The network, by a preset, by its layers, or a saved one.
 */
export interface Network {
  /**
   * Linear: linear regression, or logistic for classes. MLP: dense layers. CNN: blocks of convolution and max-pooling by 2, then dense layers, over features.shape [height, width, channels] or [length, channels]. LSTM and GRU: recurrent layers over features.shape [steps, features]. Autoencoder: dense layers that narrow and widen again, and learn to give back the rows; a row that they do not is an anomaly.
   */
  preset?: 'Linear' | 'MLP' | 'CNN' | 'LSTM' | 'GRU' | 'Autoencoder';
  /**
   * Layers of your own in place of a preset, as model.to_json() of Keras gives them; JSON is YAML and may stand here as it is. One input of the rows' shape, and one output: of classes as many values as there are, of numbers one.
   */
  layers?: {
    [k: string]: unknown;
  };
  /**
   * A saved model to go on from: its network with its weights, and its preprocessing as it is, so that it begins with what it said last. Data need its columns, and of classes no others.
   */
  from?: {
    /**
     * Folder of the model: pvc://CLAIM/PATH, for example pvc://digits/model on the volume of the job digits; or file:///PATH in the container.
     */
    uri: string;
  };
  /**
   * Sizes of the hidden dense layers, of the recurrent layers, or of an Autoencoder's layers up to the narrowest. When unset, [64, 32] for MLP, [64] for CNN, LSTM and GRU, [32, 8] for Autoencoder.
   *
   * @maxItems 16
   *
   * Items: Size of one layer.
   */
  units?: number[];
  /**
   * Filters of the first convolution; each further block doubles them. CNN only; 32 when unset.
   */
  filters?: number;
  /**
   * How many blocks of convolution and pooling. CNN only; 2 when unset.
   */
  blocks?: number;
  /**
   * Length of the convolutions' kernels along each axis. CNN only; 3 when unset.
   */
  kernelSize?: number;
  /**
   * Activation of the hidden layers.
   */
  activation: 'ReLU' | 'Tanh' | 'Sigmoid' | 'ELU' | 'GELU';
  /**
   * Share of each hidden dense or recurrent layer's outputs that a training step drops.
   */
  dropout: number;
  /**
   * Weight of the L2 penalty on kernels, added to the loss.
   */
  l2: number;
  /**
   * Weight of the L1 penalty on kernels, added to the loss that is descended, not to the one that is told; 0 when unset.
   */
  l1?: number;
  /**
   * Whether hidden layers are normalised by batch, before their activation (Ioffe and Szegedy, 2015).
   */
  batchNorm: boolean;
  /**
   * Columns that a step encode with method Embedding has coded become vectors that the network learns. Linear and MLP only.
   */
  embedding?: {
    /**
     * Numbers of one vector.
     */
    dimension: number;
  };
}
/**
 * How the network is trained.
 */
export interface Fit {
  /**
   * How many times training goes through all training rows, at most.
   */
  epochs: number;
  /**
   * Rows of one optimiser step.
   */
  batchSize: number;
  /**
   * What turns gradients into steps.
   */
  optimizer: {
    /**
     * Adam (Kingma and Ba, 2015), AdamW (Loshchilov and Hutter, 2019), SGD, RMSprop and Adagrad, as Keras defines them.
     */
    name: 'Adam' | 'AdamW' | 'SGD' | 'RMSprop' | 'Adagrad';
    /**
     * Step size; what the schedule begins from.
     */
    learningRate: number;
    /**
     * Share of the last step that is added to the next. SGD and RMSprop only; 0 when unset.
     */
    momentum?: number;
    /**
     * Whether momentum looks ahead (Nesterov, 1983). SGD only.
     */
    nesterov?: boolean;
    /**
     * Share of the learning rate by which each step shrinks all weights, beside the gradient; when unset 0.004 for AdamW, else 0.
     */
    weightDecay?: number;
    /**
     * Decay of the mean of gradients. Adam and AdamW only; 0.9 when unset.
     */
    beta1?: number;
    /**
     * Decay of the mean of squared gradients. Adam and AdamW only; 0.999 when unset.
     */
    beta2?: number;
  };
  /**
   * How the learning rate changes from step to step, as Keras defines it. When unset it stays as it is.
   */
  schedule?: {
    /**
     * What the learning rate is multiplied by. ExponentialDecay: decayRate ^ (step / decaySteps). CosineDecay: from 1 along half a cosine to alpha within decaySteps (Loshchilov and Hutter, 2017). ReduceLROnPlateau: by factor each time that a metric got no better for patience epochs. Constant: 1, after the warm-up.
     */
    name: 'Constant' | 'ExponentialDecay' | 'CosineDecay' | 'ReduceLROnPlateau';
    /**
     * Steps in which the learning rate grows evenly from 0; what follows counts from their end. 0 when unset.
     */
    warmupSteps?: number;
    /**
     * Steps of one decay. ExponentialDecay and CosineDecay only, and needed there; an epoch has rows / batchSize steps.
     */
    decaySteps?: number;
    /**
     * What is left after decaySteps. ExponentialDecay only; 0.9 when unset.
     */
    decayRate?: number;
    /**
     * Whether the decay comes at once after each decaySteps rather than little by little. ExponentialDecay only.
     */
    staircase?: boolean;
    /**
     * Share of the learning rate that is left at the end. CosineDecay only; 0 when unset.
     */
    alpha?: number;
    metric?: MetricName;
    /**
     * What a reduction multiplies the learning rate by. ReduceLROnPlateau only; 0.1 when unset.
     */
    factor?: number;
    /**
     * Epochs without improvement before a reduction. ReduceLROnPlateau only; 10 when unset.
     */
    patience?: number;
    /**
     * Smallest change that counts as an improvement. ReduceLROnPlateau only; 0.0001 when unset.
     */
    minDelta?: number;
    /**
     * Epochs after a reduction that do not count. ReduceLROnPlateau only; 0 when unset.
     */
    cooldown?: number;
    /**
     * What reductions do not go below. ReduceLROnPlateau only; 0 when unset.
     */
    minLearningRate?: number;
  };
  /**
   * What is descended. CrossEntropy is for classes. MSE, MAE and Huber (squares up to an error of one standard deviation of the target, then linear) are for numbers. When unset CrossEntropy or MSE, by the task.
   */
  loss?: 'CrossEntropy' | 'MSE' | 'MAE' | 'Huber';
  /**
   * Bounds gradients. Write one field.
   */
  clip?: {
    /**
     * Bound of each number.
     */
    value?: number;
    /**
     * Bound of the length of each weight's gradient.
     */
    norm?: number;
    /**
     * Bound of the length of the whole gradient.
     */
    globalNorm?: number;
  };
  /**
   * How much an error on a row of each class counts. Balanced: each class as much as each other, rows / (classes x rows of the class). Given: as in weights.
   */
  classWeights?: 'Balanced' | 'Given';
  /**
   * For classWeights Given, by class; 1 for a class that is not named.
   */
  weights?: {
    /**
     * Weight of one class.
     */
    [k: string]: number;
  };
  /**
   * What is measured after each epoch beside the usual metrics: names, for example prAuc, or {recallAt: {precision: 0.9}} or {precisionAt: {recall: 0.9}}.
   *
   * @maxItems 32
   *
   * Items: A name, or an operating point.
   */
  metrics?: unknown[];
  /**
   * Stops when a metric gets no better. When unset, all epochs are done.
   */
  earlyStopping?: {
    metric: MetricName;
    /**
     * Epochs without improvement after which training stops.
     */
    patience: number;
    /**
     * Smallest change that counts as an improvement.
     */
    minDelta: number;
    /**
     * Whether the model gets the weights of the best epoch rather than of the last.
     */
    restoreBest: boolean;
  };
  /**
   * Seed of initial weights, order of rows and dropout. Two runs with one seed on one machine type give the same weights.
   */
  seed: number;
}
/**
 * Cross-validation before the model is trained: the rows that are not for testing are cut into folds, and each is validated on by a network trained on the others. The means are told as cv_ metrics, with their standard deviations.
 */
export interface CrossValidation {
  /**
   * How many folds. With split.orderBy, each is trained for by what lies before it, unless stratified is true.
   */
  kFold: number;
  /**
   * Whether each fold gets every class in the same proportion. As of the split when unset.
   */
  stratified?: boolean;
  /**
   * Column whose equal values stay in one fold. As of the split when unset.
   */
  groupBy?: string;
}
/**
 * What is found out about the finished model from the validation and the test rows, beside its metrics. It is in evaluation.json of the model.
 */
export interface Evaluation {
  /**
   * Columns of the data by whose values the metrics are told for each group of rows, whether or not the model sees them.
   *
   * @maxItems 16
   *
   * Items: Name of a column.
   */
  slices?: string[];
  /**
   * Confidence intervals of the metrics, by bootstrap.
   */
  intervals?: {
    /**
     * Share of such intervals that hold the true value.
     */
    confidence: number;
    /**
     * How many samples are drawn.
     */
    resamples: number;
    /**
     * Percentile; or BCa, which corrects for bias and skewness (Efron, 1987) and takes longer.
     */
    method: 'Percentile' | 'BCa';
  };
  /**
   * How much a metric loses when a column's values are shuffled among the rows (Breiman, 2001).
   */
  importance?: {
    /**
     * The metric; accuracy or mae when unset.
     */
    metric?: string;
    /**
     * How many times each column is shuffled.
     */
    repeats: number;
  };
  /**
   * Of an Autoencoder. Which rows it flags, and how well.
   */
  anomaly?: {
    /**
     * Share of the validation rows that are not flagged; their error is the threshold, which is applied when the model serves. 0.99 when unset.
     */
    quantile?: number;
    /**
     * A column that tells which rows are anomalies. It is not learnt from; rocAuc, prAuc, precision, recall and f1 are told by it.
     */
    label?: {
      /**
       * Name of the column.
       */
      column: string;
      /**
       * What it holds in a row that is an anomaly.
       */
      value: string;
    };
  };
  /**
   * From which probability on a class is chosen, tuned on the validation rows and applied when the model serves. Of more than two classes each against the others.
   */
  threshold?: {
    /**
     * F1; Youden: recall - false positive rate; RecallAtPrecision: the largest recall with at least precision (0.9); PrecisionAtRecall likewise; Cost: the smallest cost of wrong decisions.
     */
    maximise: 'F1' | 'Youden' | 'RecallAtPrecision' | 'PrecisionAtRecall' | 'Cost';
    /**
     * For RecallAtPrecision; 0.9 when unset.
     */
    precision?: number;
    /**
     * For PrecisionAtRecall; 0.9 when unset.
     */
    recall?: number;
    /**
     * For Cost. What a wrong alarm costs; 1 when unset.
     */
    falsePositive?: number;
    /**
     * For Cost. What a missed row costs; 1 when unset.
     */
    falseNegative?: number;
  };
}
/**
 * Makes the model that is served smaller, by its weights. What that costs is measured on the test rows (else validation, else training) and stands in the manifest of the model.
 */
export interface Compress {
  /**
   * Float16: half the bytes. Int8: a quarter, with one scale for each output of a layer.
   */
  quantize?: 'Float16' | 'Int8';
  /**
   * The smallest weights become zero (Han et al., 2015).
   */
  prune?: {
    /**
     * Share of the weights that become zero.
     */
    sparsity: number;
    /**
     * The smallest of all weights together, or in each layer as many.
     */
    scope: 'Global' | 'Layer';
  };
  /**
   * By how much a metric may get worse. A model that loses more ends the job with an error instead of being served.
   */
  maxLoss?: {
    /**
     * Name of the metric, for example prAuc.
     */
    metric: string;
    /**
     * In the metric's own unit.
     */
    by: number;
  };
}
/**
 * Pods that do the same part of the work.
 */
export interface Role {
  /**
   * Name of the role; part of its pods' names. The framework gives some names a meaning, for example chief, ps, worker, launcher.
   */
  name: string;
  /**
   * How many pods the role has. May be changed while the job runs where minReplicas and maxReplicas are set.
   */
  replicas: number;
  /**
   * With how few pods the role goes on while others are lost. Makes the role elastic, together with maxReplicas.
   */
  minReplicas?: number;
  /**
   * Up to how many pods replicas may be raised while the job runs.
   */
  maxReplicas?: number;
  accelerator?: Accelerator;
  /**
   * Training processes that a pod starts. Left out, one for each accelerator, or one where there is none.
   */
  processesPerPod?: number;
  /**
   * What a failure of one of these pods restarts: that pod alone, or the pods of all roles. Left out, the framework decides: Pod for parameter-server workers, evaluators and elastic roles; Gang for everything that computes together.
   */
  restartScope?: 'Pod' | 'Gang';
  /**
   * The pods, as in a Deployment's template. restartPolicy is always Never, since Anneal restarts by its own budgets.
   */
  template: {
    /**
     * Labels and annotations of the pods.
     */
    metadata?: {
      labels?: PodLabels;
      annotations?: PodAnnotations;
    };
    /**
     * A pod's spec. The first container is the one whose end decides.
     */
    spec: {
      /**
       * Containers of the pod; the first is the trainer.
       *
       * @minItems 1
       * @maxItems 16
       *
       * Items: A container, as in the Kubernetes pod API.
       */
      containers: {
        /**
         * Name of the container.
         */
        name: string;
        /**
         * Image of the container.
         */
        image: string;
        [k: string]: unknown;
      }[];
      /**
       * May be left out; only Never is possible.
       */
      restartPolicy?: 'Never';
      [k: string]: unknown;
    };
  };
}
/**
 * Accelerators that each pod gets, and that the trainer must find and use.
 */
export interface Accelerator {
  /**
   * Extended resource name that the device plugin offers, for example nvidia.com/gpu.
   */
  resource?: string;
  /**
   * Class of devices that a driver for dynamic resource allocation offers, for example gpu.nvidia.com; instead of resource.
   */
  deviceClassName?: string;
  /**
   * How many of them each pod gets.
   */
  count: number;
}
/**
 * Labels of the pods. Those of anneal.dev and app.kubernetes.io/managed-by are Anneal's own.
 */
export interface PodLabels {
  [k: string]: string;
}
/**
 * Annotations of the pods. Those of anneal.dev are Anneal's own.
 */
export interface PodAnnotations {
  [k: string]: string;
}
/**
 * How TF_CONFIG is written.
 */
export interface Tensorflow {
  /**
   * Dense lists every task to every task. Sparse tells a worker of the parameter servers and itself only, and a parameter server of itself only, so that workers may come and go.
   */
  clusterSpec: 'Dense' | 'Sparse';
  /**
   * Who finds the evaluator in the cluster. OwnTask: only the evaluator itself, which both TensorFlow 2 parameter-server training and Estimators understand. AllTasks lists it to everyone. Never lists it to none.
   */
  evaluatorInClusterSpec: 'OwnTask' | 'AllTasks' | 'Never';
}
/**
 * How torchrun is started, by the PET_ variables that it reads.
 */
export interface Pytorch {
  /**
   * Settings of the c10d rendezvous of an elastic role, as PET_RDZV_CONF.
   *
   * @maxItems 16
   *
   * Items: One setting.
   */
  rendezvousConfig?: {
    /**
     * Name of the setting, for example last_call_timeout.
     */
    key: string;
    /**
     * Its value.
     */
    value: string;
  }[];
  /**
   * Restarts of its worker processes that torchrun does by itself, without a new pod.
   */
  maxRestarts?: number;
}
/**
 * How mpirun finds its workers.
 */
export interface Mpi {
  /**
   * The MPI whose environment and hostfile are written.
   */
  implementation: 'OpenMPI' | 'IntelMPI' | 'MPICH';
  /**
   * Where the job's SSH key pair is mounted, the .ssh folder of the user that runs mpirun and sshd.
   */
  sshAuthMountPath: string;
  /**
   * Enabled runs processes in the launcher's pod too.
   */
  launcherAsWorker: 'Enabled' | 'Disabled';
}
/**
 * Settings of the pods that Anneal builds.
 */
export interface Pod {
  labels?: PodLabels;
  annotations?: PodAnnotations;
  /**
   * Image instead of the trainer image that the operator is set to.
   */
  image?: string;
  /**
   * Secrets with the credentials of the image's registry.
   *
   * @maxItems 8
   *
   * Items: A Secret of the same namespace.
   */
  imagePullSecrets?: {
    /**
     * Name of the Secret.
     */
    name: string;
  }[];
  /**
   * Compute resources of the main container. Accelerators go to spec.accelerator.
   */
  resources?: {
    requests?: Quantities;
    limits?: Quantities;
  };
  /**
   * Labels that a node must carry.
   */
  nodeSelector?: {
    [k: string]: string;
  };
  tolerations?: Tolerations;
  /**
   * Service account of the pods; the namespace's default one otherwise. Its token is not mounted.
   */
  serviceAccountName?: string;
  /**
   * PriorityClass of the pods.
   */
  priorityClassName?: string;
  /**
   * Scheduler of the pods.
   */
  schedulerName?: string;
  /**
   * RuntimeClass of the pods, for example nvidia.
   */
  runtimeClassName?: string;
  /**
   * Time between SIGTERM and SIGKILL, in which a checkpoint is written.
   */
  terminationGracePeriodSeconds: number;
}
export interface Quantities {
  [k: string]: Quantity;
}
/**
 * Where and how often the trainer saves its state, so that a restart goes on instead of beginning again.
 */
export interface Checkpoint {
  /**
   * The volume that holds checkpoints and the finished model.
   */
  volume: {
    /**
     * An existing PersistentVolumeClaim; it stays when the job is deleted.
     */
    claimName?: string;
    /**
     * A claim that Anneal makes for the job; it is deleted with the job.
     */
    claimTemplate?: {
      /**
       * StorageClass of the claim; the cluster's default otherwise.
       */
      storageClassName?: string;
      size: Quantity;
      /**
       * Access modes of the claim.
       *
       * @minItems 1
       * @maxItems 4
       */
      accessModes: ('ReadWriteOnce' | 'ReadWriteMany' | 'ReadWriteOncePod' | 'ReadOnlyMany')[];
    };
  };
  /**
   * When a checkpoint is written.
   */
  interval: {
    /**
     * EveryEpoch writes after each epoch. Fixed writes at the first step that is at least `seconds` after the last checkpoint. Auto writes as often as costs the least work, by Daly's formula from the measured time of a write and the rate of interruptions.
     */
    mode: 'EveryEpoch' | 'Fixed' | 'Auto';
    /**
     * Seconds between two checkpoints, for mode Fixed.
     */
    seconds?: number;
    /**
     * Least seconds between two checkpoints, for mode Auto.
     */
    minSeconds?: number;
    /**
     * Most seconds between two checkpoints, for mode Auto.
     */
    maxSeconds?: number;
  };
  /**
   * How many complete checkpoints stay on the volume.
   */
  keep: number;
  s3?: S3;
  /**
   * A checkpoint of another job that this one begins with. Its own checkpoints, once it has any, count before it.
   */
  restoreFrom?: {
    /**
     * Name of a TrainingJob of the same namespace; its newest complete checkpoint is read from its volume or bucket.
     */
    trainingJob?: string;
    /**
     * A volume that holds a checkpoint.
     */
    claim?: {
      /**
       * Name of the PersistentVolumeClaim.
       */
      name: string;
      /**
       * Path of the checkpoint below the volume.
       */
      path: string;
    };
    s3?: S3;
  };
}
/**
 * A place in a bucket of Amazon S3 or of anything that speaks its protocol.
 */
export interface S3 {
  /**
   * Name of the bucket.
   */
  bucket: string;
  /**
   * Path in the bucket; the namespace and name of the job otherwise.
   */
  prefix?: string;
  /**
   * URL of the service, for a store other than Amazon's.
   */
  endpoint?: string;
  /**
   * Region of the bucket.
   */
  region: string;
  /**
   * How the bucket is named in a request. Path, as https://endpoint/bucket, is what most stores other than Amazon's want.
   */
  addressing: 'Auto' | 'Path' | 'VirtualHost';
  /**
   * Secret of the same namespace with the keys AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and AWS_SESSION_TOKEN where there is one. Left out, the pod's own identity counts (IRSA, EKS Pod Identity, workload identity).
   */
  credentialsSecretName?: string;
}
/**
 * How often each cause of failure may strike before the job fails for good, and what to do about particular failures.
 */
export interface FailurePolicy {
  /**
   * Restarts that each cause may cost. Only the user's own errors spend applicationError.
   */
  budgets: {
    applicationError: BudgetCount;
    outOfMemory: BudgetCount;
    imagePull: BudgetCount;
    preempted: BudgetCount;
    spotReclaim: BudgetCount;
    nodeLost: BudgetCount;
    stalled: BudgetCount;
  };
  /**
   * What to do about particular failures; the first rule that matches decides. Without one, the role's restartScope does.
   *
   * @maxItems 16
   *
   * Items: All that is named in `when` must hold.
   */
  rules?: {
    /**
     * Which failures the rule is for.
     */
    when: {
      /**
       * Exit codes of the container that decides, one of which must match.
       *
       * @minItems 1
       * @maxItems 64
       */
      exitCodes?: number[];
      /**
       * Causes, one of which must match.
       *
       * @minItems 1
       * @maxItems 10
       */
      causes?: FailureCause[];
      /**
       * Reasons that Kubernetes gave, of the pod, its container or its condition DisruptionTarget; for example Evicted.
       *
       * @minItems 1
       * @maxItems 16
       */
      reasons?: string[];
      /**
       * A regular expression (RE2) that matches somewhere in the last lines of the log, which the kubelet keeps (80 lines, 2 KiB).
       */
      logPattern?: string;
      /**
       * Names of roles, one of which must match.
       *
       * @minItems 1
       * @maxItems 8
       */
      roles?: string[];
    };
    /**
     * Fail ends the job; RestartPod and RestartGang restart that pod or the pods of all roles, whatever the role's restartScope says.
     */
    action?: 'Fail' | 'RestartPod' | 'RestartGang';
    /**
     * True keeps the job's later pods away from the node on which this failure happened.
     */
    excludeNode: boolean;
    /**
     * The cause whose budget pays, instead of the one that was found.
     */
    countAs?: 'ApplicationError' | 'OutOfMemory' | 'ImagePull' | 'Preempted' | 'SpotReclaim' | 'NodeLost' | 'Stalled';
  }[];
  /**
   * How long an image may fail to be pulled before the attempt counts as failed.
   */
  imagePullDeadlineSeconds: number;
  /**
   * How long a node may be unready before its pods count as lost. They are then deleted without waiting for the node, so that others take their places.
   */
  nodeLostAfterSeconds: number;
  /**
   * How long a running job may report no progress before it is restarted from its checkpoint. Left out, it may be silent for ever.
   */
  stallAfterSeconds?: number;
}
/**
 * When, where and together with what the pods are scheduled.
 */
export interface Scheduling {
  /**
   * Queue that the job waits in, a LocalQueue of Kueue or a Queue of Volcano.
   */
  queueName?: string;
  /**
   * True starts the pods all together or not at all.
   */
  gang: boolean;
  /**
   * Who holds the queue and the gang. Auto takes what the cluster has: Kueue where queueName is set, else Volcano, else the coscheduling plugin.
   */
  scheduler: 'Auto' | 'Kueue' | 'Volcano' | 'Coscheduling';
  /**
   * Name under which the coscheduling plugin's scheduler runs.
   */
  schedulerName: string;
  /**
   * How long a gang that is partly placed may hold its nodes before they are given back; for Coscheduling.
   */
  gangTimeoutSeconds?: number;
  /**
   * PriorityClass of the pods. With Kueue, a WorkloadPriorityClass of that name counts first.
   */
  priorityClassName?: string;
  /**
   * Places the pods close to each other.
   */
  topology?: {
    /**
     * Label of the nodes whose value the pods shall share, for example topology.kubernetes.io/zone or cloud.provider.com/rack.
     */
    key: string;
    /**
     * Required leaves pods pending where it cannot be had; Preferred does without.
     */
    mode: 'Required' | 'Preferred';
  };
  /**
   * How long the job may wait for all its pods to run, from its creation or resume. Past it the job fails.
   */
  startDeadlineSeconds?: number;
  /**
   * How long the pods may use next to no processor (less than a hundredth of a core each) and report no progress. Past it the job fails.
   */
  idleDeadlineSeconds?: number;
  /**
   * When the training must be done, such as 2027-01-31T18:00:00Z or 2027-01-31T18:00:00+01:00. Past it the job fails.
   */
  deadline?: string;
}
/**
 * Nodes for these pods: a Karpenter NodePool that Anneal makes, shares between equal requirements and releases with its last user, or an existing pool chosen by labels and tolerations.
 */
export interface NodePool {
  /**
   * Who provides the nodes. Karpenter makes a NodePool; Existing uses labels and tolerations of nodes that are there.
   */
  provider: 'Karpenter' | 'Existing';
  /**
   * The cloud's node class that Karpenter starts nodes with.
   */
  nodeClassRef?: {
    /**
     * API group, for example karpenter.k8s.aws.
     */
    group: string;
    /**
     * Kind, for example EC2NodeClass.
     */
    kind: string;
    /**
     * Name of the object.
     */
    name: string;
  };
  /**
   * Capacity types to use, the first that has room wins.
   *
   * @minItems 1
   * @maxItems 2
   */
  capacity: ('Spot' | 'OnDemand')[];
  /**
   * What a node must be, as in Karpenter's requirements.
   *
   * @maxItems 32
   *
   * Items: One requirement on a node label.
   */
  requirements?: {
    /**
     * Node label.
     */
    key: string;
    /**
     * How the label is compared with values.
     */
    operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt';
    /**
     * Values to compare with.
     *
     * @maxItems 50
     */
    values?: string[];
  }[];
  limits?: Quantities;
  /**
   * Labels of the existing pool's nodes (provider Existing).
   */
  nodeSelector?: {
    [k: string]: string;
  };
  tolerations?: Tolerations;
}
/**
 * Snapshots of the model's volume.
 */
export interface Backup {
  on?: BackupEvents;
  true?: BackupEvents;
  /**
   * VolumeSnapshotClass to use; the default class of the volume's driver otherwise.
   */
  volumeSnapshotClassName?: string;
}
/**
 * A model by its place and digest.
 */
export interface ModelStatus {
  /**
   * PersistentVolumeClaim that holds it, in the namespace of the object.
   */
  claimName: string;
  /**
   * Path below the volume.
   */
  path: string;
  /**
   * sha256: and 64 hexadecimal digits, the digest of the model's manifest.json.
   */
  digest: string;
  /**
   * Size of the model's files in bytes.
   */
  sizeBytes?: number;
  /**
   * Key that rows are pseudonymised with when they are asked about. It is set where the model knows rows by pseudonyms; no other key serves it.
   */
  pseudonymKey?: {
    /**
     * Secret of the same namespace.
     */
    secretName: string;
    /**
     * Key of the Secret.
     */
    key: string;
    /**
     * Tells keys apart, and nothing else about them; pseudonymKeyId in the model's manifest.json.
     */
    id: string;
  };
  metrics?: Metrics;
}
/**
 * Values by name.
 */
export interface Metrics {
  [k: string]: number;
}
/**
 * Searches for the hyperparameters that make a TrainingJob best. Each trial is a TrainingJob.
 */
export interface HyperparamSweep {
  apiVersion: 'anneal.dev/v1alpha1';
  kind: 'HyperparamSweep';
  metadata: ObjectMeta;
  spec: HyperparamSweepSpec;
  status?: HyperparamSweepStatus;
}
/**
 * What to vary, within which limits, and what counts as better.
 */
export interface HyperparamSweepSpec {
  /**
   * What to optimise. Exactly one objective is supported.
   *
   * @minItems 1
   * @maxItems 1
   *
   * Items: A metric of the trials and its better direction.
   */
  objectives: {
    /**
     * Name of a final metric of the trials, for example val_accuracy.
     */
    metric: string;
    /**
     * Which way is better.
     */
    direction: 'Maximize' | 'Minimize';
  }[];
  /**
   * The hyperparameters to vary.
   *
   * @minItems 1
   * @maxItems 32
   *
   * Items: One hyperparameter and the values it may take.
   */
  parameters: {
    /**
     * Name; an override refers to it as ${name}.
     */
    name: string;
    /**
     * Kind of value.
     */
    type: 'Float' | 'Int' | 'Categorical';
    /**
     * Smallest value, included (Float, Int).
     */
    min?: number;
    /**
     * Largest value, included (Float, Int).
     */
    max?: number;
    /**
     * Distance between values, counted from min; 1 for Int when unset. Float with Grid needs it.
     */
    step?: number;
    /**
     * Log draws the logarithm uniformly, for values that span orders of magnitude.
     */
    scale: 'Linear' | 'Log';
    /**
     * The values of a Categorical parameter; any JSON values but null.
     *
     * @minItems 1
     * @maxItems 100
     *
     * Items: One value.
     */
    values?: unknown[];
  }[];
  /**
   * How values are chosen.
   */
  algorithm: {
    /**
     * Grid tries every combination in order; Random draws independently.
     */
    name: 'Grid' | 'Random';
    /**
     * Seed of the draws; the same seed proposes the same trials.
     */
    seed: number;
    /**
     * Template runs the template unchanged as trial 0, so that a sweep never ends worse than what was there; Sampled begins with a proposal. Left out, it is Template for Random and Sampled for Grid.
     */
    firstTrial?: 'Template' | 'Sampled';
  };
  /**
   * When to stop.
   */
  limits: {
    /**
     * Most trials to run. Random needs it; Grid ends with its last combination otherwise.
     */
    trials?: number;
    /**
     * Most trials at once.
     */
    parallelism: number;
    /**
     * Most failed trials; one more ends the sweep.
     */
    failures: number;
  };
  /**
   * The TrainingJob that each trial varies.
   */
  template: {
    /**
     * Name of a TrainingJob of the same namespace whose spec is the template.
     */
    fromTrainingJob?: string;
    spec?: TrainingJobSpec;
    /**
     * What each trial sets: a path in the spec, for example trainer.fit.epochs, and a value, in which ${name} stands for a parameter.
     */
    overrides: {
      [k: string]: unknown;
    };
  };
  /**
   * True starts no new trial; running trials go on.
   */
  suspend: boolean;
}
/**
 * What Anneal observed. Written by the operator only.
 */
export interface HyperparamSweepStatus {
  /**
   * The metadata.generation that this status belongs to.
   */
  observedGeneration?: number;
  conditions?: Conditions;
  /**
   * When the first trial was made.
   */
  startTime?: string;
  /**
   * When the last trial ended.
   */
  completionTime?: string;
  /**
   * Counts of the trials.
   */
  trials?: {
    /**
     * The counts in a few words, for the table of kubectl get.
     */
    summary?: string;
    /**
     * Trials that the sweep will run at most.
     */
    planned?: number;
    /**
     * Trials that were made.
     */
    created?: number;
    /**
     * Trials that have not ended.
     */
    running?: number;
    /**
     * Trials that ended well.
     */
    succeeded?: number;
    /**
     * Trials that gave no value: failed, deleted before their end, refused by the API server, or without the metric.
     */
    failed?: number;
    /**
     * One letter a trial, in their order: S succeeded, F failed, M ended without the metric, D deleted before its end, R refused by the API server, and a dot for one that has not ended. A trial that has its letter is never run again.
     */
    outcomes?: string;
  };
  /**
   * What the trials were made from. While it changes, no trial is made, so that all stay comparable.
   */
  template?: {
    /**
     * Digest of the spec that the trials vary.
     */
    digest: string;
    /**
     * Digest of the overrides; unset until a trial used them.
     */
    overridesDigest?: string;
  };
  /**
   * The trial that the API server refused last; it is tried again when the sweep or its template changes.
   */
  refusal?: {
    /**
     * Number of the trial, from 0.
     */
    trial: number;
    /**
     * Digests of the template and the overrides that were refused.
     */
    template: string;
    /**
     * The metadata.generation of the sweep that was refused.
     */
    generation: number;
    /**
     * What the API server said.
     */
    message: string;
  };
  /**
   * Estimate of the seconds to the end, from the trials that ended.
   */
  remainingSeconds?: number;
  /**
   * The best trial that ended well.
   */
  best?: {
    /**
     * Number of the trial, from 0.
     */
    trial: number;
    /**
     * TrainingJob of the trial.
     */
    trainingJob: string;
    /**
     * Value of the objective.
     */
    value: number;
    /**
     * The value in a few words, for the table of kubectl get.
     */
    summary?: string;
    /**
     * The values of its parameters.
     */
    parameters?: {
      [k: string]: unknown;
    };
    model?: ModelStatus;
  };
}
/**
 * Serves a trained model over the Open Inference Protocol, with autoscaling and rolling updates.
 */
export interface ModelDeployment {
  apiVersion: 'anneal.dev/v1alpha1';
  kind: 'ModelDeployment';
  metadata: ObjectMeta;
  spec: ModelDeploymentSpec;
  status?: ModelDeploymentStatus;
}
/**
 * Which model to serve, and how.
 */
export interface ModelDeploymentSpec {
  /**
   * The model. A newer model of the source becomes a new revision by a rolling update.
   */
  model: {
    /**
     * Name of a TrainingJob of the same namespace; its model is served once it succeeded.
     */
    fromTrainingJob?: string;
    /**
     * Name of a HyperparamSweep of the same namespace; the model of its best trial is served once it succeeded.
     */
    fromSweep?: string;
  };
  /**
   * How many replicas serve.
   */
  scaling: {
    /**
     * Fewest replicas.
     */
    minReplicas: number;
    /**
     * Most replicas; minReplicas when left out.
     */
    maxReplicas?: number;
    /**
     * What the HorizontalPodAutoscaler holds at target.
     */
    metric: 'CPU';
    /**
     * For metric CPU, the mean use of the replicas' CPU requests in percent.
     */
    target: number;
  };
  pod?: Pod;
  accelerator?: Accelerator;
  nodePool?: NodePool;
}
/**
 * What Anneal observed. Written by the operator only.
 */
export interface ModelDeploymentStatus {
  /**
   * The metadata.generation that this status belongs to.
   */
  observedGeneration?: number;
  conditions?: Conditions;
  /**
   * Base URL of the model inside the cluster.
   */
  url?: string;
  /**
   * Short digest of what is being served or rolled out.
   */
  revision?: string;
  model?: ModelStatus;
  /**
   * TrainingJob that made the model.
   */
  trainingJob?: string;
  /**
   * Counts of the replicas.
   */
  replicas?: {
    /**
     * The counts in a few words, for the table of kubectl get.
     */
    summary?: string;
    /**
     * Replicas that are asked for.
     */
    desired?: number;
    /**
     * Replicas of the current revision.
     */
    updated?: number;
    /**
     * Replicas that serve.
     */
    ready?: number;
  };
  /**
   * The newest 10 revisions, the current one last.
   *
   * @maxItems 10
   *
   * Items: One combination of model and settings that was rolled out.
   */
  revisions?: {
    /**
     * Short digest of the model and the settings of its pods.
     */
    revision: string;
    /**
     * Digest of the model.
     */
    modelDigest: string;
    /**
     * TrainingJob that made the model.
     */
    trainingJob?: string;
    /**
     * When it became current.
     */
    time: string;
  }[];
}
/**
 * Trains a model once, through failures, and leaves it with its digest on a volume.
 */
export interface TrainingJob {
  apiVersion: 'anneal.dev/v1alpha1';
  kind: 'TrainingJob';
  metadata: ObjectMeta;
  spec: TrainingJobSpec;
  status?: TrainingJobStatus;
}
/**
 * What Anneal observed. Written by the operator only.
 */
export interface TrainingJobStatus {
  /**
   * The metadata.generation that this status belongs to.
   */
  observedGeneration?: number;
  conditions?: Conditions;
  /**
   * Number of the newest attempt, from 1. A pod that is restarted alone begins an attempt too.
   */
  attempt?: number;
  /**
   * The attempt with which all pods last began together.
   */
  gangAttempt?: number;
  /**
   * Pods of the built-in trainer that run.
   */
  replicas?: number;
  /**
   * Label selector of the job's pods.
   */
  selector?: string;
  /**
   * How the pods of each role are.
   *
   * @maxItems 8
   *
   * Items: The pods of one role.
   */
  roles?: {
    /**
     * Name of the role.
     */
    name: string;
    /**
     * Pods that the role should have.
     */
    replicas: number;
    /**
     * Pods that run.
     */
    running?: number;
    /**
     * Indexes below this had their pod since the gang last began; one that is missing was taken away.
     */
    launched: number;
    /**
     * Indexes whose pod has succeeded since the gang last began, for example 0-3,7.
     */
    completedIndexes?: string;
    /**
     * Pods that were restarted alone since the gang last began.
     *
     * @maxItems 1000
     *
     * Items: One pod.
     */
    restarted?: {
      /**
       * Index within the role.
       */
      index: number;
      /**
       * Its attempt.
       */
      attempt: number;
      /**
       * True once its pod was seen.
       */
      launched?: boolean;
    }[];
  }[];
  /**
   * Nodes that the job's later pods keep away from, the newest 20.
   *
   * @maxItems 20
   */
  excludedNodes?: string[];
  /**
   * When a pod of the job first ran.
   */
  startTime?: string;
  /**
   * When all pods that the job needs first ran at the same time.
   */
  runningTime?: string;
  /**
   * When the job ended for good.
   */
  completionTime?: string;
  /**
   * How far the newest attempt is, as its pod reported.
   */
  progress?: {
    /**
     * The progress in a few words, for the table of kubectl get.
     */
    summary?: string;
    /**
     * Newest value of the metric that is watched, for the table of kubectl get.
     */
    metric?: string;
    /**
     * Finished epochs.
     */
    epoch?: number;
    /**
     * Epochs that were asked for.
     */
    epochs?: number;
    /**
     * Optimiser steps since the start of the run, restarts included.
     */
    step?: number;
    /**
     * Share of the work that is done, 0 to 100.
     */
    percent?: number;
    /**
     * Estimate of the seconds to the end.
     */
    remainingSeconds?: number;
    metrics?: Metrics;
    /**
     * When the pod last reported.
     */
    updateTime?: string;
  };
  /**
   * The newest checkpoint.
   */
  checkpoint?: {
    /**
     * True once all of it is on the volume, and in the bucket where one is set.
     */
    complete: boolean;
    /**
     * Where it is, as pvc://CLAIM/PATH or s3://BUCKET/PREFIX.
     */
    uri?: string;
    /**
     * Mean of the seconds that writing a checkpoint took.
     */
    writeSeconds?: number;
    /**
     * Seconds between two checkpoints, as they are written now.
     */
    intervalSeconds?: number;
    /**
     * Estimate from this job's ledger, which mode Auto computes the interval from.
     */
    meanSecondsBetweenInterruptions?: number;
    /**
     * Finished epochs at the checkpoint.
     */
    epoch?: number;
    /**
     * Optimiser steps at the checkpoint.
     */
    step: number;
    /**
     * When it was complete.
     */
    time: string;
    /**
     * Path below the volume.
     */
    path?: string;
  };
  model?: ModelStatus;
  /**
   * Seconds of training that restarts had to repeat so far.
   */
  lostSeconds?: number;
  /**
   * The failure ledger, the newest 20 attempts that failed, with the evidence.
   *
   * @maxItems 20
   *
   * Items: One pod of one attempt that failed.
   */
  failures?: {
    /**
     * Name of the pod.
     */
    pod: string;
    /**
     * Number of the attempt.
     */
    attempt: number;
    /**
     * Role of the pod.
     */
    role: string;
    /**
     * Index of the pod within its role.
     */
    index: number;
    cause: FailureCause;
    /**
     * What the failure restarted.
     */
    scope?: 'Pod' | 'Gang' | 'None';
    /**
     * Number of the attempt that follows it.
     */
    nextAttempt?: number;
    /**
     * Exit code of the trainer container.
     */
    exitCode?: number;
    /**
     * The reason that Kubernetes gave.
     */
    reason?: string;
    /**
     * Node that it ran on.
     */
    node?: string;
    /**
     * The error that the trainer named, or the last lines of its log.
     */
    message?: string;
    /**
     * When it failed.
     */
    time: string;
  }[];
  /**
   * Restarts that each cause has cost so far.
   */
  budgetSpent?: {
    /**
     * Spent on application errors.
     */
    applicationError?: number;
    /**
     * Spent on too little memory.
     */
    outOfMemory?: number;
    /**
     * Spent on images that could not be pulled.
     */
    imagePull?: number;
    /**
     * Spent on eviction, preemption and deletion.
     */
    preempted?: number;
    /**
     * Spent on reclaimed spot nodes.
     */
    spotReclaim?: number;
    /**
     * Spent on lost nodes.
     */
    nodeLost?: number;
    /**
     * Spent on silence.
     */
    stalled?: number;
  };
  /**
   * Seconds that pods ran before the newest resume; what activeDeadlineSeconds counts.
   */
  activeSeconds?: number;
  /**
   * The snapshot of the finished model's volume.
   */
  backup?: {
    /**
     * Name of the VolumeSnapshot.
     */
    snapshotName?: string;
    /**
     * When it was ready to use.
     */
    time?: string;
  };
}
