import { expect } from 'chai';
import type { TrainingJob, TrainingJobSpec } from '@anneal/operator/api';
import { trainerEnv } from '@anneal/operator/api';
import { assess } from '../../../operator/src/controllers/trainingjob/assess.ts';
import { checkpointContext } from '../../../operator/src/controllers/trainingjob/checkpoint.ts';
import { observeRestore } from '../../../operator/src/controllers/trainingjob/restore.ts';
import type { EnvVar } from '../../../operator/src/domain/pod.ts';
import { placesOf } from '../../../operator/src/domain/roles.ts';
import { trainingPod } from '../../../operator/src/domain/training-pod.ts';
import { trainingJobs, volumeClaims } from '../../../operator/src/controllers/shared/watched.ts';
import { context, job, now, seen, withRole } from '../../support/builders/training-job.ts';
import { MemoryStores } from '../../support/memory-stores.ts';

type CheckpointSpec = TrainingJobSpec['checkpoint'];
const spec = (checkpoint: Partial<CheckpointSpec>, over: Partial<TrainingJobSpec> = {}): Partial<TrainingJobSpec> => ({ ...over, checkpoint: { volume: {}, interval: { mode: 'EveryEpoch' }, keep: 2, ...checkpoint } });
const s3 = { bucket: 'models', region: 'eu-central-1', addressing: 'Auto', endpoint: 'https://s3.example.com', credentialsSecretName: 'keys' } as const;

/** What the pod of a job is given when these other jobs and claims are there. */
function given(of: TrainingJob, others: readonly TrainingJob[] = [], claims: readonly string[] = []) {
  const memory = new MemoryStores({ jobs: trainingJobs, claims: volumeClaims });
  for (const other of others) memory.put(other);
  for (const name of claims) memory.put({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name, namespace: 'team-a', labels: { 'app.kubernetes.io/managed-by': 'anneal' } } });
  const restore = observeRestore(seen(of).job, of.status ?? {}, memory.stores);
  const situation = seen(of, { over: { restore } });
  const [place = { role: '', index: 0 }] = placesOf(of.spec);
  const { spec: { containers: [main], volumes = [] } } = trainingPod(situation.job, place, 1, { ...context, checkpoint: checkpointContext(situation) });
  const env = main?.env ?? [];
  return {
    situation, volumes,
    env,
    mounts: main?.volumeMounts ?? [],
    value: (name: string) => env.find((variable) => variable.name === name)?.value,
  };
}

const other = (over: Partial<TrainingJobSpec> = {}, status: TrainingJob['status'] = { checkpoint: { epoch: 3, step: 9, time: '2026-03-01T12:00:00Z', path: 'checkpoints/epoch-000003', complete: true } }): TrainingJob => {
  const made = job(over, status);
  return { ...made, metadata: { ...made.metadata, name: 'other', uid: 'uid-of-other' } };
};
const otherClaim = seen(other()).volume?.claimName ?? '';
const restoring = job(spec({ restoreFrom: { trainingJob: 'other' } }));

describe('the pod of a job with a bucket', () => {
  it('is told the place, and has the keys by reference alone', () => {
    const { env, value } = given(job(spec({ s3 })));
    expect(JSON.parse(value(trainerEnv.checkpointBucket) ?? '')).to.deep.equal({ bucket: 'models', prefix: 'team-a/digits', region: 'eu-central-1', addressing: 'Auto', endpoint: 'https://s3.example.com' });
    const keys = env.filter(({ name }) => name.startsWith('AWS_'));
    expect(keys.map(({ name }) => name)).to.deep.equal(['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN']);
    expect(keys.every(({ value: plain, valueFrom }: EnvVar) => plain === undefined && (valueFrom as { secretKeyRef: { name: string } }).secretKeyRef.name === 'keys')).to.equal(true);
  });

  it('uses its own identity where no Secret is named, and the prefix that was written', () => {
    const { credentialsSecretName: _none, ...open } = s3;
    const { env, value } = given(job(spec({ s3: { ...open, prefix: 'runs/digits/' } })));
    expect(env.some(({ name }) => name.startsWith('AWS_'))).to.equal(false);
    expect(JSON.parse(value(trainerEnv.checkpointBucket) ?? '')).to.include({ prefix: 'runs/digits' });
  });
});

describe('a job that begins from another', () => {
  it('mounts its volume, and never to write', () => {
    const { value, mounts, volumes } = given(restoring, [other()], [otherClaim]);
    expect(JSON.parse(value(trainerEnv.restoreFrom) ?? '')).to.deep.equal({ path: '/restore' });
    expect(mounts).to.deep.include({ name: 'restore', mountPath: '/restore', readOnly: true });
    expect(volumes).to.deep.include({ name: 'restore', persistentVolumeClaim: { claimName: otherClaim } });
  });

  it('mounts only its folder of a volume that several share', () => {
    const { mounts } = given(restoring, [other(spec({ volume: { claimName: 'shared' } }))]);
    expect(mounts).to.deep.include({ name: 'restore', mountPath: '/restore', readOnly: true, subPath: 'other' });
  });

  it('reads its bucket, with keys of its own, where the volume is gone', () => {
    const { value, env } = given(restoring, [other(spec({ s3 }))]);
    expect(JSON.parse(value(trainerEnv.restoreFrom) ?? '')).to.deep.include({ bucket: { bucket: 'models', prefix: 'team-a/other', region: 'eu-central-1', addressing: 'Auto', endpoint: 'https://s3.example.com', credentialsPrefix: 'ANNEAL_RESTORE_' } });
    expect(env.map(({ name }) => name)).to.include('ANNEAL_RESTORE_AWS_SECRET_ACCESS_KEY').and.not.to.include('AWS_SECRET_ACCESS_KEY');
  });

  it('takes a claim and a bucket as they are named', () => {
    expect(given(job(spec({ restoreFrom: { claim: { name: 'models', path: 'a/epoch-000001/' } } }))).value(trainerEnv.restoreFrom)).to.equal('{"path":"/restore/a/epoch-000001"}');
    expect(given(job(spec({ restoreFrom: { s3: { ...s3, prefix: 'x' } } }))).value(trainerEnv.restoreFrom)).to.contain('"prefix":"x"');
  });

  it('needs it no more once it has a checkpoint of its own', () => {
    const { value, volumes } = given(job(restoring.spec, { checkpoint: { step: 1, time: '2026-03-01T12:00:00Z', complete: true, path: 'checkpoints/epoch-000001' } }));
    expect([value(trainerEnv.restoreFrom), volumes.some(({ name }) => name === 'restore')]).to.deep.equal([undefined, false]);
  });

  for (const [what, others, reason, message] of [
    ['is not there', [], 'RestoreSourceMissing', 'TrainingJob other, which checkpoint.restoreFrom names, is not in namespace team-a. Make it, or name its claim or bucket instead.'],
    ['has no checkpoint yet', [other({}, {})], 'RestoreSourceWithoutCheckpoint', 'TrainingJob other, which checkpoint.restoreFrom names, has no complete checkpoint yet; this job begins when it has one.'],
    ['has lost its volume', [other()], 'RestoreSourceLost', 'The volume of TrainingJob other, which checkpoint.restoreFrom names, is gone, and it has no copy in a bucket.'],
  ] as const) {
    it(`waits, and says so, while that ${what}`, () => {
      const { situation } = given(restoring, others);
      expect(assess(situation, now).stage).to.deep.equal({ kind: 'Waiting', reason, message });
    });
  }

  it('does not wait for itself', () => {
    expect(assess(given(job(spec({ restoreFrom: { trainingJob: 'digits' } }))).situation, now).stage).to.deep.include({ kind: 'Waiting', reason: 'RestoreSourceMissing' });
  });
});

describe('the pod of a role', () => {
  const checkpointed = { step: 1, time: '2026-03-01T12:00:00Z', complete: true };
  const resumed = (of: TrainingJob, others: readonly TrainingJob[] = [], claims: readonly string[] = []) => given(of, others, claims).value(trainerEnv.resumeFrom);

  it('is told the newest checkpoint that its program reported, as path or URI', () => {
    const volume = { claimTemplate: { size: '1Gi', accessModes: ['ReadWriteOnce' as const] } };
    expect(resumed(job(withRole(1)))).to.equal(undefined);
    expect(resumed(job(spec({ volume }, withRole(1)), { checkpoint: { ...checkpointed, path: 'run/1' } }))).to.equal('/anneal/run/1');
    expect(resumed(job(withRole(1), { checkpoint: { ...checkpointed, uri: 'gs://b/1' } }))).to.equal('gs://b/1');
  });

  it('is told the checkpoint of another job to begin from', () => {
    const volume = { claimTemplate: { size: '1Gi', accessModes: ['ReadWriteOnce' as const] } };
    const source = other(spec({ volume }, withRole(1)), { checkpoint: { ...checkpointed, path: 'run/7' } });
    expect(resumed(job(spec({ restoreFrom: { trainingJob: 'other' } }, withRole(1))), [source], [otherClaim])).to.equal('/restore/run/7');
  });

  it('finds the operator as Kubeflow\'s clients do, with a token of its own', () => {
    const { value, mounts } = given(job(withRole(1)));
    expect(value('KUBEFLOW_TRAINER_SERVER_URL')).to.equal('http://anneal.test/apis/trainer.kubeflow.org/v1alpha1/namespaces/team-a/trainjobs/digits/status');
    expect(value('KUBEFLOW_TRAINER_SERVER_TOKEN')).to.equal('/var/run/secrets/anneal.dev/token');
    expect(value('KUBEFLOW_TRAINER_SERVER_CA_CERT')).to.equal(undefined);
    expect(value(trainerEnv.checkpointUrl)).to.equal('http://anneal.test/v1/checkpoints');
    expect(mounts).to.deep.include({ name: 'anneal-token', mountPath: '/var/run/secrets/anneal.dev', readOnly: true });
  });
});
