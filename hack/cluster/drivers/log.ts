let write: ((line: string) => void) | undefined;

/** Says where the events go; before that the drivers are silent, as a test that runs them wants it. */
export function logTo(sink: (line: string) => void): void {
  write = sink;
}

/** One JSON line an event, so that the file a node keeps of its drivers can be searched. */
export function log(event: string, fields: Record<string, unknown> = {}): void {
  write?.(JSON.stringify({ time: new Date().toISOString(), event, ...fields }));
}
