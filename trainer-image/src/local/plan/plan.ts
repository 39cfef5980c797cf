/** What a run would do, as a document: what `--dry-run --json` prints. */
import type { Column } from '../../data/table.ts';
import type { Task } from '../../data/target.ts';

export interface Plan {
  readonly name: string;
  readonly data: {
    readonly uri: string;
    readonly sha256: string;
    readonly rows: number;
    /** How many of the rows were looked at. */
    readonly rowsRead: number;
    readonly columns: readonly ColumnPlan[];
  };
  readonly target: { /** Left out where the rows themselves are learnt. */ readonly name?: string; readonly task: Task; /** Half a sentence: why it is this task. */ readonly why: string; readonly classes?: readonly string[] };
  readonly split: readonly PartPlan[];
  readonly pipeline: readonly StepPlan[];
  readonly features: { readonly count: number; readonly shape: readonly number[]; readonly names: readonly string[] };
  readonly network: { readonly layers: readonly LayerPlan[]; readonly parameters: number; readonly trainable: number };
  readonly training: TrainingPlan;
  readonly estimates: { readonly time: TimeEstimate; readonly memory: MemoryEstimate };
  readonly warnings: readonly Warning[];
}

export interface ColumnPlan {
  readonly name: string;
  readonly kind: Column['kind'];
  readonly role: 'Feature' | 'Target' | 'Unused';
  /** Of a column that is not used nothing is read, and none of the following known. */
  readonly missing?: number;
  /** Different values, missing ones left out. */
  readonly distinct?: number;
  /** Smallest and largest, or the first and the last in sorted order; left out where the column is private, or has no value. */
  readonly from?: string;
  readonly to?: string;
}

export interface PartPlan {
  readonly part: 'train' | 'validation' | 'test';
  readonly rows: number;
  /** Rows of each class, in the order of the classes. */
  readonly classes?: readonly number[];
}

export interface StepPlan {
  /** Its field in the manifest, for example `scale`. */
  readonly step: string;
  /** As written, defaults filled in. */
  readonly settings: object;
  readonly columnsIn: readonly string[];
  readonly columnsOut: readonly string[];
}

export interface LayerPlan {
  readonly name: string;
  /** Class of TensorFlow.js and Keras. */
  readonly type: string;
  /** Of one row. */
  readonly shape: readonly number[];
  readonly parameters: number;
}

export interface TrainingPlan {
  /** At most, with early stopping. */
  readonly epochs: number;
  readonly batchSize: number;
  readonly stepsPerEpoch: number;
  /** Networks that are trained: the folds of a cross-validation, and the model. */
  readonly networks: number;
  /** Steps of all of them. */
  readonly steps: number;
}

export interface TimeEstimate {
  readonly seconds: number;
  /** Whether early stopping may end it sooner. */
  readonly isAtMost: boolean;
  readonly measured: Calibration;
}

/** A training in small that was timed on this machine. */
export interface Calibration {
  readonly threads: number;
  /** Reading and preparing the data, TensorFlow's start included. */
  readonly prepareSeconds: number;
  /** Steps that were timed, the first few left out. */
  readonly steps: number;
  /** Median of one. */
  readonly stepSeconds: number;
  /** Validation after an epoch. */
  readonly validationSeconds: number;
  readonly checkpointSeconds: number;
  /** Evaluation of the finished model, and writing it. */
  readonly finishSeconds: number;
  /** Of the last step. */
  readonly loss: number;
}

export interface MemoryEstimate {
  /** Of the whole process. */
  readonly peakBytes: number;
  /** What the program takes before it reads any data. */
  readonly programBytes: number;
}

export interface Warning {
  /** Field of the manifest that can be changed. */
  readonly at: string;
  readonly message: string;
}
