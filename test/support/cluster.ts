import { startControlPlane } from '../../hack/cluster/index.ts';
import type { TestControlPlane } from '../../hack/cluster/index.ts';

/**
 * The API server that all suites of one mocha process share, with the controllers and without nodes.
 * It is started by the first suite that asks, and ends with the process.
 */
let shared: Promise<TestControlPlane> | undefined;

// At the top of the file, so that it is mocha's root hook: it runs once, after the last suite.
after(async () => {
  await (await shared)?.dispose();
});

export interface SuiteCluster {
  readonly plane: TestControlPlane;
  /** A namespace of the suite's own. */
  readonly namespace: string;
}

/** Call inside a describe block: gives the suite the shared control plane and a namespace, which is removed afterwards. */
export function withCluster(options: { readonly crds?: readonly string[] } = {}): SuiteCluster {
  let plane: TestControlPlane | undefined;
  const namespace = `test-${crypto.randomUUID().slice(0, 8)}`;

  before(async function startCluster() {
    // A cold cache builds Kubernetes first.
    this.timeout(1_800_000);
    plane = await sharedControlPlane();
    await plane.installCrds(options.crds ?? []);
    await plane.kubectl(['create', 'namespace', namespace]);
  });

  after(async () => {
    await plane?.kubectl(['delete', 'namespace', namespace, '--wait=false']);
  });

  return {
    get plane() {
      if (plane === undefined) throw new Error('The control plane is there from the first before hook on.');
      return plane;
    },
    namespace,
  };
}

/** The shared control plane itself, for a suite that makes its own namespaces. */
export async function sharedControlPlane(): Promise<TestControlPlane> {
  shared ??= startControlPlane({ withControllers: true });
  return shared;
}
