/** Conditions as the Kubernetes API conventions ask for: `lastTransitionTime` moves only when the status changes. */
import type { Conditions } from './generated/types.ts';
import { cutText } from './text.ts';

export type Condition = Conditions[number];

/** What a controller concluded; the rest of the condition follows from it. */
export interface Conclusion {
  readonly type: string;
  readonly status: Condition['status'];
  readonly reason: string;
  readonly message: string;
}

export function findCondition(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

export function isTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return findCondition(conditions, type)?.status === 'True';
}

/** Most characters, as the schema has it. */
const longestMessage = 2048;
const longestReason = 128;

/**
 * The conditions to report: exactly the types that were concluded, in their order.
 *
 * @param previous     conditions of the cached status, from which unchanged ones keep their time
 * @param generation   the metadata.generation that the conclusions were drawn from
 * @param time         RFC 3339, for those that change
 */
export function conditionsFrom(
  previous: readonly Condition[] | undefined,
  conclusions: readonly Conclusion[],
  generation: number,
  time: string,
): Condition[] {
  return conclusions.map((conclusion) => {
    const before = findCondition(previous, conclusion.type);
    return {
      ...conclusion,
      // Reasons may come from other programs, such as a scheduler, which give none at times.
      reason: conclusion.reason === '' ? 'Unknown' : cutText(conclusion.reason, longestReason),
      message: cutText(conclusion.message, longestMessage),
      observedGeneration: generation,
      lastTransitionTime: before?.status === conclusion.status ? before.lastTransitionTime : time,
    };
  });
}
