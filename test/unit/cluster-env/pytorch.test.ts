import { expect } from 'chai';
import { envOf, host, jobOf, roleWith } from '../../support/builders/places.ts';
import { role } from '../../support/builders/training-job.ts';

describe('the environment of torchrun', () => {
  it('names master, world and rank of a fixed gang, to torchrun and to programs without it', () => {
    const of = jobOf({ framework: 'PyTorch', roles: [role('worker', 2), role('master')] });
    expect(envOf(of, 'worker-1')).to.deep.equal({
      ANNEAL_ROLE: 'worker', ANNEAL_INDEX: '1', PYTHONUNBUFFERED: '1',
      MASTER_ADDR: host('master-0'), MASTER_PORT: '29500', WORLD_SIZE: '3', RANK: '2',
      PET_MASTER_ADDR: host('master-0'), PET_MASTER_PORT: '29500', PET_NNODES: '3', PET_NODE_RANK: '2', PET_NPROC_PER_NODE: '1',
    });
    expect(envOf(of, 'master-0')).to.include({ RANK: '0', PET_NODE_RANK: '0' });
  });

  it('is led by worker 0 where there is no master', () => {
    expect(envOf(jobOf({ framework: 'PyTorch', roles: [role('worker', 2)] }), 'worker-1')).to.include({ MASTER_ADDR: host('worker-0'), RANK: '1' });
  });

  it('counts the processes of all pods in the world, and those of the pod for torchrun', () => {
    const gpus = { resource: 'nvidia.com/gpu', count: 4 };
    const of = jobOf({ framework: 'PyTorch', roles: [role('master', 1, { processesPerPod: 2 }), role('worker', 2, { accelerator: gpus })] });
    expect(envOf(of, 'worker-0')).to.include({ WORLD_SIZE: '10', PET_NNODES: '3', PET_NPROC_PER_NODE: '4', RANK: '1' });
    expect(envOf(of, 'master-0')).to.include({ PET_NPROC_PER_NODE: '2' });
  });

  it('takes the port of the master\'s container that is named pytorchjob-port', () => {
    const of = jobOf({ framework: 'PyTorch', roles: [roleWith({ ports: [{ name: 'pytorchjob-port', containerPort: 23456 }] }, 'master'), role('worker')] });
    expect(envOf(of, 'worker-0')).to.include({ MASTER_PORT: '23456', PET_MASTER_PORT: '23456' });
  });

  it('stays within the pod where there is no other', () => {
    expect(envOf(jobOf({ framework: 'PyTorch', roles: [role('worker')] }), 'worker-0')).to.include({ MASTER_ADDR: 'localhost', WORLD_SIZE: '1', PET_NNODES: '1' });
  });

  it('passes on how often torchrun restarts its processes', () => {
    const of = jobOf({ framework: 'PyTorch', roles: [role('worker', 2)], pytorch: { maxRestarts: 3 } });
    expect(envOf(of, 'worker-0')).to.include({ PET_MAX_RESTARTS: '3' });
  });

  describe('of an elastic role', () => {
    const elastic = role('worker', 2, { minReplicas: 1, maxReplicas: 4, processesPerPod: 2 });
    const of = jobOf({ framework: 'PyTorch', roles: [elastic] });

    it('leaves ranks to a rendezvous that worker 0 keeps', () => {
      expect(envOf(of, 'worker-1')).to.deep.equal({
        ANNEAL_ROLE: 'worker', ANNEAL_INDEX: '1', PYTHONUNBUFFERED: '1',
        PET_NNODES: '1:4', PET_NPROC_PER_NODE: '2', PET_RDZV_BACKEND: 'c10d', PET_RDZV_ENDPOINT: `${host('worker-0')}:29500`, PET_RDZV_ID: 'uid-of-digits',
        PET_RDZV_CONF: 'is_host=false',
      });
      expect(envOf(of, 'worker-0')).to.include({ PET_RDZV_CONF: 'is_host=true' });
    });

    it('adds the settings of the user, who may also say who keeps it', () => {
      const rendezvousConfig = [{ key: 'last_call_timeout', value: '5' }, { key: 'join_timeout', value: '900' }];
      expect(envOf(jobOf({ framework: 'PyTorch', roles: [elastic], pytorch: { rendezvousConfig } }), 'worker-1')).to.include({ PET_RDZV_CONF: 'is_host=false,last_call_timeout=5,join_timeout=900' });
      const own = [{ key: 'is_host', value: '0' }];
      expect(envOf(jobOf({ framework: 'PyTorch', roles: [elastic], pytorch: { rendezvousConfig: own } }), 'worker-0')).to.include({ PET_RDZV_CONF: 'is_host=0' });
    });
  });
});
