/** `reconcile`: our TrainingJob controller beside Kubernetes' own Job controller, at the same work, in the same run. */
import { startControlPlane } from '../cluster/index.ts';
import { apiClient, installAccount, startOperator, startSimulatedNodes } from '../testbed/index.ts';
import { anneal, native } from './contenders.ts';
import type { Contender } from './contenders.ts';
import { countOption, textOptions } from './options.ts';
import { runRound } from './round.ts';
import type { Round } from './round.ts';
import { table } from './table.ts';
import type { Benchmark, Say } from './usage.ts';

export interface ReconcileResult {
  readonly jobs: number;
  readonly seconds: number;
  readonly jobsPerSecond: number;
  readonly nativeJobsPerSecond: number;
  readonly ratioToNative: number;
  readonly cpuMsPerJob: number;
  readonly rssMiB: number;
}

interface Options {
  readonly jobs: number;
  readonly rounds: number;
  /** Folder for a CPU profile of the operator. */
  readonly profile: string | undefined;
}

export const reconcile: Benchmark = {
  name: 'reconcile',
  about: 'TrainingJobs of 2 pods on simulated nodes, from the first create until all run, beside batch/v1 Jobs',
  options: ['--jobs N       jobs in a round (500)', '--rounds N     rounds of each kind, in the order ABBA (2)', '--profile DIR  writes a CPU profile of the operator'],
  run: async (args, say) => measure(optionsOf(args), say),
};

/** As many as a controller needs to be slowed by nothing but itself; Kubernetes' default of 20 would make both wait. */
const controllerQps = 1000;
const simulatedNodes = 20;
/** Not counted: the first jobs find cold code and cold caches everywhere. */
const warmUpJobs = 30;

async function measure({ jobs, rounds, profile }: Options, say: Say): Promise<ReconcileResult> {
  say('Starting a control plane ...');
  await using plane = await startControlPlane({ withControllers: true, qps: controllerQps });
  await using api = await apiClient(plane.kubeconfigPath, 'anneal-bench');
  say(`Starting ${simulatedNodes} simulated nodes and the operator ...`);
  await using _nodes = await startSimulatedNodes({ kubeconfig: plane.kubeconfigPath, client: api.client, count: simulatedNodes, pods: 'Run' });
  await using operator = await startOperator({
    account: await installAccount(plane),
    as: isRoot() ? 'Pod' : 'Kubeconfig',
    logLevel: 'warn',
    ...(profile === undefined ? {} : { nodeFlags: ['--cpu-prof', `--cpu-prof-dir=${profile}`] }),
  });
  const pidOf = (contender: Contender): number => (contender === anneal ? operator.pid : (plane.pids['kube-controller-manager'] ?? 0));
  let number = 0;
  const round = async (contender: Contender, count: number): Promise<Round> => {
    number += 1;
    return runRound({ client: api.client, contender, namespace: `bench-${number}`, jobs: count, controllerPid: pidOf(contender), serverPid: plane.pids['kube-apiserver'] ?? 0 });
  };

  say(`Warming up with ${warmUpJobs} jobs of each kind ...`);
  for (const contender of [native, anneal]) await round(contender, warmUpJobs);
  const idleMiB = await operator.rssMiB();
  await operator.forgetPeak();
  const results: Round[] = [];
  for (const contender of order(rounds)) {
    say(`Round ${results.length + 1} of ${rounds * 2}: ${jobs} of ${contender.title} ...`);
    const result = await round(contender, jobs);
    results.push(result);
    say(`  all ran after ${result.seconds.toFixed(1)} s`);
  }
  return report(results, jobs, { idle: idleMiB, peak: await operator.peakRssMiB() }, say);
}

/** Only root can give a process the files of a pod; a kubeconfig costs it memory that it does not need in a cluster. */
function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** ABBA: what drifts during the run, on the machine or in the cluster, hits both alike. */
function order(rounds: number): Contender[] {
  return Array.from({ length: rounds }, (_, index) => (index % 2 === 0 ? [anneal, native] : [native, anneal])).flat();
}

function report(results: readonly Round[], jobs: number, rss: { readonly idle: number; readonly peak: number }, say: Say): ReconcileResult {
  const [ours, theirs] = [summary(results, anneal), summary(results, native)];
  say(`\n${table(
    ['', 'jobs/s', 'all run s', 'created s', 'status s', 'CPU ms/job', 'API server CPU ms/job'],
    [ours, theirs].map(({ contender, jobsPerSecond, seconds, createSeconds, statusSeconds, cpu, serverCpu }) => [
      contender.title, jobsPerSecond.toFixed(1), seconds.toFixed(1), createSeconds.toFixed(1), statusSeconds.toFixed(1), cpu.toFixed(1), serverCpu.toFixed(1),
    ]),
  )}\nOperator: ${rss.idle.toFixed(0)} MiB resident after the warm-up, ${rss.peak.toFixed(0)} MiB at most.\n`);
  return {
    jobs,
    seconds: rounded(ours.seconds),
    jobsPerSecond: rounded(ours.jobsPerSecond),
    nativeJobsPerSecond: rounded(theirs.jobsPerSecond),
    ratioToNative: rounded(ours.jobsPerSecond / theirs.jobsPerSecond),
    cpuMsPerJob: rounded(ours.cpu),
    rssMiB: rounded(rss.peak),
  };
}

function summary(results: readonly Round[], contender: Contender) {
  const own = results.filter((result) => result.contender === contender);
  const mean = (value: (round: Round) => number): number => own.reduce((sum, round) => sum + value(round), 0) / own.length;
  const seconds = mean((round) => round.seconds);
  return {
    contender, seconds,
    jobsPerSecond: (own[0]?.jobs ?? 0) / seconds,
    createSeconds: mean((round) => round.createSeconds),
    statusSeconds: mean((round) => round.statusSeconds),
    cpu: mean((round) => round.controllerCpuMsPerJob),
    serverCpu: mean((round) => round.serverCpuMsPerJob),
  };
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

function optionsOf(args: readonly string[]): Options {
  const { jobs = '500', rounds = '2', profile } = textOptions(args, ['jobs', 'rounds', 'profile']);
  return { jobs: countOption('--jobs', jobs, 5000), rounds: countOption('--rounds', rounds, 20), profile };
}
