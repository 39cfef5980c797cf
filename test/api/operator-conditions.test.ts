import { expect } from 'chai';
import { findCondition } from '../../operator/src/api/index.ts';
import type { Condition } from '../../operator/src/api/index.ts';
import { hyperparamSweepType, modelDeploymentType, trainingJobType } from '../../operator/src/controllers/shared/resources.ts';
import type { KubeObject, ResourceType } from '../../operator/src/kube/resource.ts';
import { until } from '../../hack/cluster/until.ts';
import { role, withOperator, type OperatorSuite } from '../support/operator.ts';

/** Words that a person would search for. */
interface Expected {
  readonly type: string;
  readonly status?: Condition['status'];
  readonly reason?: string;
  readonly message: RegExp;
}

interface Situation {
  readonly what: string;
  readonly spec: object;
  readonly expects: Expected;
  /** What the kubelet then says of the pod. */
  readonly kubelet?: { readonly reason: string; readonly message: string };
  readonly type?: ResourceType;
}

const trainer = { data: { source: { uri: 'https://example.com/x.csv' }, target: 'label' }, model: { preset: 'MLP' }, fit: { epochs: 1 } };
const pod = (spec: object, container: object = {}): object => role(1, { containers: [{ name: 'main', image: 'example.com/never-pulled:1', ...container }], ...spec });
const karpenter = { provider: 'Karpenter', nodeClassRef: { group: 'karpenter.kwok.sh', kind: 'KWOKNodeClass', name: 'default' } };

const unscheduled = (reason: 'NoNode' | 'Volume', message: RegExp): Expected => ({ type: 'Scheduled', status: 'False', reason, message });
const refused = (message: RegExp): Expected => ({ type: 'Ready', status: 'False', reason: 'CreateFailed', message });
const stuck = (reason: string, message: RegExp): Expected => ({ type: 'Running', status: 'False', reason, message });

const situations: readonly Situation[] = [
  // What the scheduler finds.
  { what: 'a claim that does not exist', spec: { trainer, checkpoint: { volume: { claimName: 'nowhere' } } }, expects: unscheduled('Volume', /persistentvolumeclaim "nowhere" not found/) },
  { what: 'a claim in a pod template that does not exist', spec: pod({ volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'no-data' } }] }), expects: unscheduled('Volume', /persistentvolumeclaim "no-data" not found/) },
  { what: 'a storage class that does not exist', spec: { trainer, checkpoint: { volume: { claimTemplate: { storageClassName: 'gold' } } } }, expects: unscheduled('Volume', /unbound immediate PersistentVolumeClaims/) },
  { what: 'no default storage class', spec: { trainer }, expects: unscheduled('Volume', /unbound immediate PersistentVolumeClaims/) },
  { what: 'an accelerator that no node has', spec: { ...role(), accelerator: { resource: 'nvidia.com/gpu', count: 1 } }, expects: unscheduled('NoNode', /Insufficient nvidia\.com\/gpu/) },
  { what: 'more CPU than any node has', spec: pod({}, { resources: { requests: { cpu: '1000' } } }), expects: unscheduled('NoNode', /Insufficient cpu/) },
  { what: 'more memory than any node has', spec: pod({}, { resources: { requests: { memory: '900Ti' } } }), expects: unscheduled('NoNode', /Insufficient memory/) },
  { what: 'labels that no node has', spec: { ...role(), nodePool: { provider: 'Existing', nodeSelector: { disk: 'fast' } } }, expects: unscheduled('NoNode', /node affinity\/selector/) },
  { what: 'a node affinity that no node meets', spec: pod({ affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['mars'] }] }] } } } }), expects: unscheduled('NoNode', /node affinity\/selector/) },

  // What the API server refuses when the pod is made.
  { what: 'a priority class that does not exist', spec: pod({ priorityClassName: 'urgent' }), expects: refused(/no PriorityClass with name urgent was found/) },
  { what: 'a runtime class that does not exist', spec: pod({ runtimeClassName: 'gvisor' }), expects: refused(/RuntimeClass "gvisor" not found/) },
  { what: 'a service account that does not exist', spec: pod({ serviceAccountName: 'robot' }), expects: refused(/service account .*robot/) },
  { what: 'a field that pods do not have', spec: pod({}, { comand: ['train'] }), expects: refused(/unknown field "spec\.containers\[0\]\.comand"/) },
  { what: 'a name that no container may have', spec: role(1, { containers: [{ name: 'Main_Container', image: 'example.com/x:1' }] }), expects: refused(/spec\.containers\[0\]\.name/) },
  { what: 'a mount without its volume', spec: pod({}, { volumeMounts: [{ name: 'data', mountPath: '/data' }] }), expects: refused(/volumeMounts\[0\]\.name: Not found: "data"/) },
  { what: 'a request above its limit', spec: pod({}, { resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } }), expects: refused(/must be less than or equal to cpu limit/) },


  // What the kubelet finds.
  { what: 'an image that cannot be pulled', spec: role(), kubelet: { reason: 'ErrImagePull', message: 'pull access denied' }, expects: stuck('ErrImagePull', /cannot start: pull access denied/) },
  { what: 'a secret in the environment that does not exist', spec: role(), kubelet: { reason: 'CreateContainerConfigError', message: 'secret "s3" not found' }, expects: stuck('CreateContainerConfigError', /secret "s3" not found/) },
  { what: 'a name that is no image', spec: role(), kubelet: { reason: 'InvalidImageName', message: 'Failed to apply default image tag "A B"' }, expects: { type: 'Failed', status: 'True', reason: 'ConfigurationError', message: /default image tag/ } },

  // What the cluster lacks.
  { what: 'a Karpenter pool without Karpenter', spec: { ...role(), nodePool: karpenter }, expects: { type: 'Ready', reason: 'KarpenterNotInstalled', message: /Install Karpenter, or set nodePool\.provider to Existing/ } },
  { what: 'a queue where nobody keeps queues', spec: { ...role(), scheduling: { queueName: 'gpus' } }, expects: { type: 'Scheduled', status: 'False', reason: 'QueueManagerMissing', message: /"gpus" needs Kueue .*or Volcano.*Install one, or leave queueName out/ } },
  { what: 'a gang where nobody gathers gangs', spec: { ...role(2), scheduling: { gang: true } }, expects: { type: 'Scheduled', status: 'False', reason: 'GangSchedulerMissing', message: /needs Volcano or the coscheduling plugin/ } },
  { what: 'a backup without VolumeSnapshots', spec: { trainer, backup: { on: ['Succeeded'] } }, expects: { type: 'BackedUp', status: 'False', reason: 'SnapshotsNotInstalled', message: /Install the external-snapshotter, or remove spec\.backup/ } },

  // What other objects lack.
  { what: 'a sweep over a job that does not exist', type: hyperparamSweepType, spec: { template: { fromTrainingJob: 'nobody', overrides: { 'trainer.fit.epochs': '${epochs}' } }, parameters: [{ name: 'epochs', type: 'Int', min: 1, max: 3 }], objectives: [{ metric: 'val_accuracy', direction: 'Maximize' }], limits: { trials: 3 } }, expects: { type: 'Ready', message: /nobody/ } },
  { what: 'a deployment of a job that does not exist', type: modelDeploymentType, spec: { model: { fromTrainingJob: 'nobody' } }, expects: { type: 'Ready', message: /nobody/ } },
  { what: 'a deployment of a sweep that does not exist', type: modelDeploymentType, spec: { model: { fromSweep: 'nothing' } }, expects: { type: 'Ready', message: /nothing/ } },
];

describe('a manifest that the API server takes and that cannot work', function conditionsSuite() {
  this.timeout(120_000);
  const suite = withOperator();

  for (const [index, { what, type = trainingJobType, spec, kubelet, expects }] of situations.entries()) {
    it(`says so in ${expects.type}: ${what}`, async () => {
      const name = `case-${index}`;
      await suite.client.create(type, objectOf(type, suite.namespace, name, spec));
      if (kubelet !== undefined) {
        const [bound] = await suite.kubelet.boundPods(suite.key(name), 1);
        if (bound !== undefined) await suite.kubelet.waits(bound, kubelet.reason, kubelet.message);
      }
      await conditionSays(suite, type, name, expects);
    });
  }

  const configMap = 'MountVolume.SetUp failed for volume "source" : configmap "digits" not found';
  it('says so in Running: a ConfigMap with the data that does not exist', async () => {
    const job = await suite.create('no-data', role(1, { volumes: [{ name: 'source', configMap: { name: 'digits' } }] }));
    const [bound] = await suite.kubelet.boundPods(job, 1);
    if (bound === undefined) throw new Error('no pod');
    await suite.kubelet.waits(bound, 'ContainerCreating', '');
    await suite.kubelet.warns(bound, 'FailedMount', configMap);
    await conditionSays(suite, trainingJobType, 'no-data', stuck('FailedMount', /configmap "digits" not found/));
    await suite.kubelet.run(bound);
    expect((await suite.condition(job, 'Running', 'True')).message).to.equal('All pods run.');
  });

  it('says so in Ready: a quota that is used up', async () => {
    const namespace = await ownNamespace('quota');
    await suite.plane.kubectl(['create', 'quota', 'none', '--hard=pods=0', '-n', namespace]);
    await until('the quota is in force', async () => (await suite.plane.kubectl(['get', 'quota', 'none', '-n', namespace, '-o', 'jsonpath={.status.hard.pods}'])) === '0', { timeoutSeconds: 30 });
    await suite.client.create(trainingJobType, objectOf(trainingJobType, namespace, 'poor', role()));
    await conditionSays(suite, trainingJobType, 'poor', refused(/exceeded quota: none/), namespace);
    await suite.plane.kubectl(['delete', 'quota', 'none', '-n', namespace]);
    await until('the job goes on once the quota is gone', async () => (await suite.kubelet.podsOf({ namespace, name: 'poor' })).length === 1, { timeoutSeconds: 60 });
  });

  it('says so in Ready: a pod that the namespace’s security standard forbids', async () => {
    const namespace = await ownNamespace('strict');
    await suite.plane.kubectl(['label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted']);
    await suite.client.create(trainingJobType, objectOf(trainingJobType, namespace, 'loose', role()));
    await conditionSays(suite, trainingJobType, 'loose', refused(/violates PodSecurity "restricted/), namespace);
  });

  it('says so in Ready: limits of the namespace that the pod exceeds', async () => {
    const namespace = await ownNamespace('limits');
    const limits = { apiVersion: 'v1', kind: 'LimitRange', metadata: { name: 'small' }, spec: { limits: [{ type: 'Container', max: { memory: '1Gi' }, default: { memory: '1Gi' } }] } };
    await suite.plane.kubectl(['apply', '-n', namespace, '-f', '-'], { input: JSON.stringify(limits) });
    await suite.client.create(trainingJobType, objectOf(trainingJobType, namespace, 'big', pod({}, { resources: { limits: { memory: '2Gi' } } })));
    await conditionSays(suite, trainingJobType, 'big', refused(/maximum memory usage per Container is 1Gi/), namespace);
  });

  async function ownNamespace(part: string): Promise<string> {
    const namespace = `${suite.namespace}-${part}`;
    await suite.plane.kubectl(['create', 'namespace', namespace]);
    await until('the namespace has its service account', async () => (await suite.plane.kubectl(['get', 'serviceaccounts', '-n', namespace, '-o', 'name'])).includes('default'), { timeoutSeconds: 60 });
    return namespace;
  }
});

function objectOf(type: ResourceType, namespace: string, name: string, spec: object): KubeObject {
  const object = { apiVersion: 'anneal.dev/v1alpha1', kind: type.kind, metadata: { namespace, name }, spec };
  return object;
}

async function conditionSays(suite: OperatorSuite, type: ResourceType, name: string, expected: Expected, namespace = suite.namespace): Promise<void> {
  let found: readonly Condition[] | undefined;
  const holds = async (): Promise<boolean> => {
    const object = await suite.client.get<KubeObject & { readonly status?: { readonly conditions?: readonly Condition[] } }>(type, { namespace, name });
    found = object.status?.conditions;
    const condition = findCondition(found, expected.type);
    return condition !== undefined && expected.message.test(condition.message);
  };
  await until(`${expected.type} says ${String(expected.message)}`, holds, { timeoutSeconds: 30, everyMilliseconds: 100, hint: () => Promise.resolve(JSON.stringify(found, null, 1)) });
  const condition = findCondition(found, expected.type);
  if (expected.status !== undefined) expect(condition?.status).to.equal(expected.status);
  if (expected.reason !== undefined) expect(condition?.reason).to.equal(expected.reason);
  // Whatever an aspect says, the column that people look at must not say that all is well.
  if (expected.type !== 'BackedUp') expect(findCondition(found, 'Ready')?.status).not.to.equal('True');
}
