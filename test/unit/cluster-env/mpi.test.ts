import { expect } from 'chai';
import type { TrainingJobSpec } from '@anneal/operator/api';
import { secretOf, withPeers } from '../../../operator/src/domain/cluster-env/index.ts';
import { secretBody } from '../../../operator/src/domain/cluster-env/secret.ts';
import { trainingPod } from '../../../operator/src/domain/training-pod.ts';
import { envOf, host, jobOf, place, roleWith } from '../../support/builders/places.ts';
import { context, role } from '../../support/builders/training-job.ts';

type Settings = NonNullable<TrainingJobSpec['mpi']>;

const gpus = { resource: 'nvidia.com/gpu', count: 2 };
const mpi = (over: Partial<Settings> = {}) => jobOf({
  framework: 'MPI',
  roles: [role('worker', 2, { accelerator: gpus }), roleWith({ resources: { limits: { cpu: '1' } }, securityContext: { runAsUser: 0 } }, 'launcher')],
  mpi: { implementation: 'OpenMPI', sshAuthMountPath: '/root/.ssh', launcherAsWorker: 'Disabled', ...over },
});
const hostfileOf = (of: ReturnType<typeof mpi>): readonly string[] => (secretOf(of)?.files.hostfile ?? '').trimEnd().split('\n');
const sshArguments = '-o ConnectionAttempts=10 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR';
const common = { ANNEAL_ROLE: 'launcher', ANNEAL_INDEX: '0', K_MPI_JOB_ROLE: 'launcher', NVIDIA_VISIBLE_DEVICES: '', NVIDIA_DRIVER_CAPABILITIES: '' };

describe('the environment of MPI', () => {
  const table: readonly (readonly [Settings['implementation'], object])[] = [
    ['OpenMPI', {
      OMPI_MCA_orte_default_hostfile: '/etc/mpi/hostfile', OMPI_MCA_orte_keep_fqdn_hostnames: 'true', OMPI_MCA_orte_set_default_slots: '2', OMPI_MCA_plm_rsh_args: sshArguments,
      PRTE_MCA_prte_default_hostfile: '/etc/mpi/hostfile', PRTE_MCA_prte_keep_fqdn_hostnames: 'true', PRTE_MCA_plm_ssh_args: sshArguments,
    }],
    ['IntelMPI', { I_MPI_HYDRA_HOST_FILE: '/etc/mpi/hostfile', I_MPI_HYDRA_BOOTSTRAP_EXEC_EXTRA_ARGS: sshArguments, I_MPI_PERHOST: '2' }],
    ['MPICH', { HYDRA_HOST_FILE: '/etc/mpi/hostfile', HYDRA_LAUNCH_EXTRA_ARGS: sshArguments }],
  ];
  for (const [implementation, variables] of table) {
    it(`tells the mpirun of ${implementation} of the hostfile and of how to log in`, () => {
      expect(envOf(mpi({ implementation }), 'launcher-0')).to.deep.equal({ ...common, ...variables });
    });
  }

  it('tells a worker nothing but what it is', () => {
    expect(envOf(mpi(), 'worker-1')).to.deep.equal({ ANNEAL_ROLE: 'worker', ANNEAL_INDEX: '1', K_MPI_JOB_ROLE: 'worker' });
  });

  it('leaves its accelerators to a launcher that works too', () => {
    expect(envOf(mpi({ launcherAsWorker: 'Enabled' }), 'launcher-0')).not.to.have.any.keys('NVIDIA_VISIBLE_DEVICES');
  });
});

describe('the hostfile', () => {
  it('gives each worker as many processes as it has accelerators', () => {
    expect(hostfileOf(mpi())).to.deep.equal([`${host('worker-0')} slots=2`, `${host('worker-1')} slots=2`]);
  });

  it('is written with a colon for Hydra', () => {
    expect(hostfileOf(mpi({ implementation: 'IntelMPI' }))).to.deep.equal([`${host('worker-0')}:2`, `${host('worker-1')}:2`]);
    expect(hostfileOf(mpi({ implementation: 'MPICH' }))).to.deep.equal([`${host('worker-0')}:2`, `${host('worker-1')}:2`]);
  });

  it('begins with a launcher that works too', () => {
    expect(hostfileOf(mpi({ launcherAsWorker: 'Enabled' }))).to.deep.equal([`${host('launcher-0')} slots=1`, `${host('worker-0')} slots=2`, `${host('worker-1')} slots=2`]);
  });
});

describe('the pods of an MPI job', () => {
  const specOf = (of: ReturnType<typeof mpi>, name: string) => trainingPod(of, place(name), 1, context).spec;
  const volumesOf = (of: ReturnType<typeof mpi>, name: string) => Object.fromEntries((specOf(of, name).volumes ?? []).map(({ name: volume, ...source }) => [volume, source]));
  const { name: secretName } = secretOf(mpi()) ?? { name: '' };

  it('all have the key pair, by which each may log in to the others', () => {
    for (const name of ['launcher-0', 'worker-0']) {
      expect(specOf(mpi(), name).containers[0]?.volumeMounts).to.deep.include({ name: 'anneal-ssh', mountPath: '/root/.ssh' });
      expect(volumesOf(mpi(), name)['anneal-ssh']).to.deep.equal({
        secret: {
          secretName, defaultMode: 0o600,
          items: [{ key: 'ssh-privatekey', path: 'id_ecdsa' }, { key: 'ssh-publickey', path: 'id_ecdsa.pub' }, { key: 'ssh-publickey', path: 'authorized_keys' }],
        },
      });
    }
  });

  it('let any other user than root read it, for it belongs to root', () => {
    const of = mpi({ sshAuthMountPath: '/home/mpiuser/.ssh' });
    expect(volumesOf(of, 'launcher-0')).to.have.nested.property('anneal-ssh.secret.defaultMode', 0o444);
    expect(specOf(of, 'launcher-0').containers[0]?.volumeMounts).to.deep.include({ name: 'anneal-ssh', mountPath: '/home/mpiuser/.ssh' });
  });

  it('have the hostfile in the launcher', () => {
    expect(volumesOf(mpi(), 'launcher-0')['anneal-hostfile']).to.deep.equal({ secret: { secretName, defaultMode: 0o444, items: [{ key: 'hostfile', path: 'hostfile' }] } });
    expect(volumesOf(mpi(), 'worker-0')).not.to.have.property('anneal-hostfile');
  });

  it('answer logins where a worker has no command of its own', () => {
    expect(specOf(mpi(), 'worker-0').containers[0]).to.deep.include({ command: ['/bin/sh', '-c', 'mkdir -p /run/sshd && exec /usr/sbin/sshd -De -o StrictModes=no'] });
    const own = jobOf({ framework: 'MPI', roles: [roleWith({ args: ['serve'] }, 'worker'), role('launcher')] });
    expect(specOf(own, 'worker-0').containers[0]).not.to.have.property('command');
  });

  it('wait in the launcher, as the launcher\'s own user, until all workers answer', () => {
    const [wait] = specOf(mpi(), 'launcher-0').initContainers ?? [];
    expect(wait).to.deep.include({ name: 'anneal-workers-answer', image: 'example.com/work:1', securityContext: { runAsUser: 0 } });
    expect(wait?.volumeMounts?.map(({ name }) => name)).to.include.members(['anneal-ssh', 'anneal-hostfile']);
    expect(JSON.stringify(wait?.command)).to.include('tail -n +1 /etc/mpi/hostfile');
    expect(JSON.stringify(specOf(mpi({ launcherAsWorker: 'Enabled' }), 'launcher-0').initContainers)).to.include('tail -n +2 /etc/mpi/hostfile');
    expect(specOf(mpi(), 'worker-0').initContainers).to.equal(undefined);
  });

  it('keep the volumes and init containers of the template', () => {
    const template = { containers: [{ name: 'main', image: 'i', volumeMounts: [{ name: 'data', mountPath: '/data' }] }], volumes: [{ name: 'data', emptyDir: {} }], initContainers: [{ name: 'fetch', image: 'i' }] };
    const pod = withPeers(mpi(), place('launcher-0'), template);
    expect(pod.volumes?.map(({ name }) => name)).to.deep.equal(['data', 'anneal-ssh', 'anneal-hostfile']);
    expect(pod.initContainers?.map(({ name }) => name)).to.deep.equal(['fetch', 'anneal-workers-answer']);
    expect(pod.containers[0]?.volumeMounts?.[0]).to.deep.equal({ name: 'data', mountPath: '/data' });
  });
});

describe('the Secret of an MPI job', () => {
  it('is immutable, of the type for SSH, and holds nothing that is random before it is created', () => {
    const of = mpi();
    const secret = secretOf(of);
    if (secret === undefined) throw new Error('There is no Secret.');
    expect(secret.generate).to.deep.equal({ kind: 'SshKeyPair' });
    const { stringData, ...rest } = secretBody(of, secret);
    expect(rest).to.deep.equal({
      metadata: { name: 'digits-mpi-5vjea', labels: { 'app.kubernetes.io/managed-by': 'anneal', 'anneal.dev/training-job': 'digits' } }, type: 'kubernetes.io/ssh-auth', immutable: true,
    });
    expect(stringData).to.have.all.keys('hostfile');
  });
});
