/** A real control plane for fault tests: API server, etcd and controllers, nodes that the test plays, and the operator's account. */
import { startControlPlane } from '../../../hack/cluster/index.ts';
import type { TestControlPlane } from '../../../hack/cluster/index.ts';
import { until } from '../../../hack/cluster/until.ts';
import type { OperatorAccount } from '../../../hack/testbed/account.ts';
import { apiClient, installAccount } from '../../../hack/testbed/index.ts';
import { podType, serviceType, trainingJobType, volumeClaimType } from '../../../operator/src/controllers/shared/resources.ts';
import type { Client } from '../../../operator/src/kube/client.ts';
import { Chronicle } from './chronicle.ts';
import { NodeAgent } from './node-agent.ts';

export interface Bed extends AsyncDisposable {
  readonly plane: TestControlPlane;
  /** Goes to the API server itself, past every fault. */
  readonly client: Client;
  readonly account: OperatorAccount;
  readonly chronicle: Chronicle;
  readonly agent: NodeAgent;
  /** A namespace with nodes of its own, in which an operator of its own may elect its leader. */
  namespace(name: string): Promise<string>;
}

export async function startBed(): Promise<Bed> {
  await using parts = new AsyncDisposableStack();
  const plane = parts.use(await startControlPlane({ withControllers: true, qps: 500 }));
  const { client } = parts.use(await apiClient(plane.kubeconfigPath, 'anneal-fault-test'));
  const account = await installAccount(plane);
  const chronicle = parts.use(await Chronicle.follow(client, [trainingJobType, podType, serviceType, volumeClaimType]));
  const agent = parts.use(new NodeAgent(client, chronicle));
  const kept = parts.move();
  const namespace = async (name: string): Promise<string> => {
    await plane.kubectl(['create', 'namespace', name]);
    await agent.addNodes(name);
    await plane.kubectl(['apply', '-f', '-'], { input: JSON.stringify(electionRights(name, account.namespace)) });
    await until('the namespace has its service account', async () => (await plane.kubectl(['get', 'serviceaccounts', '-n', name, '-o', 'name'])).includes('default'), { timeoutSeconds: 60 });
    return name;
  };
  return { plane, client, account, chronicle, agent, namespace, [Symbol.asyncDispose]: async () => kept.disposeAsync() };
}

/** The chart gives these rights in the operator's own namespace, of which each cell of a test is one. */
function electionRights(namespace: string, accountNamespace: string): object {
  const name = 'anneal-leader-election';
  return {
    apiVersion: 'v1', kind: 'List',
    items: [
      {
        apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name, namespace },
        rules: [{ apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'list', 'watch', 'create', 'update', 'patch'] }],
      },
      {
        apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata: { name, namespace },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name }, subjects: [{ kind: 'ServiceAccount', name: 'anneal', namespace: accountNamespace }],
      },
    ],
  };
}
