/** What a user writes about the network, with the defaults filled in. */

export type Preset = 'Linear' | 'MLP' | 'CNN' | 'LSTM' | 'GRU' | 'Autoencoder';

export interface ModelSpec {
  /** Left out where `layers` say what the network is; what is said about units, filters, activation and dropout does not apply then. */
  readonly preset?: Preset;
  /** Layers as JSON of Keras or TensorFlow.js. */
  readonly layers?: object;
  /** Sizes of the hidden dense layers, of the recurrent layers, or of the encoder. */
  readonly units?: readonly number[];
  /** Of the first convolution; each further block doubles them. */
  readonly filters?: number;
  readonly blocks?: number;
  readonly kernelSize?: number;
  readonly activation: 'ReLU' | 'Tanh' | 'Sigmoid' | 'ELU' | 'GELU';
  /** Share of a hidden layer's outputs that a training step drops. */
  readonly dropout: number;
  /** Weights of the penalties on kernels: l1 Σ|w| + l2 Σw². */
  readonly l1?: number;
  readonly l2: number;
  /** Whether hidden layers are normalised by batch, before their activation. */
  readonly batchNorm?: boolean;
  /** Columns that are coded as whole numbers become vectors of this length. */
  readonly embedding?: { readonly dimension: number };
}

/** A column of flat rows that holds whole numbers from 0 to `categories` - 1, or -1 for one that is none of them. */
export interface CodedColumn {
  readonly place: number;
  readonly categories: number;
}

/** What the data say about the network. */
export interface NetworkShape {
  /** Shape of one row. */
  readonly input: readonly number[];
  /** Classes; undefined where numbers are learnt. */
  readonly classes: number | undefined;
  readonly coded?: readonly CodedColumn[];
}
