/** Makes TrainingJobs of the training jobs of other operators, and says of each field what became of it. */
export type { Note } from './note.ts';
export type { DraftJob } from './draft.ts';
export { convert, type Conversion, type Outcome, type Source } from './convert.ts';
