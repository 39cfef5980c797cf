import { expect } from 'chai';
import { labels, managedBy, type NodePool } from '@anneal/operator/api';
import { observe, watches } from '../../../operator/src/controllers/nodepool/observe.ts';
import { planPool, tellUsers } from '../../../operator/src/controllers/nodepool/plan.ts';
import { poolNameOf } from '../../../operator/src/domain/node-pool.ts';
import type { KubeObject } from '../../../operator/src/kube/resource.ts';
import type { Plan } from '../../../operator/src/runtime/index.ts';
import { karpenterPool, modelDeployment, sweep, trainedJob } from '../../support/builders/model-deployment.ts';
import { now } from '../../support/builders/training-job.ts';
import { MemoryStores } from '../../support/memory-stores.ts';

const wanted = karpenterPool();
const name = poolNameOf(wanted) ?? '';
const pool: KubeObject = { apiVersion: 'karpenter.sh/v1', kind: 'NodePool', metadata: { name, uid: 'uid-of-pool', labels: { [labels.managedBy]: managedBy } } };

function planFor(objects: readonly KubeObject[], over: { readonly seesAllUsers?: boolean; readonly installed?: boolean } = {}): Plan {
  const memory = new MemoryStores(watches);
  memory.setInstalled('NodePool', over.installed ?? true);
  for (const object of objects) memory.put(object);
  const seen = observe({ namespace: '', name }, memory.stores);
  if (seen === undefined) throw new Error(`${name} is not the name of a pool of ours.`);
  return planPool(seen, over.seesAllUsers ?? true, now);
}

function job(state: Parameters<typeof trainedJob>[0], nodePool: NodePool = wanted) {
  const one = trainedJob(state);
  return { ...one, spec: { ...one.spec, nodePool } };
}

const kinds = ({ actions }: Plan) => actions.map(({ kind }) => kind);

describe('a node pool', () => {
  const inlineSweep = (state: Parameters<typeof sweep>[0]) => {
    const one = sweep(state);
    return { ...one, spec: { ...one.spec, template: { spec: job('running').spec, overrides: {} } } };
  };
  const situations: readonly (readonly [string, readonly KubeObject[], readonly string[]])[] = [
    ['is made for a job that runs', [job('running')], ['Apply']],
    ['is not made for a job that has ended', [job('succeeded')], []],
    ['is made for a deployment', [modelDeployment({ nodePool: wanted })], ['Apply']],
    ['stays for a sweep whose template is a job that has ended', [pool, job('succeeded'), sweep('running')], ['Apply']],
    ['stays for a sweep that has its template itself', [pool, inlineSweep('running')], ['Apply']],
    ['goes with the end of the sweep', [pool, job('succeeded'), sweep('succeeded')], ['Delete']],
    ['goes with its last user', [pool, job('failed')], ['Delete']],
    ['goes when a job asks for another pool', [pool, job('running', karpenterPool({ capacity: ['Spot'] }))], ['Delete']],
    ['goes when its user is being deleted', [pool, { ...job('running'), metadata: { ...job('running').metadata, deletionTimestamp: '2026-03-01T12:00:00Z' } }], ['Delete']],
    ['that is on its way out is left alone', [{ ...pool, metadata: { ...pool.metadata, deletionTimestamp: '2026-03-01T12:00:00Z' } }, job('running')], []],
  ];
  for (const [what, objects, expected] of situations) {
    it(what, () => expect(kinds(planFor(objects))).to.deep.equal(expected));
  }

  it('is deleted by the UID that was seen', () => {
    expect(planFor([pool]).actions[0]).to.deep.include({ kind: 'Delete' }).and.nested.include({ 'target.uid': 'uid-of-pool' });
  });

  it('is not deleted by an operator that sees only some of its users', () => {
    expect(planFor([pool], { seesAllUsers: false }).actions).to.deep.equal([]);
  });

  it('is looked for again where Karpenter is not installed yet', () => {
    expect(planFor([job('running')], { installed: false })).to.deep.equal({ actions: [], next: { kind: 'at', time: now + 10_000 } });
    expect(planFor([], { installed: false }).next).to.deep.equal({ kind: 'done' });
  });

  it('that others made under a name of their own is none of our business', () => {
    expect(observe({ namespace: '', name: 'default' }, new MemoryStores(watches).stores)).to.equal(undefined);
  });

  it('that the cluster refuses is told of to each of its users', () => {
    const memory = new MemoryStores(watches);
    memory.put(job('running'));
    memory.put(modelDeployment({ nodePool: wanted }));
    const seen = observe({ namespace: '', name }, memory.stores);
    const events = seen === undefined ? [] : tellUsers(seen, new Error('label domain "karpenter.sh" is restricted'));
    expect(events.map((event) => event.kind === 'Emit' && event.about.type.kind)).to.deep.equal(['TrainingJob', 'ModelDeployment']);
  });
});
