/** Devices by dynamic resource allocation: a claim for each pod from a template that the job owns, and what the pod says of it. */
import { childName, labels, managedBy, type Accelerator } from '../api/index.ts';
import { acceleratorOf } from './accelerators.ts';
import type { Job } from './job.ts';
import type { PodSpec } from './pod.ts';
import { roleAt, rolesOf, type JobRole, type Place } from './roles.ts';

/** Name of the claim within a pod. */
const claim = 'accelerator';

type ClassAccelerator = Accelerator & { readonly deviceClassName: string };

/** One template for each role whose pods get devices of a class. */
export function claimTemplates(job: Job) {
  return rolesOf(job.spec).flatMap((role) => {
    const accelerator = ofClass(job, role);
    return accelerator === undefined ? [] : [claimTemplate(job, role, accelerator)];
  });
}

/** resource.k8s.io/v1, ResourceClaimTemplate. */
function claimTemplate(job: Job, role: JobRole, { deviceClassName, count }: ClassAccelerator) {
  const ours = { [labels.managedBy]: managedBy, [labels.trainingJob]: job.name };
  const exactly = { deviceClassName, allocationMode: 'ExactCount', count };
  return {
    metadata: { name: templateName(job, role), labels: ours },
    spec: { metadata: { labels: ours }, spec: { devices: { requests: [{ name: claim, exactly }] } } },
  };
}

export function withDevices(job: Job, place: Place, pod: PodSpec): PodSpec {
  const [main, ...others] = pod.containers;
  const role = roleAt(job.spec, place);
  if (main === undefined || role === undefined || ofClass(job, role) === undefined) return pod;
  const { claims = [] } = main.resources ?? {};
  return {
    ...pod,
    containers: [{ ...main, resources: { ...main.resources, claims: [...claims, { name: claim }] } }, ...others],
    resourceClaims: [...(pod.resourceClaims ?? []), { name: claim, resourceClaimTemplateName: templateName(job, role) }],
  };
}

function templateName(job: Job, role: JobRole): string {
  return childName(job, `${role.name}-devices`);
}

function ofClass(job: Job, role: JobRole): ClassAccelerator | undefined {
  const accelerator = acceleratorOf(job.spec, role);
  return accelerator?.deviceClassName === undefined ? undefined : { ...accelerator, deviceClassName: accelerator.deviceClassName };
}
