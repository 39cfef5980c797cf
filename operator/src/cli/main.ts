#!/usr/bin/env node
/** `anneal VERB ...`: the only file of the command line that knows of the process. */
import { runConvert, convertUsage } from './convert.ts';
import type { Terminal } from './terminal.ts';
import { readAll } from './files.ts';

const verbs: Readonly<Record<string, (args: readonly string[], terminal: Terminal) => Promise<number>>> = { convert: runConvert };

const usage = `anneal VERB [flags]
  convert   make TrainingJobs of the training jobs of other operators

${convertUsage}`;

const terminal: Terminal = {
  // npm and the project's scripts change the directory; what the user types is relative to the one that they are in.
  directory: process.env.INIT_CWD ?? process.cwd(),
  input: () => readAll(process.stdin),
  print: (text) => void process.stdout.write(text),
  tell: (text) => void process.stderr.write(text),
};

const [verb = '', ...args] = process.argv.slice(2);
const run = verbs[verb];
if (['--help', '-h', 'help'].includes(verb)) terminal.print(`${usage}\n`);
else if (run === undefined) {
  terminal.tell(`${verb === '' ? 'There is no verb.' : `There is no verb "${verb}".`}\n\n${usage}\n`);
  process.exitCode = 2;
} else process.exitCode = await run(args, terminal);
