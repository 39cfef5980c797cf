import type { Image } from './images.ts';
import { csiObjects } from '../drivers/index.ts';

export interface AddonSettings {
  readonly coredns: Image;
  readonly metricsServer: Image;
  readonly dnsAddress: string;
}

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

/** What every managed cluster brings: DNS, resource metrics, a default storage class. */
export function addonObjects({ coredns, metricsServer, dnsAddress }: AddonSettings): Manifest[] {
  return [...rbac, ...dns(coredns, dnsAddress), ...metrics(metricsServer), ...csiObjects];
}

const system = 'kube-system';
const restricted = { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } };

const account = (name: string): Manifest => object('v1', 'ServiceAccount', name, system, {});
const role = (name: string, rules: object[]): Manifest => object('rbac.authorization.k8s.io/v1', 'ClusterRole', name, undefined, { rules });

function binding(name: string, clusterRole: string, subject: object): Manifest {
  return object('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', name, undefined, {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: clusterRole }, subjects: [subject],
  });
}

const serviceAccount = (name: string): object => ({ kind: 'ServiceAccount', name, namespace: system });

const rbac: Manifest[] = [
  binding('anneal:kube-proxy', 'system:node-proxier', { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'system:kube-proxy' }),
  account('coredns'),
  role('system:coredns', [
    { apiGroups: [''], resources: ['services', 'pods', 'namespaces'], verbs: ['list', 'watch'] },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
  ]),
  binding('system:coredns', 'system:coredns', serviceAccount('coredns')),
  account('metrics-server'),
  role('system:metrics-server', [
    { apiGroups: [''], resources: ['nodes/metrics'], verbs: ['get'] },
    { apiGroups: [''], resources: ['pods', 'nodes'], verbs: ['get', 'list', 'watch'] },
  ]),
  role('system:aggregated-metrics-reader', [{ apiGroups: ['metrics.k8s.io'], resources: ['pods', 'nodes'], verbs: ['get', 'list', 'watch'] }]),
  binding('system:metrics-server', 'system:metrics-server', serviceAccount('metrics-server')),
  binding('metrics-server:system:auth-delegator', 'system:auth-delegator', serviceAccount('metrics-server')),
  object('rbac.authorization.k8s.io/v1', 'RoleBinding', 'metrics-server-auth-reader', system, {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'extension-apiserver-authentication-reader' },
    subjects: [serviceAccount('metrics-server')],
  }),
];

const corefile = `.:53 {
    errors
    health {
       lameduck 1s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 5
    }
    cache 5
    loadbalance
}
`;

function dns(image: Image, address: string): Manifest[] {
  const ports = [{ name: 'dns', port: 53, protocol: 'UDP' }, { name: 'dns-tcp', port: 53, protocol: 'TCP' }];
  return [
    object('v1', 'ConfigMap', 'coredns', system, { data: { Corefile: corefile } }),
    object('v1', 'Service', 'kube-dns', system, { spec: { clusterIP: address, selector: { app: 'coredns' }, ports } }),
    deployment('coredns', image, {
      args: ['-conf', '/etc/coredns/Corefile'],
      ports: ports.map(({ name, port, protocol }) => ({ name, containerPort: port, protocol })),
      securityContext: { ...restricted, capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } },
      readinessProbe: { httpGet: { path: '/ready', port: 8181 }, periodSeconds: 1 },
      volumeMounts: [{ name: 'config', mountPath: '/etc/coredns', readOnly: true }],
      resources: { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '170Mi' } },
    }, [{ name: 'config', configMap: { name: 'coredns' } }]),
  ];
}

function metrics(image: Image): Manifest[] {
  return [
    object('v1', 'Service', 'metrics-server', system, { spec: { selector: { app: 'metrics-server' }, ports: [{ name: 'https', port: 443, targetPort: 10250 }] } }),
    object('apiregistration.k8s.io/v1', 'APIService', 'v1beta1.metrics.k8s.io', undefined, {
      spec: {
        group: 'metrics.k8s.io', version: 'v1beta1', groupPriorityMinimum: 100, versionPriority: 100, insecureSkipTLSVerify: true,
        service: { name: 'metrics-server', namespace: system },
      },
    }),
    deployment('metrics-server', image, {
      args: [
        '--secure-port=10250', '--cert-dir=/tmp', '--kubelet-preferred-address-types=InternalIP', '--metric-resolution=10s', '--kubelet-request-timeout=5s',
        '--kubelet-certificate-authority=/var/run/secrets/kubernetes.io/serviceaccount/ca.crt',
      ],
      ports: [{ name: 'https', containerPort: 10250 }],
      securityContext: { ...restricted, runAsNonRoot: true, runAsUser: 1000 },
      readinessProbe: { httpGet: { path: '/readyz', port: 'https', scheme: 'HTTPS' }, periodSeconds: 2 },
      volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
      resources: { requests: { cpu: '20m', memory: '48Mi' } },
    }, [{ name: 'tmp', emptyDir: {} }]),
  ];
}

function deployment(name: string, image: Image, container: object, volumes: readonly object[]): Manifest {
  return object('apps/v1', 'Deployment', name, system, {
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          serviceAccountName: name, priorityClassName: 'system-cluster-critical', dnsPolicy: 'Default', volumes,
          containers: [{ name, image: image.reference, imagePullPolicy: 'Never', ...container }],
        },
      },
    },
  });
}

function object(apiVersion: string, kind: string, name: string, namespace: string | undefined, rest: object): Manifest {
  return { apiVersion, kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }) }, ...rest };
}
