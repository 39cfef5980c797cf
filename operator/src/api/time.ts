/** Times as Kubernetes objects write them. */

/** metav1.Time: RFC 3339 in UTC with whole seconds; fractions would be cut off and every comparison would differ. */
export function timestamp(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19)}Z`;
}

/** Milliseconds since 1970. */
export function parseTime(text: string): number {
  return Date.parse(text);
}
