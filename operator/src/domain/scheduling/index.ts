/** Queues, gangs and topology: what a job asks of Kueue, Volcano or the coscheduling plugin, and what follows from their answers. */
export { chooseManager, type Choice, type Installed, type ManagerName, type Scheduling } from './manager.ts';
export { together, withAdditions, type PodAdditions } from './pod-additions.ts';
export { closeTogether } from './topology.ts';
export { coschedulingPod, coschedulingPodGroup, volcanoPod, volcanoPodGroup, whyVolcanoWaits, type PodGroup } from './pod-groups.ts';
export { areIdle, type PodUsage } from './idle.ts';
export { whyNoNode } from './pods-waiting.ts';
export { stillFits, workloadRequest, type Priority, type WorkloadRequest } from './kueue/request.ts';
export { placementOf, type AdmittedRole } from './kueue/placement.ts';
export { statusPatch, type JobFacts } from './kueue/report.ts';
export { whyNotAdmitted, type Why } from './kueue/waiting.ts';
export { hasReservation, isAdmitted, isFinished, type ResourceFlavor, type Workload, type WorkloadStatus } from './kueue/workload.ts';
