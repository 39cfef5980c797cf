/** Takes columns out that later steps no longer need. */
import { pick } from '../table.ts';
import type { StepKind } from './step.ts';

export interface DropSpec {
  readonly columns: readonly string[];
}

export interface FittedDrop {
  readonly kind: 'Drop';
  readonly columns: readonly string[];
}

export const drop: StepKind<DropSpec, FittedDrop> = {
  fit: ({ columns }, { frame, at }) => {
    pick(frame.columns, columns, `${at}.columns`);
    return Promise.resolve({ step: { kind: 'Drop', columns } });
  },
  apply: (step) => {
    const dropped = new Set(step.columns);
    return (table) => ({ ...table, columns: table.columns.filter(({ name }) => !dropped.has(name)) });
  },
  reads: ({ columns }) => columns,
  joint: false,
};
