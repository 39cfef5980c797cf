/** What the thread that makes a plan is given, and what it tells. */
import type { ErrorCode } from '../../errors.ts';
import type { LogLevel, TrainingOrder } from '../../train/order.ts';
import type { Plan } from './plan.ts';

export interface PlanInput {
  readonly name: string;
  readonly order: TrainingOrder;
  readonly begun: number;
}

export type PlanEvent =
  | { readonly kind: 'Log'; readonly level: LogLevel; readonly message: string; readonly fields: Readonly<Record<string, unknown>> }
  | { readonly kind: 'Planned'; readonly plan: Plan }
  | { readonly kind: 'Stopped' }
  | { readonly kind: 'Failed'; readonly code: ErrorCode; readonly at?: string; readonly message: string };
