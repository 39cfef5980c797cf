import { expect } from 'chai';
import { areIdle, closeTogether, volcanoPodGroup, whyNoNode, withAdditions, type PodUsage, type Scheduling } from '../../../operator/src/domain/scheduling/index.ts';
import type { PodStatus } from '../../../operator/src/domain/pod.ts';
import { typicalPod } from '../../../operator/src/controllers/trainingjob/admission.ts';
import { job, pod, role, runningStatus, withRole } from '../../support/builders/training-job.ts';

const asks = (over: Partial<Scheduling>): Scheduling => ({ gang: true, scheduler: 'Auto', schedulerName: 'scheduler-plugins-scheduler', ...over });

describe('a pod without a node', () => {
  const cases: readonly (readonly [said: string, reason: string])[] = [
    ['0/4 nodes are available: 4 Insufficient nvidia.com/gpu. no new claims to deallocate, preemption: 0/4 nodes are available: 4 No preemption victims found.', 'NoNode'],
    ["0/3 nodes are available: 3 node(s) had untolerated taint(s).", 'NoNode'],
    ['persistentvolumeclaim "data" not found', 'Volume'],
    ['0/3 nodes are available: 3 node(s) had volume node affinity conflict. preemption: 0/3 nodes', 'Volume'],
    ['0/4 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found', 'Volume'],
    ['0/2 nodes are available: 2 cannot allocate all claims. still not schedulable', 'NoDevice'],
    ['0/4 nodes are available: request accelerator: device class gpu.nvidia.com does not exist. no new claims to deallocate, preemption: 0/4 nodes are available.', 'NoDevice'],
    ['3/3 tasks in gang unschedulable: pod group is not ready, 3 minAvailable', 'Gang'],
    ['optimistic rejection in PreFilter: cannot find enough sibling pods, current pods number: 1, minMember of group: 3', 'Gang'],
  ];
  for (const [message, reason] of cases) {
    it(`waits for ${reason}: ${message.slice(0, 60)}`, () => {
      const waiting = pod(job(), 1, { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }] });
      expect(whyNoNode(waiting, false)?.reason).to.equal(reason);
      expect(whyNoNode(waiting, false)?.message).to.contain(message);
    });
  }

  it('waits for spot capacity where its own pool has nothing else', () => {
    const waiting = pod(job(), 1, { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes are available' }] });
    expect(whyNoNode(waiting, true)).to.deep.equal({ reason: 'SpotCapacity', message: `Pod ${waiting.metadata.name} waits for spot capacity: 0/3 nodes are available` });
  });

  it('waits for nothing once it has one', () => {
    expect(whyNoNode(pod(job(), 1, runningStatus), true)).to.equal(undefined);
  });
});

describe('what scheduling adds to a pod', () => {
  const plain = { metadata: { labels: { a: '1' } }, spec: { containers: [], tolerations: [{ key: 'spot', operator: 'Exists' as const }], schedulerName: 'mine', nodeSelector: { disk: 'fast' } } };

  it('joins what the pod has, and repeats nothing', () => {
    const added = withAdditions(plain, { labels: { b: '2' }, nodeSelector: { pool: 'x' }, tolerations: [{ key: 'spot', operator: 'Exists' }, { key: 'gpu', operator: 'Exists' }], schedulingGates: ['g'] });
    expect(added.metadata.labels).to.deep.equal({ a: '1', b: '2' });
    expect(added.spec).to.deep.include({ nodeSelector: { disk: 'fast', pool: 'x' }, tolerations: [{ key: 'spot', operator: 'Exists' }, { key: 'gpu', operator: 'Exists' }], schedulingGates: [{ name: 'g' }], schedulerName: 'mine' });
  });

  it('is nothing where nothing is asked for', () => {
    expect(withAdditions(plain, {})).to.deep.equal(plain);
  });

  it('keeps the pods of a job close, by force or by wish, beside affinities of their own', () => {
    const own = { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'rack' }] } };
    const added = withAdditions({ ...plain, spec: { ...plain.spec, affinity: own } }, closeTogether({ key: 'zone', mode: 'Required' }, 'digits'));
    expect(added.spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution).to.deep.equal([
      { topologyKey: 'rack' }, { topologyKey: 'zone', labelSelector: { matchLabels: { 'anneal.dev/training-job': 'digits' } } },
    ]);
    expect(closeTogether({ key: 'zone', mode: 'Preferred' }, 'digits').podAffinity?.preferred).to.have.length(1);
  });
});

describe("Volcano's PodGroup of a job", () => {
  const group = (over: Partial<Scheduling>, roles = [role('worker', 4, { minReplicas: 2, maxReplicas: 4 })]) => {
    const spec = job({ framework: 'Custom', roles }).spec;
    const of = { namespace: 'team-a', name: 'digits', uid: 'uid-of-digits', spec };
    return volcanoPodGroup(of, asks(over), (one) => typicalPod(of, one)).spec;
  };

  it('needs as many pods as an elastic role goes on with', () => {
    expect(group({})).to.deep.include({ minMember: 2, minTaskMember: { worker: 2 } });
    expect(group({ gang: false })).to.deep.equal({ minMember: 1 });
  });

  it('names a tier of HyperNodes by its number or name; a label of nodes becomes an affinity of the pods', () => {
    expect(group({ topology: { key: '2', mode: 'Required' } })).to.deep.include({ networkTopology: { mode: 'hard', highestTierAllowed: 2 } });
    expect(group({ topology: { key: 'rack', mode: 'Preferred' } })).to.deep.include({ networkTopology: { mode: 'soft', highestTierName: 'rack' } });
    expect(group({ topology: { key: 'topology.kubernetes.io/zone', mode: 'Required' } })).to.not.have.property('networkTopology');
  });
});

describe('pods that use next to no processor', () => {
  const of = job(withRole(2));
  const pods = (status: PodStatus = runningStatus) => [0, 1].map((index) => pod(of, 1, status, { index }));
  const usages = (...cpus: readonly string[]): PodUsage[] => pods().map(({ metadata: { name } }, index) => ({ name, containers: [{ usage: { cpu: cpus[index] ?? '0' } }] }));

  it('are idle when each uses less than a hundredth of a core', () => {
    expect(areIdle(pods(), usages('9m', '1234567n'))).to.equal(true);
    expect(areIdle(pods(), usages('9m', '10m'))).to.equal(false);
  });

  it('are not called idle before each was measured, or while none runs', () => {
    expect(areIdle(pods(), usages('0', '0').slice(1))).to.equal(false);
    expect(areIdle(pods({ phase: 'Pending' }), usages('0', '0'))).to.equal(false);
  });
});
