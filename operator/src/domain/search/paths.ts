/** Dotted paths into JSON: `trainer.fit.epochs`, `roles.0.replicas`, `pod.nodeSelector.example\.com/zone`. */

/** A path taken apart; `text` is how it was written. */
export interface Path {
  readonly text: string;
  readonly segments: readonly string[];
}

export interface PathProblem {
  readonly code: 'NoSuchItem' | 'PathThroughValue';
  readonly message: string;
}

type Result = { readonly value: unknown } | { readonly problem: PathProblem };

/** Splits at the dots; a backslash before a dot keeps it, for keys that contain dots. */
export function parsePath(text: string): Path {
  return { text, segments: text.split(/(?<!\\)\./).map((segment) => segment.replaceAll('\\.', '.')) };
}

/** Whether one path leads to the other or below it. */
export function overlap(a: Path, b: Path): boolean {
  const shared = Math.min(a.segments.length, b.segments.length);
  return a.segments.slice(0, shared).every((segment, index) => segment === b.segments[index]);
}

/** A copy of the document with `value` at the path. Objects on the way are made where they are missing, items of lists are not. */
export function setAt(document: unknown, path: Path, value: unknown, depth = 0): Result {
  const segment = path.segments[depth];
  if (segment === undefined) return { value };
  const child = childAt(document, path, depth, segment);
  if ('problem' in child) return child;
  const inner = setAt(child.value, path, value, depth + 1);
  if ('problem' in inner) return inner;
  return { value: withChild(document, segment, inner.value) };
}

function childAt(container: unknown, path: Path, depth: number, segment: string): Result {
  const where = path.segments.slice(0, depth).join('.');
  const isIndex = /^\d+$/.test(segment);
  if (Array.isArray(container)) {
    if (isIndex && Number(segment) < container.length) return { value: container[Number(segment)] };
    const has = container.length === 0 ? 'is empty' : `has items 0 to ${container.length - 1}`;
    return { problem: { code: 'NoSuchItem', message: `The override ${path.text} names "${segment}" in the list ${where}, which ${has}.` } };
  }
  if (container === undefined || container === null) {
    if (!isIndex) return { value: undefined };
    return { problem: { code: 'NoSuchItem', message: `The override ${path.text} names item ${segment} of ${where}, which the template does not set. Set the whole list, or set it in the template.` } };
  }
  if (typeof container === 'object') return { value: Object.hasOwn(container, segment) ? (container as Record<string, unknown>)[segment] : undefined };
  const message = `The override ${path.text} goes through ${where}, which is ${JSON.stringify(container)} and has no fields. Correct the path.`;
  return { problem: { code: 'PathThroughValue', message } };
}

function withChild(container: unknown, segment: string, child: unknown): unknown {
  if (Array.isArray(container)) return container.map((item: unknown, index) => (index === Number(segment) ? child : item));
  // A computed key makes an own property even of "__proto__".
  return { ...(container as object | undefined), [segment]: child };
}
