import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { binaries } from '../binaries.ts';
import { run } from '../commands.ts';
import type { RunOptions } from '../commands.ts';
import { kubeconfig } from '../kubeconfig.ts';
import { directly, ready } from '../processes.ts';
import type { ProcessRecord } from '../processes.ts';
import type { ProcessTable } from '../processtable.ts';
import { until } from '../until.ts';
import { adminClient } from './api.ts';
import type { ApiClient } from './api.ts';
import { apiServerFlags, controllerManagerFlags, etcdFlags, etcdSocket, schedulerFlags, toArgs } from './flags.ts';
import type { ControllerOptions, Endpoint, Flags } from './flags.ts';
import { controlPlanePki, readPair } from './pki.ts';
import type { Pki } from './pki.ts';

export interface ControlPlaneSettings extends ControllerOptions {
  /** Folder for certificates, data and logs. */
  readonly dir: string;
  /** Working folder of etcd, which puts its sockets there; its path must be short. */
  readonly socketDir: string;
  readonly endpoint: Endpoint;
  readonly serviceCidr: string;
  /** Network namespace of all four processes; the machine's own when absent. */
  readonly network?: string;
  readonly apiServerFlags?: Flags;
  readonly endsWithUs?: boolean;
}

/** etcd, kube-apiserver and, when asked for, kube-controller-manager and kube-scheduler: real ones, as processes of this machine. */
export class ControlPlane {
  readonly server: string;
  readonly kubeconfigPath: string;
  readonly pki: Pki;
  readonly #settings: ControlPlaneSettings;
  readonly #processes: ProcessTable;
  readonly #client: ApiClient;

  private constructor(settings: ControlPlaneSettings, processes: ProcessTable, pki: Pki, client: ApiClient) {
    this.#settings = settings;
    this.#processes = processes;
    this.#client = client;
    this.pki = pki;
    this.server = serverOf(settings.endpoint);
    this.kubeconfigPath = join(settings.dir, 'kubeconfig');
  }

  /** Makes the certificates and kubeconfigs, or takes those that are there. Starts nothing. */
  static async prepare(settings: ControlPlaneSettings, processes: ProcessTable): Promise<ControlPlane> {
    await mkdir(join(settings.dir, 'logs'), { recursive: true });
    const { address } = settings.endpoint;
    const names = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local', 'localhost'];
    const pki = await controlPlanePki(join(settings.dir, 'pki'), [...names, firstAddress(settings.serviceCidr), ...new Set([address, '127.0.0.1'])]);
    const plane = new ControlPlane(settings, processes, pki, await adminClient(pki.dir, serverOf(settings.endpoint)));
    await plane.writeKubeconfig('admin', plane.kubeconfigPath);
    return plane;
  }

  /** Starts what does not run yet and waits until it answers. */
  async start(options: { readonly withControllers: boolean }): Promise<void> {
    await this.startApi();
    if (options.withControllers) await this.startControllers();
  }

  /** etcd and the API server. */
  async startApi(): Promise<void> {
    await binaries(['etcd', 'kube-apiserver', 'kubectl']);
    await this.#startEtcd();
    await this.startApiServer();
    await until('the namespace "default" is there', async () => (await this.#client.status('/api/v1/namespaces/default')) === 200, { timeoutSeconds: 30 });
  }

  async startControllers(): Promise<void> {
    await binaries(['kube-controller-manager', 'kube-scheduler']);
    await this.#startController('kube-controller-manager', 'controller-manager', (config) => controllerManagerFlags(this.pki, config, this.#settings));
    await this.#startController('kube-scheduler', 'scheduler', (config) => schedulerFlags(config, this.#settings));
    await until('kube-controller-manager works', async () => (await this.#client.status('/api/v1/namespaces/default/serviceaccounts/default')) === 200, { timeoutSeconds: 60 });
  }

  async startApiServer(): Promise<void> {
    const { endpoint, serviceCidr, socketDir, apiServerFlags: extra = {} } = this.#settings;
    const { 'kube-apiserver': command } = await binaries(['kube-apiserver']);
    const flags = { ...apiServerFlags(this.pki, endpoint, `unix://${join(socketDir, etcdSocket)}`, serviceCidr), ...extra };
    const record = await this.#run('kube-apiserver', command, toArgs(flags));
    await ready(record, async () => (await this.#client.status('/readyz')) === 200);
  }

  /** Stops the API server; its state stays in etcd. With 0 s of grace it is killed, as by a crash. */
  async stopApiServer(graceSeconds?: number): Promise<void> {
    await this.#processes.stop('kube-apiserver', graceSeconds);
  }

  async restartApiServer(graceSeconds?: number): Promise<void> {
    await this.stopApiServer(graceSeconds);
    await this.startApiServer();
  }

  async isReady(): Promise<boolean> {
    return this.answers('/readyz');
  }

  /** Whether the API server answers a GET of this path with 200. */
  async answers(path: string): Promise<boolean> {
    return (await this.#client.status(path)) === 200;
  }

  /** Process ids by the name of the program. */
  get pids(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#processes.records.map(({ name, pid }) => [name, pid]));
  }

  /** Text of the administrator's kubeconfig. */
  async kubeconfig(): Promise<string> {
    return this.#kubeconfigOf('admin');
  }

  async kubectl(args: readonly string[], options?: RunOptions): Promise<string> {
    const { kubectl } = await binaries(['kubectl']);
    return run(kubectl, ['--kubeconfig', this.kubeconfigPath, ...args], { ...options, env: { ...directly, ...options?.env } });
  }

  async apply(objects: readonly object[]): Promise<void> {
    await this.kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }) });
  }

  /** Applies files of CustomResourceDefinitions and waits until their kinds can be used. */
  async installCrds(files: readonly string[]): Promise<void> {
    if (files.length === 0) return;
    const args = files.flatMap((file) => ['-f', file]);
    const names = await this.kubectl(['apply', '--server-side', '-o', 'name', ...args]);
    await this.kubectl(['wait', '--for=condition=Established', '--timeout=60s', ...names.trim().split('\n')]);
  }

  /** Writes a kubeconfig for the client whose certificate is NAME.crt. */
  async writeKubeconfig(name: string, file: string): Promise<string> {
    await writeFile(file, await this.#kubeconfigOf(name), { mode: 0o600 });
    return file;
  }

  async #kubeconfigOf(name: string): Promise<string> {
    const authority = this.pki.authority.pair.certificate;
    return kubeconfig({ server: this.server, authority, client: await readPair(this.pki.dir, name), name: 'anneal' });
  }

  async #startEtcd(): Promise<void> {
    const { etcd } = await binaries(['etcd']);
    const { dir, socketDir } = this.#settings;
    await mkdir(socketDir, { recursive: true, mode: 0o700 });
    await this.#run('etcd', etcd, toArgs(etcdFlags(join(dir, 'etcd'))), socketDir);
  }

  async #startController(name: 'kube-controller-manager' | 'kube-scheduler', user: string, flags: (kubeconfig: string) => Flags): Promise<void> {
    const { [name]: command } = await binaries([name]);
    const config = await this.writeKubeconfig(user, join(this.pki.dir, `${user}.kubeconfig`));
    await this.#run(name, command, toArgs(flags(config)));
  }

  async #run(name: string, command: string, args: readonly string[], cwd?: string): Promise<ProcessRecord> {
    const { dir, network, endsWithUs } = this.#settings;
    return this.#processes.ensure({
      name, command, args, log: join(dir, 'logs', `${name}.log`),
      ...(cwd === undefined ? {} : { cwd }),
      ...(network === undefined ? {} : { network }),
      ...(endsWithUs === undefined ? {} : { endsWithUs }),
    });
  }
}

function serverOf({ address, port }: Endpoint): string {
  return `https://${address}:${port}`;
}

/** Address of the Service "kubernetes": the first of the range. */
function firstAddress(cidr: string): string {
  const [address = ''] = cidr.split('/');
  const parts = address.split('.').map(Number);
  return [...parts.slice(0, 3), (parts[3] ?? 0) + 1].join('.');
}
