/** What a conversion could not keep, and what it kept with another meaning. */

export interface Note {
  /** Lost: nothing in the result does what the field did. Changed: something does, in another way. */
  readonly kind: 'Lost' | 'Changed';
  /** The field, for example spec.runPolicy.managedBy; of a runtime with its kind and name before it. */
  readonly path: string;
  readonly why: string;
  /** What to do about it. */
  readonly instead: string;
}

/** A manifest that no TrainingJob can be made of, said in one sentence. */
export class ConvertError extends Error {
  readonly code = 'CONVERT_BAD_INPUT';
  readonly path: string;

  /** @param path  the field that is wrong; empty for the whole document */
  constructor(path: string, message: string) {
    super(path === '' ? message : `${path}: ${message}`);
    this.path = path;
  }
}
