/** `scale`: memory, restart and speed of the operator in a cluster that holds ten thousand jobs, beside an empty one. */
import { podType } from '../../operator/src/controllers/shared/resources.ts';
import type { Client } from '../../operator/src/kube/client.ts';
import { startControlPlane } from '../cluster/index.ts';
import { until } from '../cluster/until.ts';
import { apiClient, installAccount, startOperator, startSimulatedNodes } from '../testbed/index.ts';
import { anneal } from './contenders.ts';
import { countOption, textOptions } from './options.ts';
import { addFinishedJobs, addRunningJobs } from './population.ts';
import { runRound } from './round.ts';
import { table } from './table.ts';
import type { Benchmark, Say } from './usage.ts';

export interface ScaleResult {
  readonly jobs: number;
  readonly finishedJobs: number;
  readonly rssMiB: number;
  readonly peakRssMiB: number;
  readonly restartToFirstReconcileSeconds: number;
  readonly slowdown: number;
}

interface Options {
  readonly jobs: number;
  readonly round: number;
  readonly rounds: number;
}

export const scale: Benchmark = {
  name: 'scale',
  about: 'the operator among 10,000 TrainingJobs, four of five of them finished, beside an empty cluster',
  options: ['--jobs N       jobs that the cluster holds (10000)', '--round N      jobs in a measured round (300)', '--rounds N     rounds, before and after (3)'],
  run: async (args, say) => {
    const { jobs = '10000', round = '300', rounds = '3' } = textOptions(args, ['jobs', 'round', 'rounds']);
    return measure({ jobs: countOption('--jobs', jobs, 100_000), round: countOption('--round', round, 5000), rounds: countOption('--rounds', rounds, 20) }, say);
  },
};

const controllerQps = 1000;
const simulatedNodes = 20;
const finishedShare = 0.8;
const warmUpJobs = 50;

async function measure({ jobs, round: perRound, rounds }: Options, say: Say): Promise<ScaleResult> {
  say('Starting a control plane, simulated nodes and the operator ...');
  await using plane = await startControlPlane({ withControllers: true, qps: controllerQps });
  await using api = await apiClient(plane.kubeconfigPath, 'anneal-bench');
  const { client } = api;
  await using _nodes = await startSimulatedNodes({ kubeconfig: plane.kubeconfigPath, client, count: simulatedNodes, pods: 'Run' });
  let operator = await startOperator({ account: await installAccount(plane), as: process.getuid?.() === 0 ? 'Pod' : 'Kubeconfig', logLevel: 'warn' });
  await using _operator = { [Symbol.asyncDispose]: async () => operator.stop() };

  let number = 0;
  const secondsPerJob = async (count: number): Promise<number> => {
    number += 1;
    const options = { client, contender: anneal, namespace: `round-${number}`, jobs: count, controllerPid: operator.pid, serverPid: plane.pids['kube-apiserver'] ?? 0 };
    return (await runRound(options)).seconds / count;
  };
  const best = async (where: string): Promise<number> => {
    await secondsPerJob(warmUpJobs);
    const times: number[] = [];
    for (let turn = 0; turn < rounds; turn += 1) {
      times.push(await secondsPerJob(perRound));
      say(`  ${where}, round ${turn + 1} of ${rounds}: ${(1 / (times.at(-1) ?? 1)).toFixed(1)} jobs/s`);
    }
    // What else the machine does only ever adds time.
    return Math.min(...times);
  };

  say(`${rounds} rounds of ${perRound} jobs in an empty cluster ...`);
  const empty = await best('empty');
  const finishedJobs = Math.round(jobs * finishedShare);
  const runningJobs = jobs - finishedJobs;
  say(`Filling the cluster with ${finishedJobs} finished jobs ...`);
  await operator.stop();
  await addFinishedJobs(client, finishedJobs, say);
  operator = await operator.relaunch();
  await operator.ready();
  say(`Filling it with ${runningJobs} running jobs ...`);
  await addRunningJobs(client, runningJobs);
  const [rssMiB, peakMiB] = [await operator.rssMiB(), await operator.peakRssMiB()];

  say('Restarting the operator ...');
  await operator.stop();
  await client.create(anneal.type, anneal.job('default', 'made-meanwhile'));
  const begin = performance.now();
  operator = await operator.relaunch();
  await until('a job that was made meanwhile has its pods', async () => (await podsIn(client, 'default')) > 0, { timeoutSeconds: 300, everyMilliseconds: 50 });
  const restartToFirstReconcileSeconds = (performance.now() - begin) / 1000;
  say(`  first reconcile after ${restartToFirstReconcileSeconds.toFixed(1)} s`);

  say(`${rounds} rounds of ${perRound} jobs beside the ${jobs} ...`);
  const full = await best('full');
  const settledMiB = await operator.rssMiB();
  const peakRssMiB = Math.max(peakMiB, await operator.peakRssMiB());
  say(`\n${table(
    ['', 'jobs/s', 'resident MiB', 'at most MiB'],
    [['empty', (1 / empty).toFixed(1), '', ''], [`${jobs} jobs`, (1 / full).toFixed(1), Math.max(rssMiB, settledMiB).toFixed(0), peakRssMiB.toFixed(0)]],
  )}\n`);
  return { jobs, finishedJobs, rssMiB: rounded(Math.max(rssMiB, settledMiB)), peakRssMiB: rounded(peakRssMiB), restartToFirstReconcileSeconds: rounded(restartToFirstReconcileSeconds), slowdown: rounded(full / empty) };
}

async function podsIn(client: Client, namespace: string): Promise<number> {
  return (await client.list(podType, (raw) => raw.metadata.name, { namespace })).items.length;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
