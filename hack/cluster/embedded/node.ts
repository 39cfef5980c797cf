import { existsSync } from 'node:fs';
import { mkdir, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { binaries } from '../binaries.ts';
import type { ControlPlane } from '../controlplane/controlplane.ts';
import { ready } from '../processes.ts';
import type { ProcessRecord } from '../processes.ts';
import type { ProcessTable } from '../processtable.ts';
import { projectRoot } from '../places.ts';
import { createCgroup } from './cgroups.ts';
import { servesKubelets } from './cri.ts';
import { ctr } from './ctr.ts';
import { importImage } from './images.ts';
import type { Image } from './images.ts';
import { nodeLayout } from './layout.ts';
import type { Layout, NodeLayout } from './layout.ts';
import { startNamespace } from './namespace.ts';
import { dnsAddress, nodeAddress, nodeNamespace, podCidr } from './network.ts';
import type { Network } from './network.ts';
import { volumesFolder } from './storage.ts';
import { cniConfig, containerdConfig, kubeletConfig } from './nodeconfig.ts';

export interface NodeSettings {
  readonly cluster: Layout;
  readonly network: Network;
  readonly plane: ControlPlane;
  readonly processes: ProcessTable;
  /** First node is 1. */
  readonly index: number;
  readonly images: { readonly pause: Image; readonly addons: readonly Image[] };
  /** Settled once the API server answers; until then only what needs no API server is started. */
  readonly api: Promise<void>;
  /** GPUs that the node says it has. */
  readonly gpus: number;
  readonly nodeMonitorGraceSeconds?: number | undefined;
}

interface StartedNode {
  readonly settings: NodeSettings;
  readonly layout: NodeLayout;
  /** Process whose mount namespace is the node's. */
  readonly namespace: number;
}

/** Starts what does not run yet of one node: containerd, kubelet, kube-proxy and the test drivers, in the node's own network. */
export async function startNode(settings: NodeSettings): Promise<void> {
  const { cluster, index } = settings;
  const layout = nodeLayout(cluster, index);
  for (const folder of ['cni', 'volume-plugins', 'logs']) await mkdir(join(layout.dir, folder), { recursive: true });
  const namespace = await startNamespace(layout, settings.processes);
  await createCgroup(layout.cgroup);
  await writeConfigs(settings, layout);
  const node = { settings, layout, namespace: namespace.pid };
  await startContainerd(node);
  await settings.api;
  await startKubeProxy(node);
  await startKubelet(node);
  await startDrivers(node);
}

async function writeConfigs({ network, plane, index, images, nodeMonitorGraceSeconds }: NodeSettings, layout: NodeLayout): Promise<void> {
  const snapshotter = await layeredSnapshotter(layout.dir);
  await writeFile(join(layout.dir, 'containerd.toml'), containerdConfig({ layout, pauseImage: images.pause.reference, snapshotter }));
  await writeJson(join(layout.dir, 'cni', '10-anneal.conflist'), cniConfig(layout.name, podCidr(network, index)));
  await writeJson(join(layout.dir, 'kubelet.json'), kubeletConfig({ layout, pki: plane.pki, dns: dnsAddress(network), nodeMonitorGraceSeconds }));
  if (existsSync(plane.pki.file(`${layout.name}.crt`))) return;
  await plane.pki.issue(layout.name, {
    commonName: `system:node:${layout.name}`, organizations: ['system:nodes'], hosts: [nodeAddress(network, index), layout.name],
  });
  await plane.pki.issue('kube-proxy', { commonName: 'system:kube-proxy' });
}

async function startContainerd(node: StartedNode): Promise<void> {
  const { settings, layout } = node;
  const record = await run(node, 'containerd', 'containerd', ['--config', join(layout.dir, 'containerd.toml')]);
  await ready(record, async () => existsSync(layout.containerdSocket) && (await ctr(layout, ['version'])).code === 0 && servesKubelets(layout), 30);
  for (const image of [settings.images.pause, ...settings.images.addons]) await importImage(layout, image);
}

async function startKubelet(node: StartedNode): Promise<void> {
  const { layout, settings: { network, plane, index } } = node;
  const { kubelet } = await binaries(['kubelet']);
  const kubeconfig = await plane.writeKubeconfig(layout.name, join(layout.dir, 'kubelet.kubeconfig'));
  await run(node, 'kubelet', kubelet, [
    `--config=${join(layout.dir, 'kubelet.json')}`, `--kubeconfig=${kubeconfig}`, `--root-dir=${layout.kubeletDir}`, `--cert-dir=${join(layout.dir, 'pki')}`,
    `--hostname-override=${layout.name}`, `--node-ip=${nodeAddress(network, index)}`,
  ]);
}

async function startKubeProxy(node: StartedNode): Promise<void> {
  const { layout, settings } = node;
  const { 'kube-proxy': command } = await binaries(['kube-proxy']);
  const kubeconfig = await settings.plane.writeKubeconfig('kube-proxy', join(layout.dir, 'kube-proxy.kubeconfig'));
  await run(node, 'kube-proxy', command, [
    `--kubeconfig=${kubeconfig}`, `--hostname-override=${layout.name}`, '--proxy-mode=iptables',
    // These limits belong to the whole machine; a network namespace may not set them.
    '--conntrack-max-per-core=0', '--conntrack-tcp-timeout-established=0s', '--conntrack-tcp-timeout-close-wait=0s',
  ]);
}

async function startDrivers(node: StartedNode): Promise<void> {
  const { layout, settings } = node;
  const file = join(layout.dir, 'drivers.json');
  await writeJson(file, {
    csi: {
      socketPath: layout.csiSocket,
      registrationSocketPath: join(layout.kubeletDir, 'plugins_registry', 'directory.csi.anneal.dev-reg.sock'),
      dataDir: volumesFolder(settings.cluster),
      nodeId: layout.name,
    },
    devicePlugin: { kubeletDirectory: layout.kubeletDir, resource: 'nvidia.com/gpu', count: settings.gpus },
  });
  await run(node, 'drivers', process.execPath, [join(projectRoot, 'hack/cluster/drivers/main.ts'), '--config', file]);
}

async function run({ settings, layout, namespace }: StartedNode, name: string, command: string, args: readonly string[]): Promise<ProcessRecord> {
  return settings.processes.ensure({
    name: `${layout.name}/${name}`, command, args, log: join(layout.dir, 'logs', `${name}.log`),
    network: nodeNamespace(settings.network, settings.index), mountsOf: namespace,
  });
}

/** An overlay cannot lie on an overlay, which is what a container's root is; then layers are copied. */
async function layeredSnapshotter(dir: string): Promise<'overlayfs' | 'native'> {
  const overlayMagic = 0x79_4c_76_30;
  return (await statfs(dir)).type === overlayMagic ? 'native' : 'overlayfs';
}

async function writeJson(file: string, value: object): Promise<void> {
  await writeFile(file, JSON.stringify(value, null, 2));
}
