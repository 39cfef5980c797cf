import { expect } from 'chai';
import { secretOf } from '../../../operator/src/domain/cluster-env/index.ts';
import { secretBody } from '../../../operator/src/domain/cluster-env/secret.ts';
import { trainingPod } from '../../../operator/src/domain/training-pod.ts';
import { jobOf, place } from '../../support/builders/places.ts';
import { context, role } from '../../support/builders/training-job.ts';

describe('the certificate that replicas of the trainer share', () => {
  for (const [what, over] of [['several replicas', { replicas: 2 }], ['an elastic job', { minReplicas: 1, maxReplicas: 2 }]] as const) {
    it(`is mounted into the pods of ${what}`, () => {
      const of = jobOf(over);
      const { spec } = trainingPod(of, place('trainer-0'), 1, context);
      expect(spec.containers[0]?.env).to.deep.include({ name: 'ANNEAL_PEER_TLS_DIRECTORY', value: '/var/run/secrets/anneal-peers' });
      expect(spec.containers[0]?.volumeMounts).to.deep.include({ name: 'anneal-peers', mountPath: '/var/run/secrets/anneal-peers', readOnly: true });
      expect(spec.volumes).to.deep.include({ name: 'anneal-peers', secret: { secretName: secretOf(of)?.name, defaultMode: 0o440 } });
    });
  }

  it('is for the host names of the job alone, and immutable', () => {
    const of = jobOf({ replicas: 2 });
    const secret = secretOf(of);
    if (secret === undefined) throw new Error('There is no Secret.');
    expect(secret).to.deep.include({ name: 'digits-peers-5vjea', generate: { kind: 'PeerTls', dnsNames: ['*.digits-pods-5vjea.team-a.svc'] } });
    expect(secretBody(of, secret)).to.deep.include({ type: 'kubernetes.io/tls', immutable: true }).and.not.to.have.property('stringData');
  });

  it('is not made for a single replica, nor for roles', () => {
    expect(secretOf(jobOf({}))).to.equal(undefined);
    expect(trainingPod(jobOf({}), place('trainer-0'), 1, context).spec.volumes?.map(({ name }) => name)).not.to.include('anneal-peers');
    expect(secretOf(jobOf({ framework: 'PyTorch', roles: [role('worker', 2)] }))).to.equal(undefined);
  });
});
