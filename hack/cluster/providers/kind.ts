import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { binary } from '../binaries.ts';
import { attempt, exists, run } from '../commands.ts';
import { ClusterError } from '../errors.ts';
import { withArchive } from '../embedded/loading.ts';
import { clusterDir } from '../places.ts';
import { say, step } from '../progress.ts';
import { readState, writeState } from '../state.ts';
import type { ClusterStatus, Provider, UpOptions } from './provider.ts';

export async function dockerRuns(): Promise<boolean> {
  return (await exists('docker')) && (await attempt('docker', ['info'])).code === 0;
}

/** A cluster in Docker containers, by kind: its own if it is installed, else built from the pinned module. */
export class KindProvider implements Provider {
  readonly name = 'kind';
  readonly #id: string;

  constructor(id: string) {
    this.#id = id;
  }

  get #cluster(): string {
    return `anneal-${this.#id}`;
  }

  get #kubeconfig(): string {
    return join(clusterDir(this.#id), 'kubeconfig');
  }

  async up(options: UpOptions): Promise<void> {
    if (options.nodeMonitorGraceSeconds !== undefined) throw new ClusterError('USAGE', '--node-monitor-grace-period is for embedded clusters. Leave it out, or take --provider embedded.');
    if (await this.#isThere()) {
      say('The cluster is up already.');
      return;
    }
    await mkdir(clusterDir(this.#id), { recursive: true });
    await writeState({ id: this.#id, provider: 'kind', controlPlaneOnly: false, nodes: options.nodes, gpusPerNode: 0 });
    const config = { kind: 'Cluster', apiVersion: 'kind.x-k8s.io/v1alpha4', nodes: [{ role: 'control-plane' }, ...Array.from({ length: options.nodes - 1 }, () => ({ role: 'worker' }))] };
    const args = ['create', 'cluster', '--name', this.#cluster, '--kubeconfig', this.#kubeconfig, '--wait', '180s', '--config', '-'];
    await step('kind cluster (the first time Docker pulls its node image)', async () => run(await kind(), args, { input: JSON.stringify(config) }));
  }

  async down(): Promise<void> {
    if (await this.#isThere()) await run(await kind(), ['delete', 'cluster', '--name', this.#cluster, '--kubeconfig', this.#kubeconfig]);
    await rm(clusterDir(this.#id), { recursive: true, force: true });
  }

  async status(): Promise<ClusterStatus> {
    if ((await readState(this.#id)) === undefined || !(await this.#isThere())) return { up: false, lines: ['No cluster is up.'] };
    const nodes = await run(await binary('kubectl'), ['--kubeconfig', this.#kubeconfig, 'get', 'nodes']);
    return { up: true, lines: [`kind cluster ${this.#cluster}`, ...nodes.trimEnd().split('\n')] };
  }

  async load(image: string): Promise<void> {
    await withArchive(image, async (archive) => run(await kind(), ['load', 'image-archive', archive, '--name', this.#cluster]));
    say(`Loaded: ${image}`);
  }

  killNode(): Promise<void> {
    return Promise.reject(new ClusterError('USAGE', `kind has no way to end a node as a power cut does; "docker pause" of its container comes near. Or take --provider embedded.`));
  }

  startNode(): Promise<void> {
    return this.killNode();
  }

  kubeconfig(): Promise<string> {
    return Promise.resolve(this.#kubeconfig);
  }

  async #isThere(): Promise<boolean> {
    if (!(await dockerRuns())) throw new ClusterError('NO_PROVIDER', 'kind needs Docker, and "docker info" fails here. Start Docker, or take --provider embedded.');
    return (await run(await kind(), ['get', 'clusters'])).split('\n').includes(this.#cluster);
  }
}

async function kind(): Promise<string> {
  return (await exists('kind')) ? 'kind' : binary('kind');
}
