import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClusterError } from '../errors.ts';
import { isAlive, isGone, startTicks } from '../processes.ts';
import type { ProcessRecord } from '../processes.ts';
import { ProcessTable } from '../processtable.ts';
import { ControlPlane } from './controlplane.ts';
import type { Flags } from './flags.ts';
import { freePort } from './ports.ts';

export interface ControlPlaneOptions {
  /** Whether kube-controller-manager and kube-scheduler run too. Without them no Job makes pods and nothing is garbage-collected. */
  readonly withControllers?: boolean;
  readonly apiServerFlags?: Flags;
  /** Requests per second that the controllers may send. */
  readonly qps?: number;
  /** Files of CustomResourceDefinitions to install. */
  readonly crds?: readonly string[];
}

const prefix = 'anneal-plane-';
const ownerFile = 'owner.json';

/** A control plane in a temporary folder on free ports of 127.0.0.1, for tests. Needs no rights; ends with this program at the latest. */
export class TestControlPlane implements AsyncDisposable {
  readonly plane: ControlPlane;
  readonly dir: string;
  readonly #processes: ProcessTable;

  constructor(plane: ControlPlane, processes: ProcessTable, dir: string) {
    this.plane = plane;
    this.dir = dir;
    this.#processes = processes;
  }

  get kubeconfigPath(): string {
    return this.plane.kubeconfigPath;
  }

  get server(): string {
    return this.plane.server;
  }

  get pids(): Readonly<Record<string, number>> {
    return this.plane.pids;
  }

  async kubeconfig(): Promise<string> {
    return this.plane.kubeconfig();
  }

  async kubectl(...parameters: Parameters<ControlPlane['kubectl']>): Promise<string> {
    return this.plane.kubectl(...parameters);
  }

  async installCrds(files: readonly string[]): Promise<void> {
    await this.plane.installCrds(files);
  }

  async startApiServer(): Promise<void> {
    await this.plane.startApiServer();
  }

  async stopApiServer(graceSeconds?: number): Promise<void> {
    await this.plane.stopApiServer(graceSeconds);
  }

  async restartApiServer(graceSeconds?: number): Promise<void> {
    await this.plane.restartApiServer(graceSeconds);
  }

  /** Ends the processes and removes the folder. May be called twice. */
  async dispose(): Promise<void> {
    await this.#processes.stopAll(0);
    await rm(this.dir, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }
}

/** Starts etcd and kube-apiserver (3 s once built), and the controllers when asked for. Several may run at once. */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<TestControlPlane> {
  await removeAbandoned();
  for (let triesLeft = 3; ; triesLeft -= 1) {
    try {
      return await startOnce(options);
    } catch (error) {
      // Between our asking for a free port and the server's taking it, another may have come first.
      if (triesLeft === 1 || !(error instanceof ClusterError && error.message.includes('address already in use'))) throw error;
    }
  }
}

async function startOnce(options: ControlPlaneOptions): Promise<TestControlPlane> {
  const dir = await mkdtemp(join(tmpdir(), prefix));
  await writeFile(join(dir, 'owner.new'), JSON.stringify({ pid: process.pid, startTicks: await startTicks(process.pid) }));
  await rename(join(dir, 'owner.new'), join(dir, ownerFile));
  const processes = await ProcessTable.open(dir);
  try {
    const plane = await ControlPlane.prepare({
      dir,
      socketDir: dir,
      endpoint: { address: '127.0.0.1', port: await freePort() },
      serviceCidr: '10.96.0.0/16',
      endsWithUs: true,
      ...(options.apiServerFlags === undefined ? {} : { apiServerFlags: options.apiServerFlags }),
      ...(options.qps === undefined ? {} : { qps: options.qps }),
    }, processes);
    await plane.start({ withControllers: options.withControllers ?? false });
    await plane.installCrds(options.crds ?? []);
    return new TestControlPlane(plane, processes, dir);
  } catch (error) {
    await processes.stopAll(0);
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}

/** Folders of programs that were killed before they could dispose; the kernel has ended their processes. */
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const dir = join(tmpdir(), name);
    if (!name.startsWith(prefix)) continue;
    const owner = await ownerOf(dir);
    if (owner === undefined || (await isAlive(owner))) continue;
    await (await ProcessTable.open(dir)).stopAll(0);
    await rm(dir, { recursive: true, force: true });
  }
}

/** Undefined for a folder that is just being made, that its owner is just removing, or that is another user's. */
async function ownerOf(dir: string): Promise<Pick<ProcessRecord, 'pid' | 'startTicks'> | undefined> {
  try {
    return JSON.parse(await readFile(join(dir, ownerFile), 'utf8')) as Pick<ProcessRecord, 'pid' | 'startTicks'>;
  } catch (error) {
    if (isGone(error) || (error as NodeJS.ErrnoException).code === 'EACCES') return undefined;
    throw error;
  }
}
