import { expect } from 'chai';
import { envOf, host, jobOf, roleWith } from '../../support/builders/places.ts';
import { role } from '../../support/builders/training-job.ts';

const gpus = { resource: 'nvidia.com/gpu', count: 4 };

describe('the environment of JAX', () => {
  it('names the coordinator, and each pod as one process that drives all of its accelerators', () => {
    const of = jobOf({ framework: 'JAX', roles: [role('worker', 2, { accelerator: gpus })] });
    expect(envOf(of, 'worker-1')).to.deep.equal({
      ANNEAL_ROLE: 'worker', ANNEAL_INDEX: '1', PYTHONUNBUFFERED: '1',
      JAX_COORDINATOR_ADDRESS: `${host('worker-0')}:29500`, JAX_NUM_PROCESSES: '2', JAX_PROCESS_ID: '1',
      COORDINATOR_ADDRESS: host('worker-0'), COORDINATOR_PORT: '29500', NUM_PROCESSES: '2', PROCESS_ID: '1',
    });
  });

  it('numbers the first process of a pod that has several', () => {
    const of = jobOf({ framework: 'JAX', roles: [role('master'), role('worker', 2, { processesPerPod: 3 })] });
    expect(envOf(of, 'worker-1')).to.include({ JAX_NUM_PROCESSES: '7', JAX_PROCESS_ID: '4', COORDINATOR_ADDRESS: host('master-0') });
  });

  it('takes the port that is named jaxjob-port', () => {
    const of = jobOf({ framework: 'JAX', roles: [roleWith({ ports: [{ name: 'jaxjob-port', containerPort: 6666 }] }, 'worker', 2)] });
    expect(envOf(of, 'worker-1')).to.include({ JAX_COORDINATOR_ADDRESS: `${host('worker-0')}:6666`, COORDINATOR_PORT: '6666' });
  });
});

describe('the environment of XGBoost', () => {
  it('names the tracker in the master, and what LightGBM asks for', () => {
    const of = jobOf({ framework: 'XGBoost', roles: [role('master'), role('worker', 2)] });
    expect(envOf(of, 'worker-0')).to.deep.equal({
      ANNEAL_ROLE: 'worker', ANNEAL_INDEX: '0', PYTHONUNBUFFERED: '1',
      DMLC_TRACKER_URI: host('master-0'), DMLC_TRACKER_PORT: '29500', DMLC_TASK_ID: '1', DMLC_NUM_WORKER: '3',
      MASTER_ADDR: host('master-0'), MASTER_PORT: '29500', WORLD_SIZE: '3', RANK: '1',
      WORKER_PORT: '29500', WORKER_ADDRS: `${host('worker-0')},${host('worker-1')}`,
    });
    expect(envOf(of, 'master-0')).to.include({ DMLC_TASK_ID: '0', RANK: '0' });
  });

  it('counts one worker of the tracker for each accelerator', () => {
    const of = jobOf({ framework: 'XGBoost', roles: [role('worker', 2, { accelerator: gpus })] });
    expect(envOf(of, 'worker-1')).to.include({ DMLC_NUM_WORKER: '8', DMLC_TASK_ID: '4', WORLD_SIZE: '2', RANK: '1', WORKER_ADDRS: host('worker-1') });
  });

  it('takes the ports that are named xgboostjob-port', () => {
    const ports = (containerPort: number) => ({ ports: [{ name: 'xgboostjob-port', containerPort }] });
    const of = jobOf({ framework: 'XGBoost', roles: [roleWith(ports(9991), 'master'), roleWith(ports(9992), 'worker')] });
    expect(envOf(of, 'worker-0')).to.include({ DMLC_TRACKER_PORT: '9991', MASTER_PORT: '9991', WORKER_PORT: '9992' });
  });

  it('has no workers\' addresses where the pod is alone', () => {
    expect(envOf(jobOf({ framework: 'XGBoost', roles: [role('master')] }), 'master-0')).not.to.have.any.keys('WORKER_ADDRS', 'WORKER_PORT');
  });
});

describe('the environment of other programs', () => {
  for (const framework of ['Custom', 'TensorFlowJS'] as const) {
    it(`names the hosts of the pod's own role (${framework})`, () => {
      const of = jobOf({ framework, roles: [role('actor', 2), role('learner')] });
      expect(envOf(of, 'actor-1')).to.deep.equal({ ANNEAL_ROLE: 'actor', ANNEAL_INDEX: '1', ANNEAL_REPLICAS: '2', ANNEAL_HOSTS: `${host('actor-0')},${host('actor-1')}` });
    });
  }

  it('names as many hosts as an elastic role may ever have', () => {
    const of = jobOf({ framework: 'Custom', roles: [role('worker', 2, { minReplicas: 1, maxReplicas: 3 })] });
    expect(envOf(of, 'worker-0')).to.include({ ANNEAL_REPLICAS: '2', ANNEAL_MIN_REPLICAS: '1', ANNEAL_HOSTS: ['worker-0', 'worker-1', 'worker-2'].map(host).join(',') });
  });

  it('names host and port of each replica of the built-in trainer, and nobody to a single one', () => {
    expect(envOf(jobOf({ replicas: 2 }), 'trainer-0')).to.deep.equal({
      ANNEAL_ROLE: 'trainer', ANNEAL_INDEX: '0', ANNEAL_REPLICAS: '2', ANNEAL_PEERS: `${host('trainer-0')}:7946,${host('trainer-1')}:7946`,
    });
    expect(envOf(jobOf({}), 'trainer-0')).to.deep.equal({ ANNEAL_ROLE: 'trainer', ANNEAL_INDEX: '0', ANNEAL_REPLICAS: '1' });
    expect(envOf(jobOf({ replicas: 1, minReplicas: 1, maxReplicas: 2 }), 'trainer-0')).to.include({ ANNEAL_MIN_REPLICAS: '1', ANNEAL_PEERS: `${host('trainer-0')}:7946,${host('trainer-1')}:7946` });
  });
});
