export type Serialise = <Result>(key: string, work: () => Promise<Result>) => Promise<Result>;

/** Runs the work of one key in order, of different keys side by side: the callers of CSI repeat a call that is still running. */
export function serialiseByKey(): Serialise {
  const tails = new Map<string, Promise<unknown>>();
  return (key, work) => {
    const before = tails.get(key) ?? Promise.resolve();
    const mine = before.then(work, work); // the failure before is told to its own caller
    const forget = (): void => {
      if (tails.get(key) === mine) tails.delete(key);
    };
    tails.set(key, mine);
    mine.then(forget, forget);
    return mine;
  };
}
