/** Personal data: pseudonyms, coarser values, rows that hide among others. What leaves this folder is all that the rest of the trainer sees. */
export { protect } from './protect.ts';
export type { PrivacyReport, Protected } from './protect.ts';
export { changeTable, openSteps, stepsOf } from './steps.ts';
export type { PrivacyStep } from './steps.ts';
export { readKey } from './key.ts';
export type { PseudonymKey } from './key.ts';
export { privacySpec } from './spec.ts';
export type { PrivacySpec } from './spec.ts';
