import { spawn } from 'node:child_process';
import type { StdioOptions } from 'node:child_process';
import { existsSync } from 'node:fs';
import { open, readFile, readdir } from 'node:fs/promises';
import { basename } from 'node:path';
import { ClusterError } from './errors.ts';
import { until } from './until.ts';

/** A process that can be recognised later, also by another program: a pid alone may since have been given to somebody else. */
export interface ProcessRecord {
  readonly name: string;
  readonly pid: number;
  /** Clock ticks after boot at which it started: field 22 of /proc/PID/stat. */
  readonly startTicks: number;
  readonly log: string;
}

export interface ProcessSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly log: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Name of the network namespace to run in; the machine's own when absent. */
  readonly network?: string;
  /** Process whose mount namespace to join; the machine's own when absent. */
  readonly mountsOf?: number;
  /** The kernel ends it when this program ends, however that happens. For tests; a cluster outlives the program that started it. */
  readonly endsWithUs?: boolean;
  /** Started again a second after each end, as the kubelet does with a container: for programs that end when they lose a connection. */
  readonly keptUp?: boolean;
}

/** Environment that keeps a Go program from asking the user's web proxy for addresses that exist on this machine only. */
export const directly = { NO_PROXY: '*', no_proxy: '*' };

/** Start time of a running process in clock ticks after boot; undefined when there is no such process, or only its zombie. */
export async function startTicks(pid: number): Promise<number | undefined> {
  let stat: string;
  try {
    stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
  // The second field is the name in brackets and may itself hold spaces and brackets.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const isZombie = fields[0] === 'Z' || fields[0] === 'X';
  return isZombie && (await threadsOf(pid)) <= 1 ? undefined : Number(fields[19]);
}

/** A killed program of many threads is a zombie while some of them still end, and holds its ports until the last has. */
async function threadsOf(pid: number): Promise<number> {
  try {
    return (await readdir(`/proc/${pid}/task`)).length;
  } catch (error) {
    if (isGone(error)) return 0;
    throw error;
  }
}

export async function isAlive(record: Pick<ProcessRecord, 'pid' | 'startTicks'>): Promise<boolean> {
  return (await startTicks(record.pid)) === record.startTicks;
}

/** Starts a process that writes to its log file and stays when this program ends (unless endsWithUs). */
export async function start(spec: ProcessSpec): Promise<ProcessRecord> {
  const [command, args] = wrap(spec);
  const log = await open(spec.log, 'a');
  try {
    const stdio: StdioOptions = ['ignore', log.fd, log.fd];
    const child = spawn(command, args, { stdio, detached: true, env: { ...process.env, ...directly, ...spec.env }, cwd: spec.cwd });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    child.unref();
    const pid = child.pid;
    const ticks = pid === undefined ? undefined : await startTicks(pid);
    if (pid === undefined || ticks === undefined) throw await diedEarly(spec.name, spec.log);
    return { name: spec.name, pid, startTicks: ticks, log: spec.log };
  } finally {
    await log.close();
  }
}

/** The recorded pid is the loop's; the kernel ends the command with it. */
const keepUp = `trap 'kill "$child" 2> /dev/null; exit' TERM
while :; do
  setpriv --pdeathsig KILL -- "$@" & child=$!
  wait "$child"
  echo "$0 ended with status $?; starting it again" >&2
  sleep 1
done`;

/** nsenter and setpriv replace themselves by the command, so the recorded pid is the command's own. */
function wrap(spec: ProcessSpec): [string, string[]] {
  let words = [spec.command, ...spec.args];
  if (spec.keptUp === true) words = ['sh', '-c', keepUp, spec.name, ...words];
  if (spec.endsWithUs === true && existsSync('/usr/bin/setpriv')) words = ['setpriv', '--pdeathsig', 'KILL', '--', ...words];
  // Not `ip netns exec`: it mounts a new /sys, and the control groups would be gone.
  const namespaces = [
    ...(spec.network === undefined ? [] : [`--net=/run/netns/${spec.network}`]),
    ...(spec.mountsOf === undefined ? [] : [`--mount=/proc/${spec.mountsOf}/ns/mnt`]),
  ];
  if (namespaces.length > 0) words = ['nsenter', ...namespaces, '--', ...words];
  const [command = spec.command, ...args] = words;
  return [command, args];
}

/** Waits until a started process answers; fails with its last lines when it dies or takes too long. */
export async function ready(record: ProcessRecord, answers: () => Promise<boolean>, timeoutSeconds = 60): Promise<void> {
  await until(`${record.name} answers`, async () => {
    if (!(await isAlive(record))) throw await diedEarly(record.name, record.log);
    return answers();
  }, { timeoutSeconds, hint: () => tail(record.log) });
}

/** Ends exactly this process: asks first, then kills. Does nothing when it is gone or its pid belongs to another by now. */
export async function stop(record: Pick<ProcessRecord, 'name' | 'pid' | 'startTicks'>, graceSeconds = 5): Promise<void> {
  if (!(await isAlive(record))) return;
  if (graceSeconds > 0) {
    signal(record.pid, 'SIGTERM');
    if (await endsWithin(record, graceSeconds)) return;
  }
  signal(record.pid, 'SIGKILL');
  await until(`${record.name} (pid ${record.pid}) ends`, async () => !(await isAlive(record)), { timeoutSeconds: 20 });
}

async function endsWithin(record: Pick<ProcessRecord, 'pid' | 'startTicks'>, seconds: number): Promise<boolean> {
  const deadline = performance.now() + seconds * 1000;
  while (performance.now() < deadline) {
    if (!(await isAlive(record))) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}

/** Sends a signal; a process that has just ended is no error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

/** Last lines of a log, for an error message. */
export async function tail(log: string, lines = 12): Promise<string> {
  const text = existsSync(log) ? await readFile(log, 'utf8') : '';
  return text.trimEnd().split('\n').slice(-lines).map((line) => line.slice(0, 400)).join('\n');
}

/** Error that shows a dead process's last lines. */
export async function diedEarly(name: string, log: string): Promise<ClusterError> {
  return new ClusterError('PROCESS_DIED', `${name} ended right after it was started. Its last lines (${basename(log)}):\n${await tail(log)}`);
}

export function isGone(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ESRCH';
}
