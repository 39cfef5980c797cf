import { expect } from 'chai';
import fc from 'fast-check';
import { labels, managedBy, type NodePool } from '@anneal/operator/api';
import { observe, watches } from '../../../operator/src/controllers/nodepool/observe.ts';
import { planPool } from '../../../operator/src/controllers/nodepool/plan.ts';
import { karpenterNodePool, poolNameOf } from '../../../operator/src/domain/node-pool.ts';
import { karpenterPool, modelDeployment, trainedJob } from '../../support/builders/model-deployment.ts';
import { now } from '../../support/builders/training-job.ts';
import { MemoryStores } from '../../support/memory-stores.ts';

const requirement = fc.record({ key: fc.constantFrom('kubernetes.io/arch', 'node.kubernetes.io/instance-type'), operator: fc.constantFrom('In' as const, 'NotIn' as const), values: fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 1 }) });
const spec: fc.Arbitrary<NodePool> = fc.record({
  provider: fc.constant('Karpenter' as const),
  nodeClassRef: fc.record({ group: fc.constant('karpenter.k8s.aws'), kind: fc.constant('EC2NodeClass'), name: fc.constantFrom('gpu', 'cpu') }),
  capacity: fc.uniqueArray(fc.constantFrom('Spot' as const, 'OnDemand' as const), { minLength: 1 }),
  requirements: fc.array(requirement, { maxLength: 3 }),
  limits: fc.dictionary(fc.constantFrom('cpu', 'memory'), fc.constantFrom<string | number>('1', 2)),
});

/** The same wish written another way: fields, requirements, values and capacities in another order, numbers as strings. */
function rewritten(pool: NodePool): NodePool {
  const swapped = <T extends object>(value: T): T => Object.fromEntries(Object.entries(value).reverse()) as T;
  return swapped({
    ...pool,
    ...(pool.nodeClassRef === undefined ? {} : { nodeClassRef: swapped(pool.nodeClassRef) }),
    capacity: [...pool.capacity].reverse(),
    requirements: (pool.requirements ?? []).map((one) => swapped({ ...one, values: [...(one.values ?? [])].reverse() })).reverse(),
    limits: swapped(Object.fromEntries(Object.entries(pool.limits ?? {}).map(([resource, quantity]) => [resource, String(quantity)]))),
  });
}

describe('for any wish for nodes', () => {
  it('shares one pool, the same in every field, with whoever wishes the same in another order', () => {
    fc.assert(fc.property(spec, (pool) => {
      expect(poolNameOf(rewritten(pool))).to.equal(poolNameOf(pool));
      expect(karpenterNodePool(rewritten(pool))).to.deep.equal(karpenterNodePool(pool));
    }));
  });
});

const pools = [karpenterPool(), karpenterPool({ capacity: ['Spot'] })];
const happening = fc.record({
  user: fc.constantFrom('job-a', 'job-b', 'serve-c', 'serve-d'),
  what: fc.constantFrom('run', 'run', 'end', 'remove'),
  pool: fc.nat(pools.length - 1),
});

describe('for any history of users', () => {
  it('a pool exists exactly while it has one', () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 40 }), (history) => {
        const memory = new MemoryStores(watches);
        const users = new Map<string, string>();
        const existing = new Set<string>();
        for (const { user, what, pool } of history) {
          const nodePool = pools[pool];
          if (nodePool === undefined) continue;
          change(memory, user, what, nodePool);
          if (what === 'run' || (what === 'end' && user.startsWith('serve'))) users.set(user, poolNameOf(nodePool) ?? '');
          else users.delete(user);
          for (const name of pools.map(poolNameOf).filter((one) => one !== undefined)) {
            reconcile(memory, name, existing, [...users.values()]);
          }
          expect([...existing].sort()).to.deep.equal([...new Set(users.values())].sort());
        }
      }),
      { numRuns: 500 },
    );
  });
});

function change(memory: MemoryStores<typeof watches>, user: string, what: string, nodePool: NodePool): void {
  if (user.startsWith('job')) {
    const job = trainedJob(what === 'end' ? 'succeeded' : 'running', 1, user);
    if (what === 'remove') memory.remove('TrainingJob', { namespace: 'team-a', name: user });
    else memory.put({ ...job, spec: { ...job.spec, nodePool } } as typeof job);
    return;
  }
  const serving = modelDeployment({ nodePool });
  if (what === 'remove') memory.remove('ModelDeployment', { namespace: 'team-a', name: user });
  else memory.put({ ...serving, metadata: { ...serving.metadata, name: user, uid: user } });
}

function reconcile(memory: MemoryStores<typeof watches>, name: string, existing: Set<string>, needed: readonly string[]): void {
  const seen = observe({ namespace: '', name }, memory.stores);
  if (seen === undefined) throw new Error(`${name} is not the name of a pool of ours.`);
  for (const action of planPool(seen, true, now).actions) {
    if (action.kind === 'Apply') {
      existing.add(name);
      memory.put({ ...action.object, metadata: { ...action.object.metadata, uid: name, labels: { [labels.managedBy]: managedBy } } });
    }
    if (action.kind === 'Delete') {
      expect(needed, 'a pool in use was deleted').not.to.include(name);
      existing.delete(name);
      memory.remove('NodePool', { namespace: '', name });
    }
  }
}
