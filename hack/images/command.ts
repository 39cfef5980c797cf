import { spawn } from 'node:child_process';

import { ImageError } from './errors.ts';

/** Takes one line for the person who waits. */
export type Say = (line: string) => void;

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Written to the command's standard input, which is then closed. */
  readonly input?: string;
  /** Where a line goes every `everySeconds` while the command runs; none when absent. */
  readonly say?: Say;
  /** What the line says that the command is doing, for example `building the base`. */
  readonly doing?: string;
  readonly everySeconds?: number;
}

/** The end of what a failed command wrote: enough to see why, short enough to read. */
const tailCharacters = 3000;

/**
 * Runs a command to its end and returns its standard output.
 *
 * @throws ImageError `TOOL_MISSING` when there is no such program, `COMMAND_FAILED` with the end of its output otherwise
 */
export async function run(program: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const started = performance.now();
  const child = spawn(program, args, { cwd: options.cwd, env: options.env, stdio: ['pipe', 'pipe', 'pipe'] });
  let out = '';
  let tail = '';
  const keep = (chunk: string): void => { tail = (tail + chunk).slice(-tailCharacters); };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => { out += chunk; keep(chunk); });
  child.stderr.setEncoding('utf8').on('data', keep);
  // A program that exits before it has read its input breaks the pipe; its exit status is what tells.
  child.stdin.on('error', (error: NodeJS.ErrnoException) => { if (error.code !== 'EPIPE') keep(error.message); });
  child.stdin.end(options.input ?? '');

  const { say, doing = program, everySeconds = 15 } = options;
  const ticker = say === undefined ? undefined : setInterval(() => {
    say(`  still ${doing} (${String(Math.round((performance.now() - started) / 1000))} s)`);
  }, everySeconds * 1000);

  return new Promise<string>((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      reject(new ImageError(error.code === 'ENOENT' ? 'TOOL_MISSING' : 'COMMAND_FAILED', `${program} could not be started: ${error.message}`, { cause: error }));
    });
    child.once('close', (status, signal) => {
      if (status === 0) resolve(out);
      else reject(new ImageError('COMMAND_FAILED', `${program} ${args.join(' ')} ended with ${signal ?? `status ${String(status)}`}:\n${tail.trim()}`));
    });
  }).finally(() => clearInterval(ticker));
}
