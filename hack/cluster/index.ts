/**
 * Real Kubernetes clusters for development and tests, on this machine.
 * Tests use startControlPlane (an API server without nodes) and binary (kubectl, helm, kwok ...); people use `npm run cluster`.
 */
export { binary, crdFiles, moduleDir } from './binaries.ts';
export { startControlPlane, TestControlPlane } from './controlplane/testing.ts';
