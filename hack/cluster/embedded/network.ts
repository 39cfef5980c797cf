import { existsSync } from 'node:fs';
import { mkdir, readdir, rmdir } from 'node:fs/promises';
import { join as joinPath } from 'node:path';
import { attempt, run } from '../commands.ts';
import { ClusterError } from '../errors.ts';
import { withLock } from '../lock.ts';
import { cacheDir } from '../places.ts';

/**
 * The network of one embedded cluster: 10.BLOCK.0.0/16, in network namespaces of its own.
 *
 *   this machine 10.B.0.1 --veth-- bridge 10.B.0.2 (control plane) --veth-- node 10.B.0.10+N (its pods: 10.B.16+N.0/24)
 *
 * Everything that Kubernetes does to a network (links, routes, firewall chains) happens inside these namespaces and goes with them, so
 * clusters cannot meet, the machine's own firewall is never written to, and a node has an address and ports like a real one.
 */
export interface Network {
  readonly id: string;
  readonly block: number;
}

const firstBlock = 200;
const blocks = 50;

export const hostAddress = ({ block }: Network): string => `10.${block}.0.1`;
export const controlPlaneAddress = ({ block }: Network): string => `10.${block}.0.2`;
export const nodeAddress = ({ block }: Network, node: number): string => `10.${block}.0.${10 + node}`;
export const podCidr = ({ block }: Network, node: number): string => `10.${block}.${16 + node}.0/24`;
export const serviceCidr = ({ block }: Network): string => `10.${block}.128.0/20`;
export const dnsAddress = ({ block }: Network): string => `10.${block}.128.10`;

export const controlPlaneNamespace = ({ id }: Network): string => `anneal-${id}`;
export const nodeNamespace = ({ id }: Network, node: number): string => `anneal-${id}-n${node}`;
const linkOf = (node: number): string => `n${node}`;
const hostLink = ({ block }: Network): string => `anneal-${block}`;

/** Takes a free block of addresses and joins the machine to a new, still empty network. */
export async function createNetwork(id: string): Promise<Network> {
  const taken = await takenBlocks();
  const start = Number.parseInt(Buffer.from(id).toString('hex').slice(-4), 16);
  for (let offset = 0; offset < blocks; offset += 1) {
    const network = { id, block: firstBlock + ((start + offset) % blocks) };
    if (!taken.has(network.block) && (await claim(network))) {
      await joinMachine(network);
      return network;
    }
  }
  throw new ClusterError('NETWORK_FULL', `Each of 10.${firstBlock}.0.0/16 to 10.${firstBlock + blocks - 1}.0.0/16 is in use on this machine. Remove a cluster with "npm run cluster -- down" in its checkout.`);
}

/** Brings a network back as it was, for example after the machine was restarted. */
export async function ensureNetwork(network: Network, nodes: readonly number[]): Promise<void> {
  const complete = existsSync(`/run/netns/${controlPlaneNamespace(network)}`) && (await attempt('ip', ['link', 'show', hostLink(network)])).code === 0;
  if (complete) return;
  await removeNetwork(network, nodes);
  if (!(await claim(network))) throw new ClusterError('NETWORK_FULL', `The link ${hostLink(network)} could not be made.`);
  await joinMachine(network);
}

/** Whether a node's namespace is there and its link connected. */
export async function isPlugged(network: Network, node: number): Promise<boolean> {
  return existsSync(`/run/netns/${nodeNamespace(network, node)}`) && (await attempt('ip', ['-netns', controlPlaneNamespace(network), 'link', 'show', linkOf(node)])).code === 0;
}

/** Adds one node's namespace, with routes to and from its pods. */
export async function addNode(network: Network, node: number): Promise<void> {
  const namespace = nodeNamespace(network, node);
  if (await isPlugged(network, node)) return;
  const address = nodeAddress(network, node);
  await run('ip', ['netns', 'add', namespace]);
  await ip(controlPlaneNamespace(network), ['link', 'add', linkOf(node), 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace]);
  await ip(controlPlaneNamespace(network), ['link', 'set', linkOf(node), 'master', 'br0', 'up']);
  await ip(namespace, ['link', 'set', 'lo', 'up']);
  await ip(namespace, ['address', 'add', `${address}/24`, 'dev', 'eth0']);
  await ip(namespace, ['link', 'set', 'eth0', 'up']);
  await ip(namespace, ['route', 'add', 'default', 'via', hostAddress(network)]);
  await forwardPackets(namespace);
  await route(network, podCidr(network, node), address);
}

/** Routes between the pods of all nodes; a node that is off stays one to which the others send. */
export async function connectNodes(network: Network, nodes: readonly number[]): Promise<void> {
  const plugged = await pluggedNodes(network, nodes);
  for (const from of plugged) {
    for (const to of nodes) {
      if (from !== to) await ip(nodeNamespace(network, from), ['route', 'replace', podCidr(network, to), 'via', nodeAddress(network, to)]);
    }
  }
  // kube-proxy of the first node that is there also serves this machine and the control plane.
  const [first] = plugged;
  if (first !== undefined) await route(network, serviceCidr(network), nodeAddress(network, first));
}

async function pluggedNodes(network: Network, nodes: readonly number[]): Promise<number[]> {
  const plugged = await Promise.all(nodes.map(async (node) => isPlugged(network, node)));
  return nodes.filter((_, index) => plugged[index] === true);
}

/** On this machine and beside the control plane. */
async function route(network: Network, range: string, via: string): Promise<void> {
  await run('ip', ['route', 'replace', range, 'via', via]);
  await ip(controlPlaneNamespace(network), ['route', 'replace', range, 'via', via]);
}

/** Takes a node's link away: from then on nothing that it sends arrives, not even the end of a connection. */
export async function unplugNode(network: Network, node: number): Promise<void> {
  if (await isPlugged(network, node)) await ip(controlPlaneNamespace(network), ['link', 'delete', linkOf(node)]);
}

/** Ids of the processes in a node's own namespace; its pods have theirs. */
export async function processesOnNode(network: Network, node: number): Promise<number[]> {
  const namespace = nodeNamespace(network, node);
  if (!existsSync(`/run/netns/${namespace}`)) return [];
  return (await run('ip', ['netns', 'pids', namespace])).split('\n').filter((line) => line !== '').map(Number);
}

/** Removes an unplugged node's namespace, and with it the connections that it had. */
export async function removeNode(network: Network, node: number): Promise<void> {
  const namespace = nodeNamespace(network, node);
  if (existsSync(`/run/netns/${namespace}`)) await run('ip', ['netns', 'delete', namespace]);
}

/** Removes the link and the namespaces, and with them every address, route and firewall rule in them. */
export async function removeNetwork(network: Network, nodes: readonly number[]): Promise<void> {
  // The link first: namespaces are torn down in the background, and it would be seen for a while after we have said that nothing is left.
  await attempt('ip', ['link', 'delete', hostLink(network)]);
  for (const node of nodes) await removeNode(network, node);
  if (existsSync(`/run/netns/${controlPlaneNamespace(network)}`)) await run('ip', ['netns', 'delete', controlPlaneNamespace(network)]);
  await removeNamespaceFolder();
}

/** iproute2 makes the folder and mounts it with the first namespace, and forgets it after the last. */
async function removeNamespaceFolder(): Promise<void> {
  const folder = '/run/netns';
  if (!existsSync(folder) || (await readdir(folder)).length > 0) return;
  await attempt('umount', [folder]);
  await rmdir(folder);
}

/** iproute2 keeps the namespaces of all clusters in one folder, which it mounts; changes to it must not meet. */
export async function inNetworkLock<T>(work: () => Promise<T>): Promise<T> {
  const locks = joinPath(cacheDir(), 'locks');
  await mkdir(locks, { recursive: true });
  return withLock(joinPath(locks, 'network'), 'another cluster changes the network', work);
}

/** Blocks that any route of this machine overlaps. */
async function takenBlocks(): Promise<Set<number>> {
  const routes = JSON.parse(await run('ip', ['-json', '-4', 'route', 'show', 'table', 'all'])) as { dst?: string }[];
  const seconds = routes.flatMap(({ dst }) => /^10\.(\d+)\./.exec(dst ?? '')?.[1] ?? []);
  return new Set(seconds.map(Number));
}

/** The name of the link holds the block: whoever makes the link first has it. */
async function claim(network: Network): Promise<boolean> {
  const namespace = controlPlaneNamespace(network);
  if (!existsSync(`/run/netns/${namespace}`)) await run('ip', ['netns', 'add', namespace]);
  return (await attempt('ip', ['link', 'add', hostLink(network), 'type', 'veth', 'peer', 'name', 'host', 'netns', namespace])).code === 0;
}

async function joinMachine(network: Network): Promise<void> {
  const namespace = controlPlaneNamespace(network);
  await ip(namespace, ['link', 'add', 'br0', 'type', 'bridge']);
  await ip(namespace, ['link', 'set', 'host', 'master', 'br0', 'up']);
  await ip(namespace, ['address', 'add', `${controlPlaneAddress(network)}/24`, 'dev', 'br0']);
  await ip(namespace, ['link', 'set', 'br0', 'up']);
  await ip(namespace, ['link', 'set', 'lo', 'up']);
  await run('ip', ['address', 'add', `${hostAddress(network)}/24`, 'dev', hostLink(network)]);
  await run('ip', ['link', 'set', hostLink(network), 'up']);
}

async function forwardPackets(namespace: string): Promise<void> {
  await run('nsenter', [`--net=/run/netns/${namespace}`, '--', 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward']);
}

async function ip(namespace: string, args: readonly string[]): Promise<void> {
  await run('ip', ['-netns', namespace, ...args]);
}
