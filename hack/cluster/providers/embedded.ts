import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ClusterError } from '../errors.ts';
import { EmbeddedCluster } from '../embedded/cluster.ts';
import { layoutOf, nodeLayout, nodeName } from '../embedded/layout.ts';
import { loadArchive, withArchive } from '../embedded/loading.ts';
import { tearDown } from '../embedded/teardown.ts';
import { withLock } from '../lock.ts';
import { cacheDir } from '../places.ts';
import { say } from '../progress.ts';
import { readState } from '../state.ts';
import type { ClusterState } from '../state.ts';
import type { ClusterStatus, Provider, UpOptions } from './provider.ts';

/** Kubernetes from this machine's own parts: its programs built from Go modules, nodes on Debian's containerd, no Docker, no registry. */
export class EmbeddedProvider implements Provider {
  readonly name = 'embedded';
  readonly #id: string;

  constructor(id: string) {
    this.#id = id;
  }

  async up(options: UpOptions): Promise<void> {
    if (!options.controlPlaneOnly) requireRoot();
    await this.#exclusively(async () => {
      const found = await readState(this.#id);
      if (found !== undefined && sameShape(found, options)) {
        if (await repaired(found)) return;
      } else if (found !== undefined) {
        say('The cluster that is up has another shape; removing it first ...');
      }
      if (found !== undefined) await tearDown(found);
      await EmbeddedCluster.create(this.#id, options);
    });
  }

  async down(): Promise<void> {
    await this.#exclusively(async () => {
      const state = await readState(this.#id);
      if (state !== undefined) await tearDown(state);
      say(state === undefined ? 'There is no cluster.' : 'The cluster is gone.');
    });
  }

  async status(): Promise<ClusterStatus> {
    const state = await readState(this.#id);
    if (state === undefined) return { up: false, lines: ['No cluster is up.'] };
    return (await EmbeddedCluster.open(state)).status();
  }

  async load(image: string): Promise<void> {
    const state = await this.#stateOfRunning();
    if (state.nodes === 0) throw new ClusterError('NOT_UP', 'The cluster has no nodes (--control-plane-only), so it cannot hold images.');
    const layout = layoutOf(state);
    const off = await (await EmbeddedCluster.open(state)).nodesOff();
    const nodes = indices(state).filter((index) => !off.includes(index)).map((index) => nodeLayout(layout, index));
    const { names, skipped } = await withArchive(image, async (archive) => loadArchive(nodes, archive));
    say(`${skipped ? 'Was there already' : 'Loaded'}: ${names.join(', ')}`);
    if (off.length > 0) say(`Load it again once these nodes have been started: ${off.map(nodeName).join(', ')}`);
  }

  async killNode(name: string): Promise<void> {
    await this.#exclusively(async () => {
      const state = await this.#stateOfRunning();
      await (await EmbeddedCluster.open(state)).killNode(indexOf(state, name));
      say(`${name} is off.`);
    });
  }

  async startNode(name: string): Promise<void> {
    await this.#exclusively(async () => {
      const state = await this.#stateOfRunning();
      await (await EmbeddedCluster.open(state)).startNode(indexOf(state, name));
    });
  }

  async kubeconfig(): Promise<string> {
    return join(layoutOf(await this.#stateOfRunning()).dir, 'kubeconfig');
  }

  async #stateOfRunning(): Promise<ClusterState> {
    const state = await readState(this.#id);
    if (state === undefined) throw new ClusterError('NOT_UP', 'No cluster is up. Start one with: npm run cluster -- up');
    return state;
  }

  async #exclusively(work: () => Promise<void>): Promise<void> {
    const locks = join(cacheDir(), 'locks');
    await mkdir(locks, { recursive: true });
    await withLock(join(locks, `cluster-${this.#id}`), 'another command works on this cluster', work);
  }
}

/** Whether the cluster is healthy, or could be made so without losing what is in it. */
async function repaired(state: ClusterState): Promise<boolean> {
  const cluster = await EmbeddedCluster.open(state);
  const { up, lines } = await cluster.status();
  if (up) {
    say('The cluster is up already.');
    return true;
  }
  say(`The cluster is not healthy:\n  ${lines.join('\n  ')}\nStarting what is missing ...`);
  try {
    await cluster.start();
    return true;
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    say(`That did not help, so the cluster is made anew. What went wrong: ${error.message}`);
    return false;
  }
}

function indices(state: ClusterState): number[] {
  return Array.from({ length: state.nodes }, (_, at) => at + 1);
}

function indexOf(state: ClusterState, name: string): number {
  const index = indices(state).find((one) => nodeName(one) === name);
  if (index === undefined) throw new ClusterError('USAGE', `There is no node "${name}"; there are: ${indices(state).map(nodeName).join(', ') || 'none'}.`);
  return index;
}

function sameShape(state: ClusterState, options: UpOptions): boolean {
  return state.controlPlaneOnly === options.controlPlaneOnly && state.nodes === nodesOf(options) && state.gpusPerNode === options.gpusPerNode
    && state.nodeMonitorGraceSeconds === options.nodeMonitorGraceSeconds;
}

function nodesOf(options: UpOptions): number {
  return options.controlPlaneOnly ? 0 : options.nodes;
}

function requireRoot(): void {
  if (process.getuid?.() === 0) return;
  throw new ClusterError('NO_PROVIDER', 'A cluster with nodes needs root (namespaces, mounts, control groups). Run with sudo, or take --control-plane-only.');
}
