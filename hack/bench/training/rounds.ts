/** The programs' side of `contestant.ts`. */
import { createInterface } from 'node:readline';

/** Does a round for each line of the standard input. @param round  @returns mean loss over its batches */
export async function answerRounds(round: () => number | Promise<number>): Promise<void> {
  const lines = createInterface(process.stdin)[Symbol.asyncIterator]();
  while ((await lines.next()).done !== true) {
    const cpu = process.cpuUsage();
    const begin = performance.now();
    const loss = await round();
    const seconds = (performance.now() - begin) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    console.log(JSON.stringify({ seconds, cpuSeconds: (user + system) / 1e6, loss }));
  }
}
