import { expect } from 'chai';
import { claimTemplates } from '../../../operator/src/domain/device-claims.ts';
import { trainingPod } from '../../../operator/src/domain/training-pod.ts';
import { jobOf, place, roleWith } from '../../support/builders/places.ts';
import { context, role } from '../../support/builders/training-job.ts';

const devices = { deviceClassName: 'gpu.nvidia.com', count: 2 };

describe('devices of a class', () => {
  it('are claimed by each pod from one template of its role', () => {
    const of = jobOf({ roles: [role('worker', 2, { accelerator: devices }), role('logger')] });
    expect(claimTemplates(of)).to.deep.equal([{
      metadata: { name: 'digits-worker-devices-5vjea', labels: { 'app.kubernetes.io/managed-by': 'anneal', 'anneal.dev/training-job': 'digits' } },
      spec: {
        metadata: { labels: { 'app.kubernetes.io/managed-by': 'anneal', 'anneal.dev/training-job': 'digits' } },
        spec: { devices: { requests: [{ name: 'accelerator', exactly: { deviceClassName: 'gpu.nvidia.com', allocationMode: 'ExactCount', count: 2 } }] } },
      },
    }]);
    const { spec } = trainingPod(of, place('worker-1'), 1, context);
    expect(spec.resourceClaims).to.deep.equal([{ name: 'accelerator', resourceClaimTemplateName: 'digits-worker-devices-5vjea' }]);
    expect(spec.containers[0]?.resources?.claims).to.deep.equal([{ name: 'accelerator' }]);
    expect(trainingPod(of, place('logger-0'), 1, context).spec).not.to.have.property('resourceClaims');
  });

  it('are claimed by the built-in trainer too, which is told the name of the class', () => {
    const of = jobOf({ accelerator: devices });
    expect(claimTemplates(of)).to.have.length(1);
    const { spec } = trainingPod(of, place('trainer-0'), 1, context);
    expect(spec.containers[0]?.resources?.claims).to.deep.equal([{ name: 'accelerator' }]);
    expect(spec.containers[0]?.env).to.deep.include({ name: 'ANNEAL_ACCELERATOR', value: 'gpu.nvidia.com' });
  });

  it('come beside claims of the user\'s own', () => {
    const worker = roleWith({ resources: { claims: [{ name: 'nic' }] } }, 'worker', 1, { accelerator: devices });
    const of = jobOf({ roles: [{ ...worker, template: { spec: { ...worker.template.spec, resourceClaims: [{ name: 'nic', resourceClaimTemplateName: 'nics' }] } } }] });
    const { spec } = trainingPod(of, place('worker-0'), 1, context);
    expect(spec.resourceClaims).to.deep.equal([{ name: 'nic', resourceClaimTemplateName: 'nics' }, { name: 'accelerator', resourceClaimTemplateName: 'digits-worker-devices-5vjea' }]);
    expect(spec.containers[0]?.resources?.claims).to.deep.equal([{ name: 'nic' }, { name: 'accelerator' }]);
  });

  it('are no business of a job whose accelerators come from a device plugin', () => {
    expect(claimTemplates(jobOf({ accelerator: { resource: 'nvidia.com/gpu', count: 1 } }))).to.deep.equal([]);
  });
});
