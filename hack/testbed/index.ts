/**
 * What benchmarks and tests of the operator run against: the operator as its own process, built as for its image, and simulated
 * nodes (kwok) under a real control plane.
 */
export { startOperator } from './operator.ts';
export { startSimulatedNodes } from './nodes.ts';
export { apiClient } from './client.ts';
export { installAccount } from './account.ts';
