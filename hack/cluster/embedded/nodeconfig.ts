import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Pki } from '../controlplane/pki.ts';
import type { NodeLayout } from './layout.ts';

/** Where distributions and upstream put CNI plugins; the first that has ours. */
export function cniPlugins(): string | undefined {
  return ['/usr/lib/cni', '/opt/cni/bin', '/usr/libexec/cni'].find((folder) => existsSync(join(folder, 'ptp')) && existsSync(join(folder, 'portmap')));
}

export interface ContainerdSettings {
  readonly layout: NodeLayout;
  readonly pauseImage: string;
  readonly snapshotter: 'overlayfs' | 'native';
}

/** containerd 1.6, configuration version 2. Nothing of it may lie in a folder that the machine's own containerd uses. */
export function containerdConfig({ layout, pauseImage, snapshotter }: ContainerdSettings): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  return `version = 2
root = ${quote(join(layout.dir, 'containerd'))}
state = ${quote(layout.containerdState)}
# "opt" would create /opt/containerd; the snapshotters need file systems that we do not use.
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]

[grpc]
address = ${quote(layout.containerdSocket)}

[${cri}]
sandbox_image = ${quote(pauseImage)}
# A machine may refuse a score below that of its parent.
restrict_oom_score_adj = true
# Else the network namespaces of pods appear in /run/netns, among those of all other clusters.
netns_mounts_under_state_dir = true
disable_tcp_service = true

[${cri}.containerd]
snapshotter = ${quote(snapshotter)}

[${cri}.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[${cri}.containerd.runtimes.runc.options]
SystemdCgroup = false

[${cri}.cni]
bin_dir = ${quote(cniPlugins() ?? '/usr/lib/cni')}
conf_dir = ${quote(join(layout.dir, 'cni'))}
`;
}

/**
 * Pods are routed, not bridged: what goes from one pod to another on its node then also passes the node's NAT, so that Services work
 * without the kernel module br_netfilter.
 */
export function cniConfig(network: string, podCidr: string): object {
  return {
    cniVersion: '0.4.0',
    name: network,
    plugins: [
      {
        type: 'ptp',
        ipMasq: false,
        ipam: { type: 'host-local', ranges: [[{ subnet: podCidr }]], routes: [{ dst: '0.0.0.0/0' }] },
      },
      { type: 'portmap', capabilities: { portMappings: true }, snat: true },
    ],
  };
}

export interface KubeletSettings {
  readonly layout: NodeLayout;
  readonly pki: Pki;
  readonly dns: string;
  readonly nodeMonitorGraceSeconds?: number | undefined;
}

export function kubeletConfig({ layout, pki, dns, nodeMonitorGraceSeconds }: KubeletSettings): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: pki.file('ca.crt') } },
    authorization: { mode: 'Webhook' },
    tlsCertFile: pki.file(`${layout.name}.crt`),
    tlsPrivateKeyFile: pki.file(`${layout.name}.key`),
    containerRuntimeEndpoint: `unix://${layout.containerdSocket}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${layout.cgroup}`,
    failCgroupV1: false,
    failSwapOn: false,
    clusterDNS: [dns],
    clusterDomain: 'cluster.local',
    volumePluginDir: join(layout.dir, 'volume-plugins'),
    maxPods: 200,
    serializeImagePulls: false,
    // Images come from archives here: one that the kubelet removes to save space would not come back.
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%', 'nodefs.inodesFree': '1%', 'imagefs.available': '1%' },
    // A program under development crashes often, and a test makes it crash: up to five minutes of waiting would teach nothing.
    crashLoopBackOff: { maxContainerRestartPeriod: '1s' },
    // How soon a new device is seen; the API server is written to only when something has changed.
    nodeStatusUpdateFrequency: '2s',
    // The kubelet renews its lease in a quarter of this time, and so several times before the grace is over.
    ...(nodeMonitorGraceSeconds === undefined ? {} : { nodeLeaseDurationSeconds: Math.ceil(nodeMonitorGraceSeconds * 0.8) }),
  };
}

/** A JSON string is a TOML basic string. */
function quote(text: string): string {
  return JSON.stringify(text);
}
