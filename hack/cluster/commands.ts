import { spawn } from 'node:child_process';
import { ClusterError } from './errors.ts';

export interface RunOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Called with each piece that the command writes to stderr. */
  readonly onStderr?: (text: string) => void;
}

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a short command to its end and returns what it wrote, whatever its exit status. Fails only when it cannot be started. */
export async function attempt(command: string, args: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
  const child = spawn(command, args, { env: { ...process.env, ...options.env }, cwd: options.cwd, stdio: ['pipe', 'pipe', 'pipe'] });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => {
    stderr.push(chunk);
    options.onStderr?.(chunk.toString());
  });
  // A command that ends before it has read its input closes the pipe; its exit status tells more than EPIPE does.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve(status ?? 1));
  });
  return { code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() };
}

/** Runs a short command and returns its stdout; a failure carries the command and what it said. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const result = await attempt(command, args, options);
  if (result.code === 0) return result.stdout;
  throw new ClusterError('COMMAND_FAILED', `${[command, ...args].join(' ')} failed with status ${result.code}: ${result.stderr.trim() || result.stdout.trim()}`);
}

/** Whether a command of this name can be started. */
export async function exists(command: string): Promise<boolean> {
  return (await attempt('sh', ['-c', 'command -v -- "$1"', 'sh', command])).code === 0;
}
