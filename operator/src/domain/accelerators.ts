/** Which devices a pod of a role gets, and how many training processes use them. */
import type { Accelerator, TrainingJobSpec } from '../api/index.ts';
import type { ResourceRequirements } from './pod.ts';
import type { JobRole } from './roles.ts';

/** What one process takes: a device each, or all of its pod's devices together. */
type Share = 'Device' | 'Pod';

interface AcceleratorKind {
  readonly matches: (resource: string) => boolean;
  readonly share: Share;
}

const named = (...resources: readonly string[]) => (resource: string): boolean => resources.includes(resource);

/** Extended resources of the known device plugins. Companions such as `gpu.intel.com/i915_monitoring` are no devices. */
const kinds: readonly AcceleratorKind[] = [
  { matches: named('nvidia.com/gpu', 'nvidia.com/gpu.shared'), share: 'Device' },
  // CUDA gives a process one MIG instance at most.
  { matches: (resource) => resource.startsWith('nvidia.com/mig-'), share: 'Device' },
  { matches: named('amd.com/gpu'), share: 'Device' },
  { matches: named('gpu.intel.com/i915', 'gpu.intel.com/xe'), share: 'Device' },
  { matches: named('habana.ai/gaudi'), share: 'Device' },
  { matches: named('aws.amazon.com/neuron', 'aws.amazon.com/neuroncore', 'aws.amazon.com/neurondevice'), share: 'Device' },
  // libtpu serves a single process per host, which drives all of its chips.
  { matches: named('google.com/tpu'), share: 'Pod' },
];

export function acceleratorOf(spec: TrainingJobSpec, role: JobRole): Accelerator | undefined {
  return role.accelerator ?? spec.accelerator;
}

/** True of an extended resource that is a known accelerator. */
export function isAccelerator(resource: string): boolean {
  return kinds.some(({ matches }) => matches(resource));
}

/**
 * Training processes of one pod of the role: what the role says, else one for each accelerator of the spec, else one for each
 * that the template's first container is limited to; at least one.
 */
export function processesPerPod(spec: TrainingJobSpec, role: JobRole): number {
  if (role.processesPerPod !== undefined) return role.processesPerPod;
  const accelerator = acceleratorOf(spec, role);
  // A device class may be of any kind; its count is all that is known of it.
  if (accelerator !== undefined) return processesFor(accelerator.resource, accelerator.count);
  const resources = role.template?.spec.containers[0]?.resources as ResourceRequirements | undefined;
  const found = Object.entries(resources?.limits ?? {}).filter(([resource]) => isAccelerator(resource));
  return Math.max(1, found.reduce((sum, [resource, count]) => sum + processesFor(resource, wholeNumber(count)), 0));
}

function processesFor(resource: string | undefined, count: number): number {
  const share = resource === undefined ? 'Device' : (kinds.find(({ matches }) => matches(resource))?.share ?? 'Device');
  return share === 'Pod' ? Math.min(1, count) : count;
}

/** Kubernetes takes extended resources in whole numbers only; what is none is refused there, with its own words. */
function wholeNumber(quantity: string | number): number {
  const value = Number(quantity);
  return Number.isInteger(value) && value > 0 ? value : 0;
}
