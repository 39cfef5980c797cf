/** The operator under test: a process of its own that reaches the API server only through a fault proxy of its own. */
import { renameSync, writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTicks } from '../../../hack/cluster/processes.ts';
import { startOperator } from '../../../hack/testbed/index.ts';
import type { OperatorProcess } from '../../../hack/testbed/operator.ts';
import { asError } from '../../../operator/src/kube/errors.ts';
import { FaultProxy } from '../faultproxy.ts';
import type { Bed } from './bed.ts';

/** How often it is looked whether the process is still there. */
const supervisionMs = 100;

export class Subject implements AsyncDisposable {
  readonly proxy: FaultProxy;
  /** Ends of the process that nobody here asked for. */
  exits = 0;
  readonly #stack: AsyncDisposableStack;
  readonly #clockFile: string;
  #operator: OperatorProcess;
  #launching: Promise<void> | undefined;
  #isDown = false;
  #failure: Error | undefined;
  #logSeen = 0;

  static async start(bed: Bed, namespace: string): Promise<Subject> {
    await using parts = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), 'anneal-subject-'));
    parts.defer(async () => rm(folder, { recursive: true, force: true }));
    const proxy = parts.use(await FaultProxy.start(bed.account.kubeconfig));
    const [kubeconfig, clockFile] = [join(folder, 'kubeconfig'), join(folder, 'clock')];
    await Promise.all([writeFile(kubeconfig, proxy.kubeconfig()), writeFile(clockFile, '0')]);
    const operator = await startOperator({
      account: { namespace, server: proxy.url.origin, kubeconfig, folder }, as: 'Kubeconfig',
      flags: ['--watch-namespaces', namespace], nodeFlags: [`--import=${clockThatJumps(clockFile)}`],
    });
    return new Subject(operator, proxy, parts.move(), clockFile);
  }

  private constructor(operator: OperatorProcess, proxy: FaultProxy, stack: AsyncDisposableStack, clockFile: string) {
    this.#operator = operator;
    this.proxy = proxy;
    this.#stack = stack;
    this.#clockFile = clockFile;
    const supervise = (): void => void this.#supervise().catch((error: unknown) => {
      this.#failure = asError(error);
    });
    const timer = setInterval(supervise, supervisionMs);
    stack.defer(async () => {
      clearInterval(timer);
      await this.#launching;
      await this.#operator.stop();
    });
  }

  /** Kills it at once. It stays down until it is launched again. */
  async kill(): Promise<void> {
    await this.#launching;
    this.#isDown = true;
    await this.#operator.kill();
  }

  /** Starts it anew, as the kubelet does with a container that ended, and waits until its caches are full. */
  async relaunch(): Promise<void> {
    const launch = async (): Promise<void> => {
      this.#operator = await this.#operator.relaunch();
      this.#isDown = false;
      await this.#operator.ready();
    };
    this.#launching = launch().finally(() => {
      this.#launching = undefined;
    });
    await this.#launching;
  }

  freeze(): void {
    this.#operator.signal('SIGSTOP');
  }

  thaw(): void {
    this.#operator.signal('SIGCONT');
  }

  /** Sets its wall clock ahead of the machine's, or behind; at once, since two jumps may come at one write. */
  setClock(aheadSeconds: number): void {
    writeFileSync(`${this.#clockFile}.new`, String(aheadSeconds * 1000));
    renameSync(`${this.#clockFile}.new`, this.#clockFile);
  }

  /** Lines of its log since the last call that no fault explains: errors, and mistakes of the program itself. */
  async unexpectedLines(): Promise<string[]> {
    const text = await readFile(this.#operator.logFile, 'utf8');
    const fresh = text.slice(this.#logSeen);
    this.#logSeen = text.length;
    const failure = this.#failure === undefined ? [] : [`It could not be started again: ${this.#failure.message}`];
    return [...fresh.split('\n').filter((line) => line !== '' && isUnexpected(line)), ...failure];
  }

  /** The last lines of its log, for a person. */
  async log(lines: number): Promise<string> {
    return this.#operator.log(lines);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  /** A process that ended by itself, as one does that lost the leadership, is started again. */
  async #supervise(): Promise<void> {
    const { pid } = this.#operator;
    if (this.#isCared() || (await startTicks(pid)) !== undefined || this.#isCared() || this.#operator.pid !== pid) return;
    this.exits += 1;
    await this.relaunch();
  }

  /** Somebody has killed it, or starts it just now. */
  #isCared(): boolean {
    return this.#isDown || this.#launching !== undefined;
  }
}

/** Losing the leadership is an error to its log, and what some faults are for. */
const explained = [/"message":"Lost the leadership"/];
const bug = /\b(TypeError|RangeError|ReferenceError|AssertionError)\b/;

function isUnexpected(line: string): boolean {
  if (explained.some((pattern) => pattern.test(line))) return false;
  return line.includes('"level":"error"') || bug.test(line) || !line.startsWith('{');
}

/** A module that makes Date.now() as far ahead as a file says; the monotonic clock stays true, as when a person sets the time. */
function clockThatJumps(file: string): string {
  const source = `
    import { readFileSync } from 'node:fs';
    const now = Date.now;
    let ahead = 0;
    const read = () => { ahead = Number(readFileSync(${JSON.stringify(file)}, 'utf8')); };
    read();
    setInterval(read, 50).unref();
    Date.now = () => now() + ahead;`;
  return `data:text/javascript,${encodeURIComponent(source)}`;
}
