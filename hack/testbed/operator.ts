import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../cluster/controlplane/ports.ts';
import { ready, signal, start, stop, tail } from '../cluster/processes.ts';
import { bundle } from '../images/bundle.ts';
import { imageEnvironment } from '../images/environment.ts';
import type { OperatorAccount } from './account.ts';
import { cpuMs, forgetPeak, peakRssMiB, rssMiB } from './process-figures.ts';

export interface OperatorOptions {
  readonly account: OperatorAccount;
  /**
   * `Pod`: it finds its account where a pod does, in a mount namespace of its own, and so never loads what reads a kubeconfig. Needs
   * root. `Kubeconfig` otherwise.
   */
  readonly as: 'Pod' | 'Kubeconfig';
  /** Further flags of the operator. */
  readonly flags?: readonly string[];
  /** Flags of Node itself, for example `--cpu-prof`. */
  readonly nodeFlags?: readonly string[];
  readonly logLevel?: string;
}

/** The operator as its own process, from the same bundle as its image. */
export interface OperatorProcess extends AsyncDisposable {
  readonly pid: number;
  readonly progressPort: number;
  /** Waits until /readyz answers with 200; milliseconds from the start of the process until it was seen to. */
  ready(): Promise<number>;
  /** Starts the same again, under its name and on its ports, as the kubelet does with a container that ended. Not waited for. */
  relaunch(): Promise<OperatorProcess>;
  /** The text of /metrics. */
  metrics(): Promise<string>;
  rssMiB(): Promise<number>;
  /** Most memory that was resident since the start, or since `forgetPeak`. */
  peakRssMiB(): Promise<number>;
  forgetPeak(): Promise<void>;
  /** CPU time of all threads since the start. */
  cpuMs(): Promise<number>;
  /** Its whole log, and that of its predecessors under this name. */
  readonly logFile: string;
  /** Last lines of its log. */
  log(lines?: number): Promise<string>;
  /** Ends it as the kubelet does, by SIGTERM with time to drain. Does nothing when it is gone. */
  stop(): Promise<void>;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
  signal(name: NodeJS.Signals): void;
}

/** The time that the kubelet gives to a pod. */
const graceSeconds = 30;

/** What stays the same when the kubelet restarts a pod's container: its name and its ports. */
interface Slot {
  readonly name: string;
  readonly metrics: number;
  readonly health: number;
  readonly progress: number;
}

/** Starts an operator and waits until its caches are full. It ends with this program at the latest. */
export async function startOperator(options: OperatorOptions): Promise<OperatorProcess> {
  const [metrics, health, progress] = [await freePort(), await freePort(), await freePort()];
  const operator = await launch(options, { name: `operator-${health}`, metrics, health, progress });
  await operator.ready();
  return operator;
}

async function launch(options: OperatorOptions, slot: Slot): Promise<OperatorProcess> {
  const { folder, main } = await bundled();
  const startedAt = performance.now();
  const { account } = options;
  const words = [
    process.execPath, ...(options.nodeFlags ?? []), main,
    ...(options.as === 'Pod' ? [] : ['--kubeconfig', account.kubeconfig]), '--lease-namespace', account.namespace,
    '--metrics-port', String(slot.metrics), '--health-port', String(slot.health), '--progress-port', String(slot.progress),
    '--log-level', options.logLevel ?? 'info', ...(options.flags ?? []),
  ];
  const [command = '', ...args] = options.as === 'Pod' ? inPod(account, words) : words;
  const record = await start({
    name: 'operator', command, args,
    log: join(folder, `${slot.name}.log`),
    env: { ...(await environment(folder, slot.name)), ...(options.as === 'Pod' ? serviceVariables(account.server) : {}) },
    cwd: folder,
    endsWithUs: true,
  });
  const { pid } = record;
  return {
    pid,
    progressPort: slot.progress,
    logFile: record.log,
    ready: async () => {
      await ready(record, async () => answers(`http://127.0.0.1:${slot.health}/readyz`), 60);
      return performance.now() - startedAt;
    },
    relaunch: async () => launch(options, slot),
    metrics: async () => (await fetch(`http://127.0.0.1:${slot.metrics}/metrics`)).text(),
    rssMiB: async () => rssMiB(pid),
    peakRssMiB: async () => peakRssMiB(pid),
    forgetPeak: async () => forgetPeak(pid),
    cpuMs: async () => cpuMs(pid),
    log: async (lines) => tail(record.log, lines),
    stop: async () => stop(record, graceSeconds),
    kill: async () => stop(record, 0),
    signal: (name) => signal(pid, name),
    [Symbol.asyncDispose]: async () => stop(record, graceSeconds),
  };
}

/**
 * The image's own, so that memory and speed are those of a pod. Each of several operators is an instance of its own; none of them may think
 * that it runs in a pod of the machine's own cluster.
 */
async function environment(folder: string, name: string): Promise<Record<string, string>> {
  return { ...(await imageEnvironment('operator')), NODE_COMPILE_CACHE: join(folder, 'compile-cache'), POD_NAME: name, KUBERNETES_SERVICE_HOST: '' };
}

/** Puts the account's files where a pod has them, seen by this command alone. Each program replaces the one before, so the pid stays. */
function inPod(account: OperatorAccount, words: readonly string[]): string[] {
  const secrets = '/var/run/secrets/kubernetes.io/serviceaccount';
  const script = `mount -t tmpfs none /run && mkdir -p ${secrets} && cp "$0/token" "$0/ca.crt" ${secrets} && exec "$@"`;
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, account.folder, ...words];
}

function serviceVariables(server: string): Record<string, string> {
  const { hostname, port } = new URL(server);
  return { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(1000) });
    await response.text();
    return response.ok;
  } catch (error) {
    // Nothing listens yet.
    if (error instanceof TypeError || (error instanceof DOMException && error.name === 'TimeoutError')) return false;
    throw error;
  }
}

interface Bundled {
  readonly folder: string;
  readonly main: string;
}

let bundling: Promise<Bundled> | undefined;

/** Once in a program: the bundle in a folder of its own, with its code compiled beforehand, as the image has it. */
async function bundled(): Promise<Bundled> {
  bundling ??= makeBundle();
  return bundling;
}

async function makeBundle(): Promise<Bundled> {
  const folder = await mkdtemp(join(tmpdir(), 'anneal-operator-'));
  // Mocha ends its process rather than wait for what is still open, which leaves only this event.
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  await bundle(join(import.meta.dirname, '..', '..', 'operator', 'src', 'main.ts'), folder);
  const main = join(folder, 'main.js');
  await promisify(execFile)(process.execPath, [main, '--version'], { env: { ...process.env, ...(await environment(folder, 'version')) } });
  return { folder, main };
}
