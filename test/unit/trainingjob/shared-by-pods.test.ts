import { expect } from 'chai';
import { assess } from '../../../operator/src/controllers/trainingjob/assess.ts';
import type { Observed } from '../../../operator/src/controllers/trainingjob/observe.ts';
import { planJob } from '../../../operator/src/controllers/trainingjob/plan.ts';
import type { Action } from '../../../operator/src/runtime/index.ts';
import { begunJob, job, now, pod, role, runningStatus, seen, settings } from '../../support/builders/training-job.ts';

const actionsFor = (observed: Observed): readonly Action[] => planJob(observed, assess(observed, now), now, settings).actions;

function kinds(actions: readonly Action[]): readonly string[] {
  return actions.map((action) => ('object' in action ? `${action.kind} ${action.object.kind}` : action.kind));
}

describe('what the pods of a job share', () => {
  const mpi = { framework: 'MPI', roles: [role('launcher'), role('worker')] } as const;

  it('is there before the pods', () => {
    const roles = [role('worker', 1, { accelerator: { deviceClassName: 'gpu.nvidia.com', count: 1 } })];
    expect(kinds(actionsFor(seen(job({ ...mpi, roles: [...mpi.roles] }))))).to.deep.equal(['CreateSecret Secret', 'Create Pod', 'Create Pod']);
    expect(kinds(actionsFor(seen(job({ roles }))))).to.deep.equal(['Create ResourceClaimTemplate', 'Create Pod']);
  });

  it('belongs to the job', () => {
    const [secret] = actionsFor(seen(job({ ...mpi, roles: [...mpi.roles] })));
    if (secret?.kind !== 'CreateSecret') throw new Error('The first action creates no Secret.');
    expect(secret.generate).to.deep.equal({ kind: 'SshKeyPair' });
    expect(secret.object.metadata).to.deep.include({
      name: 'digits-mpi-5vjea', namespace: 'team-a',
      ownerReferences: [{ apiVersion: 'anneal.dev/v1alpha1', kind: 'TrainingJob', name: 'digits', uid: 'uid-of-digits', controller: true, blockOwnerDeletion: true }],
    });
  });

  it('is asked for no more while no pod is to be made', () => {
    const of = begunJob({ ...mpi, roles: [...mpi.roles] });
    const pods = [0, 1].map((index) => pod(of, 1, runningStatus, { index }));
    expect(actionsFor(seen(of, { pods }))).to.deep.equal([]);
  });
});
