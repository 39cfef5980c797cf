/** The Go programs of a cluster, by the module of hack/cluster/go that pins them. */

export interface Family {
  /** Package of each program, by the name that we give to its binary. */
  readonly programs: Readonly<Record<string, string>>;
  readonly ldflags: string;
  /** Minutes that a cold build of the whole family took on two cores, told to the person who waits. */
  readonly minutes: number;
}

const stripped = '-s -w';
const version = 'k8s.io/component-base/version';
// Without a version the API server calls itself v0.0.0-master, which clients that check the version refuse.
const kubernetesVersion = `-X ${version}.gitVersion=v1.35.4 -X ${version}.gitMajor=1 -X ${version}.gitMinor=35`;

export const families = {
  kubernetes: {
    programs: {
      'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
      'kube-controller-manager': 'k8s.io/kubernetes/cmd/kube-controller-manager',
      'kube-scheduler': 'k8s.io/kubernetes/cmd/kube-scheduler',
      'kube-proxy': 'k8s.io/kubernetes/cmd/kube-proxy',
      kubelet: 'k8s.io/kubernetes/cmd/kubelet',
      kubectl: 'k8s.io/kubernetes/cmd/kubectl',
    },
    ldflags: `${stripped} ${kubernetesVersion}`,
    minutes: 8,
  },
  etcd: { programs: { etcd: 'go.etcd.io/etcd/server/v3' }, ldflags: stripped, minutes: 1 },
  helm: { programs: { helm: 'helm.sh/helm/v3/cmd/helm' }, ldflags: stripped, minutes: 2 },
  coredns: { programs: { coredns: 'github.com/coredns/coredns' }, ldflags: stripped, minutes: 3 },
  addons: {
    programs: {
      'metrics-server': 'sigs.k8s.io/metrics-server/cmd/metrics-server',
      'csi-provisioner': 'github.com/kubernetes-csi/external-provisioner/v6/cmd/csi-provisioner',
    },
    ldflags: stripped,
    minutes: 4,
  },
  'csi-sanity': { programs: { 'csi-sanity': 'github.com/kubernetes-csi/csi-test/v5/cmd/csi-sanity' }, ldflags: stripped, minutes: 1 },
  snapshotter: {
    programs: {
      'csi-snapshotter': 'github.com/kubernetes-csi/external-snapshotter/v8/cmd/csi-snapshotter',
      'snapshot-controller': 'github.com/kubernetes-csi/external-snapshotter/v8/cmd/snapshot-controller',
    },
    ldflags: stripped,
    minutes: 4,
  },
  kwok: { programs: { kwok: 'sigs.k8s.io/kwok/cmd/kwok' }, ldflags: stripped, minutes: 3 },
  versitygw: { programs: { versitygw: 'github.com/versity/versitygw/cmd/versitygw' }, ldflags: stripped, minutes: 2 },
  kueue: { programs: { kueue: 'anneal.dev/cluster/kueue' }, ldflags: stripped, minutes: 4 },
  pause: { programs: { pause: 'anneal.dev/cluster/pause' }, ldflags: stripped, minutes: 1 },
  kind: { programs: { kind: 'sigs.k8s.io/kind' }, ldflags: stripped, minutes: 1 },
} as const satisfies Record<string, Family>;

export type FamilyName = keyof typeof families;

type ProgramsOf<F> = F extends { readonly programs: infer P } ? keyof P : never;
export type Program = { [F in FamilyName]: ProgramsOf<(typeof families)[F]> }[FamilyName];

const familyOfProgram = new Map<string, FamilyName>(
  (Object.keys(families) as FamilyName[]).flatMap((family) => Object.keys(families[family].programs).map((program) => [program, family] as const)),
);

export const programs = [...familyOfProgram.keys()] as Program[];

export function isProgram(name: string): name is Program {
  return familyOfProgram.has(name);
}

export function familyOf(program: Program): FamilyName {
  const family = familyOfProgram.get(program);
  if (family === undefined) throw new TypeError(`No module builds ${program}.`);
  return family;
}

export function packageOf(program: Program): string {
  const family: Family = families[familyOf(program)];
  const path = family.programs[program];
  if (path === undefined) throw new TypeError(`No module builds ${program}.`);
  return path;
}
