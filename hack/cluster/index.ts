/**
 * Real Kubernetes clusters for development and tests, on this machine.
 * Tests use startControlPlane (an API server without nodes) and binary (kubectl, helm, kwok ...); people use `npm run cluster`.
 */
export { binaries, binary, crdFiles, moduleDir } from './binaries.ts';
export { ClusterError } from './errors.ts';
export { startControlPlane, TestControlPlane } from './controlplane/testing.ts';
export type { ControlPlaneOptions } from './controlplane/testing.ts';
