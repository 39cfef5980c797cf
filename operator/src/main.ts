/** The operator: flags, wiring, run, drain. The only file that reads the environment. */
import { hostname } from 'node:os';
import packageJson from '../package.json' with { type: 'json' };
import { hyperparamSweepController } from './controllers/hyperparamsweep/index.ts';
import { modelDeploymentController } from './controllers/modeldeployment/index.ts';
import { nodePoolController } from './controllers/nodepool/index.ts';
import { nodes, pods, trainingJobs as trainingJobObjects } from './controllers/shared/watched.ts';
import { trainingJobController } from './controllers/trainingjob/index.ts';
import { MemoryProgressBoard } from './controllers/trainingjob/progress-board.ts';
import { ProgressReceiver } from './controllers/trainingjob/progress-receiver.ts';
import { UsageWatch } from './controllers/trainingjob/usage-watch.ts';
import { FlagError, parseFlags, usage, type Flags } from './flags.ts';
import { inClusterAuthority, kubeConfigAuthority } from './kube/auth.ts';
import { Client } from './kube/client.ts';
import { Transport } from './kube/transport.ts';
import { systemClock as clock } from './runtime/index.ts';
import { Manager } from './runtime/manager.ts';
import { createLog } from './telemetry/log.ts';
import { createMetrics, withProcessMetrics } from './telemetry/metrics.ts';

async function main(flags: Flags): Promise<void> {
  const log = createLog(flags.logLevel);
  const metrics = withProcessMetrics(createMetrics());
  const { POD_NAME = hostname(), POD_NAMESPACE = 'anneal-system', POD_IP = '127.0.0.1' } = process.env;
  const authority = inClusterAuthority(process.env, clock) ?? (await kubeConfigAuthority(flags.kubeconfig === undefined ? {} : { path: flags.kubeconfig }, clock));
  const transport = new Transport({ authority, clock, random: Math.random, metrics, userAgent: `anneal/${packageJson.version}` });

  const board = new MemoryProgressBoard((job) => trainingJobs.wake(job), clock.now());
  const settings = { trainerImage: flags.trainerImage, progressUrl: flags.progressUrl };
  const trainingJobs = trainingJobController(settings, board, (jobUid) => usage.of(jobUid));
  const manager = new Manager({
    transport, clock, random: Math.random, log, metrics,
    controllers: [trainingJobs, hyperparamSweepController(), modelDeploymentController(settings), nodePoolController({ seesAllUsers: flags.namespace === undefined })],
    // The address is part of the name, so that a standby knows where to send the progress that reaches it.
    instance: `${POD_NAME}@${POD_IP.includes(':') ? `[${POD_IP}]` : POD_IP}:${flags.progressPort}`,
    lease: { namespace: flags.leaseNamespace ?? POD_NAMESPACE, name: 'anneal-operator' },
    metricsPort: flags.metricsPort,
    healthPort: flags.healthPort,
    ...(flags.namespace === undefined ? {} : { namespace: flags.namespace }),
  });
  const receiver = new ProgressReceiver({
    client: new Client(transport, { fieldManager: 'anneal-progress' }),
    pods: manager.store(pods),
    jobs: manager.store(trainingJobObjects),
    nodes: manager.store(nodes),
    board, clock,
    leaderAddress: () => (manager.isLeader ? undefined : (manager.leaderInstance?.split('@')[1] ?? null)),
  }).server();
  receiver.listen(flags.progressPort);
  const usage = new UsageWatch({
    client: new Client(transport, { fieldManager: 'anneal-usage' }),
    jobs: manager.store(trainingJobObjects),
    pods: manager.store(pods),
    clock,
    isLeader: () => manager.isLeader,
    onChange: (job) => trainingJobs.wake(job),
  });

  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
  log.info('Started', { version: packageJson.version, trainerImage: flags.trainerImage });
  const watching = usage.run(stop.signal);
  const stopped = await manager.run(stop.signal);
  stop.abort();
  await watching;
  receiver.close();
  receiver.closeAllConnections();
  // Another process may write by now: an exit with an error makes the kubelet start this one anew.
  process.exitCode = stopped === 'lostLeadership' ? 1 : 0;
}

try {
  const flags = parseFlags(process.argv.slice(2), packageJson.version);
  if (flags.version) process.stdout.write(`${packageJson.version}\n`);
  else if (flags.help) process.stdout.write(`${usage}\n`);
  else await main(flags);
} catch (error) {
  process.stderr.write(`${error instanceof FlagError ? error.message : String(error instanceof Error ? error.stack : error)}\n`);
  process.exitCode = 1;
}
