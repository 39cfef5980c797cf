/** Fails a suite that leaves a timer, a socket or a server behind: an operator is made of nothing else. */
import { expect } from 'chai';
import { eventually } from './kit/eventually.ts';

/** Kinds of resource that Node's own idle machinery comes and goes with. */
const ignored = new Set(['TTYWrap', 'PipeWrap', 'Immediate', 'CloseReq']);

/** Call inside a describe block. Compares after each test what the process holds open with what it held before. */
export function withoutLeaks(): void {
  let before: Readonly<Record<string, number>> = {};

  beforeEach(() => {
    before = held();
  });

  afterEach(async () => {
    // A closed socket needs a turn or two of the event loop to be gone.
    await eventually(() => expect(surplus(before, held()), 'resources left open').to.deep.equal({}), 3_000);
  });
}

function held(): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) if (!ignored.has(name)) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function surplus(before: Readonly<Record<string, number>>, after: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(after).filter(([name, count]) => count > allowance(name, before)).map(([name, count]) => [name, count - (before[name] ?? 0)]));
}

/** Mocha's own timer for the running hook is one of the timers. */
function allowance(name: string, before: Readonly<Record<string, number>>): number {
  return (before[name] ?? 0) + (name === 'Timeout' ? 1 : 0);
}
