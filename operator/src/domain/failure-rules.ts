/** The rules of a failure policy: the first that matches a failure decides what becomes of it. */
import { RE2JS } from 're2js';
import type { FailurePolicy } from '../api/index.ts';
import type { Failure } from './failures.ts';

export type FailureRule = NonNullable<FailurePolicy['rules']>[number];

/**
 * A log is text that anybody may have written, so patterns are RE2: matching takes time in proportion to the text, whatever the
 * pattern. The API server has checked the syntax with the original.
 */
const patterns = new Map<string, RE2JS>();
const mostPatterns = 1000;

export function ruleFor(rules: FailurePolicy['rules'], role: string, failure: Failure): FailureRule | undefined {
  return rules?.find(({ when }) => {
    const { exitCodes, causes, reasons, logPattern, roles } = when;
    if (roles !== undefined && !roles.includes(role)) return false;
    if (causes !== undefined && !causes.includes(failure.cause)) return false;
    if (exitCodes !== undefined && (failure.exitCode === undefined || !exitCodes.includes(failure.exitCode))) return false;
    if (reasons !== undefined && !reasons.includes(failure.reason)) return false;
    return logPattern === undefined || compiled(logPattern).matcher(failure.log ?? failure.message).find();
  });
}

function compiled(pattern: string): RE2JS {
  const known = patterns.get(pattern) ?? RE2JS.compile(pattern);
  if (patterns.size >= mostPatterns) patterns.clear();
  patterns.set(pattern, known);
  return known;
}
