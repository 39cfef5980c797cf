/** RE2, the regular expressions of Kubernetes: JavaScript's read some of the same texts as others. */
import { RE2JS } from 're2js';

const compiled = new Map<string, RE2JS>();

/** @throws the syntax error of a pattern that is none */
export function regex(pattern: string): RE2JS {
  const known = compiled.get(pattern) ?? RE2JS.compile(pattern);
  compiled.set(pattern, known);
  return known;
}

/** Whether the pattern occurs anywhere in the text. */
export const occursIn = (pattern: string, text: string): boolean => regex(pattern).matcher(text).find();
