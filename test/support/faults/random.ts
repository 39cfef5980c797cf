/** Random numbers that a seed fixes, so that a run that failed can be had again. */
export interface Dice {
  /** A whole number from 0 up to, and without, `below`. */
  below(below: number): number;
  /** One of these, of which there is at least one. */
  of<const T>(choices: readonly T[]): T;
  /** The same things in another order. */
  shuffled<T>(things: readonly T[]): T[];
}

/** mulberry32: small, and the same on every machine. */
export function dice(seed: number): Dice {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    below,
    of: (choices) => {
      const [choice] = choices.slice(below(choices.length));
      if (choice === undefined) throw new RangeError('There is nothing to choose from.');
      return choice;
    },
    shuffled: (things) => {
      const left = [...things];
      return things.flatMap(() => left.splice(below(left.length), 1));
    },
  };
}
