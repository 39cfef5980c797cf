import type { Pki } from './pki.ts';

export type Flags = Readonly<Record<string, string>>;

export function toArgs(flags: Flags): string[] {
  return Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
}

/**
 * etcd on sockets in its working folder: no port to collide on, and nobody else on the machine can reach it.
 * Its flags take no path for a socket, but "unix://client:0" names the file client:0 of the working folder.
 */
export const etcdSocket = 'client:0';

export function etcdFlags(dataDir: string): Flags {
  const unusedPeer = 'http://127.0.0.1:2380';
  return {
    name: 'anneal',
    'data-dir': dataDir,
    'listen-client-urls': `unix://${etcdSocket}`,
    'advertise-client-urls': 'http://127.0.0.1:2379',
    'listen-peer-urls': 'unix://peer:0',
    'initial-advertise-peer-urls': unusedPeer,
    'initial-cluster': `anneal=${unusedPeer}`,
    // The data of a test cluster need not survive a power cut, and fsync is what makes etcd slow on a shared disk.
    'unsafe-no-fsync': 'true',
    'log-level': 'warn',
    'quota-backend-bytes': String(4 * 1024 ** 3),
  };
}

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export function apiServerFlags(pki: Pki, endpoint: Endpoint, etcd: string, serviceCidr: string): Flags {
  const loopback = endpoint.address.startsWith('127.');
  return {
    'bind-address': endpoint.address,
    'advertise-address': endpoint.address,
    'secure-port': String(endpoint.port),
    'etcd-servers': etcd,
    'authorization-mode': 'Node,RBAC',
    'enable-admission-plugins': 'NodeRestriction',
    'allow-privileged': 'true',
    'service-cluster-ip-range': serviceCidr,
    // A loopback address is refused as an endpoint, every few seconds, with an error in the log.
    ...(loopback ? { 'endpoint-reconciler-type': 'none' } : {}),
    'client-ca-file': pki.file('ca.crt'),
    'tls-cert-file': pki.file('apiserver.crt'),
    'tls-private-key-file': pki.file('apiserver.key'),
    'kubelet-certificate-authority': pki.file('ca.crt'),
    'kubelet-client-certificate': pki.file('apiserver-kubelet-client.crt'),
    'kubelet-client-key': pki.file('apiserver-kubelet-client.key'),
    // Names of nodes do not resolve here.
    'kubelet-preferred-address-types': 'InternalIP',
    'service-account-issuer': 'https://kubernetes.default.svc.cluster.local',
    'service-account-key-file': pki.file('service-accounts.pub'),
    'service-account-signing-key-file': pki.file('service-accounts.key'),
    'requestheader-client-ca-file': pki.file('front-proxy-ca.crt'),
    'requestheader-allowed-names': 'front-proxy-client',
    'requestheader-extra-headers-prefix': 'X-Remote-Extra-',
    'requestheader-group-headers': 'X-Remote-Group',
    'requestheader-username-headers': 'X-Remote-User',
    'proxy-client-cert-file': pki.file('front-proxy-client.crt'),
    'proxy-client-key-file': pki.file('front-proxy-client.key'),
    // No kube-proxy runs beside the API server, so it reaches webhooks and aggregated APIs at their pods.
    'enable-aggregator-routing': 'true',
    'shutdown-delay-duration': '0s',
  };
}

export interface ControllerOptions {
  readonly podCidr?: string;
  /** Requests per second to the API server, with a burst of twice as many; 100 when absent. */
  readonly qps?: number;
  /** How long a node may be silent before it is NotReady; Kubernetes' own time when absent. */
  readonly nodeMonitorGraceSeconds?: number;
}

export function controllerManagerFlags(pki: Pki, kubeconfig: string, options: ControllerOptions): Flags {
  return {
    ...controllerFlags(kubeconfig, options),
    'root-ca-file': pki.file('ca.crt'),
    'cluster-signing-cert-file': pki.file('ca.crt'),
    'cluster-signing-key-file': pki.file('ca.key'),
    'service-account-private-key-file': pki.file('service-accounts.key'),
    'use-service-account-credentials': 'true',
    ...(options.podCidr === undefined ? {} : { 'allocate-node-cidrs': 'false', 'cluster-cidr': options.podCidr }),
    ...(options.nodeMonitorGraceSeconds === undefined ? {} : { 'node-monitor-grace-period': `${options.nodeMonitorGraceSeconds}s`, 'node-monitor-period': '1s' }),
  };
}

export function schedulerFlags(kubeconfig: string, options: ControllerOptions): Flags {
  return controllerFlags(kubeconfig, options);
}

/** Kubernetes' own limit of 20 a second makes the controllers take three seconds more to start. */
const defaultQps = 100;

function controllerFlags(kubeconfig: string, { qps = defaultQps }: ControllerOptions): Flags {
  return {
    kubeconfig,
    'authentication-kubeconfig': kubeconfig,
    'authorization-kubeconfig': kubeconfig,
    'leader-elect': 'false',
    // Serve nothing: several control planes run on one machine.
    'secure-port': '0',
    'kube-api-qps': String(qps),
    'kube-api-burst': String(qps * 2),
  };
}
