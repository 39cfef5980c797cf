/** The operator as its own process on a real control plane with simulated nodes, whose kubelet the test plays. */
import { startControlPlane } from '../../hack/cluster/index.ts';
import type { TestControlPlane } from '../../hack/cluster/index.ts';
import { until } from '../../hack/cluster/until.ts';
import { apiClient, installAccount, startOperator, startSimulatedNodes } from '../../hack/testbed/index.ts';
import type { OperatorAccount } from '../../hack/testbed/account.ts';
import type { OperatorProcess } from '../../hack/testbed/operator.ts';
import { findCondition } from '../../operator/src/api/index.ts';
import type { Condition, TrainingJob } from '../../operator/src/api/index.ts';
import { trainingJobType } from '../../operator/src/controllers/shared/resources.ts';
import type { Client } from '../../operator/src/kube/client.ts';
import type { KubeObject, ObjectKey } from '../../operator/src/kube/resource.ts';
import { Audit } from './audit.ts';
import { FakeKubelet } from './fake-kubelet.ts';

export const operatorAgent = 'anneal/';

/** Only root can give a process the files of a pod. */
export const canBePod = process.getuid?.() === 0;

/** What all suites of one mocha process share, started by the first that asks. */
interface Testbed extends AsyncDisposable {
  readonly plane: TestControlPlane;
  readonly client: Client;
  readonly audit: Audit;
  readonly account: OperatorAccount;
}

let shared: Promise<Testbed> | undefined;

// At the top of the file, so that it is mocha's root hook: it runs once, after the last suite.
after(async () => {
  await (await shared)?.[Symbol.asyncDispose]();
});

async function startTestbed(): Promise<Testbed> {
  await using parts = new AsyncDisposableStack();
  const audit = parts.use(new Audit());
  const plane = parts.use(await startControlPlane({ withControllers: true, qps: 500, apiServerFlags: audit.apiServerFlags }));
  const { client } = parts.use(await apiClient(plane.kubeconfigPath, 'anneal-test'));
  parts.use(await startSimulatedNodes({ kubeconfig: plane.kubeconfigPath, client, count: 4, pods: 'ByHand' }));
  const account = await installAccount(plane);
  const kept = parts.move();
  return { plane, client, audit, account, [Symbol.asyncDispose]: async () => kept.disposeAsync() };
}

export interface OperatorSuite {
  readonly plane: TestControlPlane;
  readonly client: Client;
  readonly audit: Audit;
  readonly kubelet: FakeKubelet;
  /** A namespace of the suite's own. */
  readonly namespace: string;
  /** The operator that runs now; a test that replaces it says so with `useOperator`. */
  readonly operator: OperatorProcess;
  useOperator(operator: OperatorProcess): void;
  key(name: string): ObjectKey;
  create(name: string, spec: object): Promise<ObjectKey>;
  get(job: ObjectKey): Promise<TrainingJob>;
  /** All TrainingJobs of the namespace. */
  jobs(): Promise<readonly TrainingJob[]>;
  /** Changes the spec as `kubectl patch --type=merge` does. */
  patch(job: ObjectKey, spec: object): Promise<void>;
  /** Waits until a condition has this status (and reason), and returns it. */
  condition(job: ObjectKey, type: string, status: Condition['status'], reason?: string): Promise<Condition>;
}

/** Call inside a describe block: an operator watches the namespaces of this suite's control plane until the suite is over. */
export function withOperator(): OperatorSuite {
  const namespace = `operator-${crypto.randomUUID().slice(0, 8)}`;
  let testbed: Testbed | undefined;
  let operator: OperatorProcess | undefined;
  const running = (): Testbed => given(testbed);

  before(async function startSuite() {
    // A cold cache builds Kubernetes first.
    this.timeout(1_800_000);
    testbed = await (shared ??= startTestbed());
    await testbed.plane.kubectl(['create', 'namespace', namespace]);
    await until('the namespace has its service account', async () => hasServiceAccount(running().plane, namespace), { timeoutSeconds: 60 });
    operator = await startOperator({ account: testbed.account, as: canBePod ? 'Pod' : 'Kubeconfig' });
  });

  after(async function stopSuite() {
    this.timeout(60_000);
    await operator?.stop();
    await testbed?.plane.kubectl(['delete', 'namespace', namespace, '--wait=false', '--ignore-not-found']);
  });

  const key = (name: string): ObjectKey => ({ namespace, name });
  const get = async (job: ObjectKey): Promise<TrainingJob> => running().client.get<TrainingJob & KubeObject>(trainingJobType, job);
  return {
    get plane() {
      return running().plane;
    },
    get client() {
      return running().client;
    },
    get audit() {
      return running().audit;
    },
    get kubelet() {
      return new FakeKubelet(running().client);
    },
    get operator() {
      return given(operator);
    },
    useOperator: (other) => {
      operator = other;
    },
    namespace, key, get,
    jobs: async () => (await running().client.list(trainingJobType, (raw) => raw as TrainingJob & KubeObject, { namespace })).items,
    create: async (name, spec) => {
      await running().client.create(trainingJobType, trainingJob(key(name), spec));
      return key(name);
    },
    patch: async (job, spec) => {
      await running().client.merge(trainingJobType, job, { spec });
    },
    condition: async (job, type, status, reason) => {
      let found: Condition | undefined;
      await until(`${job.name} has condition ${type} ${status} ${reason ?? ''}`, async () => {
        found = findCondition((await get(job)).status?.conditions, type);
        return found?.status === status && (reason === undefined || found.reason === reason);
      }, { timeoutSeconds: 60, everyMilliseconds: 100, hint: async () => JSON.stringify((await get(job)).status, null, 1) });
      return given(found);
    },
  };
}

/** A job of pods that run an image which no simulated node ever pulls. */
export function role(replicas = 1, pod: object = {}): object {
  return { roles: [{ name: 'worker', replicas, template: { spec: { containers: [{ name: 'main', image: 'example.com/never-pulled:1' }], ...pod } } }] };
}

function trainingJob({ namespace, name }: ObjectKey, spec: object): KubeObject {
  const object = { apiVersion: 'anneal.dev/v1alpha1', kind: 'TrainingJob', metadata: { namespace, name }, spec };
  return object;
}

export async function namespaceExists(plane: TestControlPlane, name: string): Promise<boolean> {
  return (await plane.kubectl(['get', 'namespace', name, '--ignore-not-found', '-o', 'name'])) !== '';
}

async function hasServiceAccount(plane: TestControlPlane, namespace: string): Promise<boolean> {
  return (await plane.kubectl(['get', 'serviceaccounts', '-n', namespace, '-o', 'name'])).includes('default');
}

function given<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('It is there from the first before hook on.');
  return value;
}

/** A figure for the person who reads the run; no test judges it. */
export function note(figure: string): void {
  process.stdout.write(`      ${figure}\n`);
}
