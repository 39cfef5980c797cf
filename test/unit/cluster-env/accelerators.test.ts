import { expect } from 'chai';
import type { Accelerator } from '@anneal/operator/api';
import { processesPerPod } from '../../../operator/src/domain/accelerators.ts';
import { roleWith, jobOf } from '../../support/builders/places.ts';
import { role } from '../../support/builders/training-job.ts';

const { spec: none } = jobOf({ roles: [role('worker')] });

describe('the training processes of a pod', () => {
  const table: readonly (readonly [string, number])[] = [
    ['nvidia.com/gpu', 4], ['nvidia.com/gpu.shared', 4], ['nvidia.com/mig-1g.5gb', 4], ['amd.com/gpu', 4],
    ['gpu.intel.com/i915', 4], ['gpu.intel.com/xe', 4], ['habana.ai/gaudi', 4],
    ['aws.amazon.com/neuron', 4], ['aws.amazon.com/neuroncore', 4], ['aws.amazon.com/neurondevice', 4], ['google.com/tpu', 1],
  ];
  for (const [resource, processes] of table) {
    it(`are ${processes} for four of ${resource}, asked for in the spec or in the template`, () => {
      expect(processesPerPod(none, role('worker', 1, { accelerator: { resource, count: 4 } }))).to.equal(processes);
      expect(processesPerPod(none, roleWith({ resources: { limits: { [resource]: '4', cpu: '16' } } }, 'worker'))).to.equal(processes);
      expect(processesPerPod(none, roleWith({ resources: { limits: { [resource]: 4 } } }, 'worker'))).to.equal(processes);
    });
  }

  it('are one for each device of a class', () => {
    expect(processesPerPod(none, role('worker', 1, { accelerator: { deviceClassName: 'gpu.nvidia.com', count: 2 } }))).to.equal(2);
  });

  it('are one for each accelerator of a kind that nobody here knows, where the spec names it', () => {
    expect(processesPerPod(none, role('worker', 1, { accelerator: { resource: 'example.com/npu', count: 2 } }))).to.equal(2);
  });

  it('are one where there is no accelerator, or only a companion of one', () => {
    expect(processesPerPod(none, role('worker'))).to.equal(1);
    expect(processesPerPod(none, roleWith({ resources: { limits: { cpu: '8', memory: '64Gi', 'gpu.intel.com/i915_monitoring': '8', 'hugepages-2Mi': '100Mi' } } }, 'worker'))).to.equal(1);
    expect(processesPerPod(none, roleWith({ resources: { limits: { 'nvidia.com/gpu': '0' } } }, 'worker'))).to.equal(1);
  });

  it('add up over several MIG profiles', () => {
    expect(processesPerPod(none, roleWith({ resources: { limits: { 'nvidia.com/mig-1g.5gb': 2, 'nvidia.com/mig-3g.20gb': 1 } } }, 'worker'))).to.equal(3);
  });

  it('come from the role, else from the job, else from the template', () => {
    const gpus = (count: number): Accelerator => ({ resource: 'nvidia.com/gpu', count });
    const limited = roleWith({ resources: { limits: { 'nvidia.com/gpu': 8 } } }, 'worker');
    const { spec } = jobOf({ roles: [limited], accelerator: gpus(4) });
    expect(processesPerPod(spec, { ...limited, accelerator: gpus(2), processesPerPod: 3 })).to.equal(3);
    expect(processesPerPod(spec, { ...limited, accelerator: gpus(2) })).to.equal(2);
    expect(processesPerPod(spec, limited)).to.equal(4);
    expect(processesPerPod(none, limited)).to.equal(8);
  });
});
