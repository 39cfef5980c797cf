/**
 * `npm run bench -- NAME [--json] [...]`: measures Anneal beside its baseline in the same run. Prints a table and, last, one
 * line of JSON; with `--json`, all but that line goes to stderr.
 */
import { pipeline } from './pipeline.ts';
import { reconcile } from './reconcile.ts';
import { scale } from './scale.ts';
import { training } from './training.ts';
import { UsageError } from './usage.ts';
import type { Benchmark } from './usage.ts';

const benchmarks: readonly Benchmark[] = [pipeline, reconcile, scale, training];

const usage = `npm run bench -- NAME [--json] [OPTIONS]

${benchmarks.map(({ name, about, options }) => [`  ${name.padEnd(12)}${about}`, ...options.map((option) => `${' '.repeat(14)}${option}`)].join('\n')).join('\n')}

  --json      only the line of JSON goes to stdout`;

async function main(args: readonly string[]): Promise<void> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === 'help') {
    console.log(usage);
    return;
  }
  const benchmark = benchmarks.find((candidate) => candidate.name === name);
  if (benchmark === undefined) throw new UsageError(`There is no benchmark "${name}"; there is ${benchmarks.map((candidate) => candidate.name).join(', ')}.`);
  const json = rest.includes('--json');
  const say = (line: string): void => void (json ? process.stderr : process.stdout).write(`${line}\n`);
  const result = await benchmark.run(rest.filter((arg) => arg !== '--json'), say);
  console.log(JSON.stringify(result));
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n\n${usage}`);
  process.exitCode = 2;
}
