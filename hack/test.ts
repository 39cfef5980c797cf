/**
 * `npm test [SUITE...]`: everything that must hold, in the order in which a fault is cheapest to find. Says what it is
 * doing and ends with `N passed, N failed`. `npm run test:e2e [-- NAME...]` is the suites `e2e:NAME`, most of which need a whole
 * cluster.
 */
import { spawn } from 'node:child_process';
import { globSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Program } from './cluster/families.ts';

const root = join(import.meta.dirname, '..');

/** Beyond it a step hangs: each is over in a third of this where nothing must be built, and a first build takes half of it. */
const longestStepMinutes = { built: 30, building: 60 };

interface Tally {
  passed: number;
  failed: number;
}

interface Outcome extends Tally {
  /** What failed and why, to be said again at the end, where a long output is looked at first. */
  readonly failures?: string;
}

interface Step {
  readonly name: string;
  /** What the person waits for. */
  readonly about: string;
  run(): Promise<Outcome>;
}

interface Suite {
  readonly name: string;
  readonly steps: readonly Step[];
  /** Runs only when it is named. */
  readonly onDemand?: boolean;
}

const suites: readonly Suite[] = [
  {
    name: 'static',
    steps: [
      check('types', 'compiling the types', 'tsc', '-p', '.'),
      check('lint', 'linting', 'eslint', '.', '--cache', '--cache-location', 'node_modules/.cache/eslint/', '--max-warnings', '0'),
      check('imports', 'checking that imports only go downwards', 'depcruise', 'operator/src', 'trainer-image/src', '--config', '.dependency-cruiser.cjs'),
      check('unused', 'looking for unused code and dependencies', 'knip', '--no-progress'),
      check('generated', 'comparing generated files with crds/', 'node', 'hack/gen/main.ts', '--check'),
    ],
  },
  { name: 'unit', steps: [mocha('unit', 'pure logic, with property tests', ['test/unit/**/*.test.ts', 'test/property/**/*.test.ts'], 'Workers')] },
  {
    name: 'trainer',
    steps: [
      check('native', "the trainer's native TensorFlow (about a minute the first time)", 'node', 'trainer-image/native/install.ts'),
      tools('an S3 server built from source (about 2 minutes the first time)', 'versitygw'),
      check('python', 'scikit-learn and Keras, to compare with (about 2 minutes the first time)', 'node', 'hack/python/main.ts', 'science', 'keras'),
      check('kafka', 'a Kafka broker from Maven artifacts (about a minute the first time)', 'node', 'hack/java/main.ts'),
      mocha('trainer', 'training and serving on real data', ['test/trainer/**/*.test.ts'], 'Workers'),
    ],
  },
  {
    name: 'api',
    steps: [
      tools('Kubernetes built from source (about 20 minutes the first time)', 'kube-apiserver', 'etcd', 'kubectl', 'helm', 'kwok', 'kube-controller-manager', 'kube-scheduler', 'csi-provisioner', 'csi-sanity'),
      mocha('api', 'what only a real API server decides', ['test/api/**/*.test.ts'], 'Processes'),
    ],
  },
  { name: 'chart', steps: [mocha('chart', 'the Helm chart on a real API server', ['test/chart/**/*.test.ts'])] },
  { name: 'faults', steps: [mocha('faults', 'faults between operator and API server', ['test/faults/**/*.test.ts'], 'Processes')] },
  wholeCluster('path', 'from data to predictions', ['test/e2e/path.test.ts']),
  wholeCluster('cluster', 'clusters that come, go and fail', ['test/e2e/cluster.test.ts', 'test/e2e/drivers/**/*.test.ts']),
  wholeCluster('nodes', 'nodes that die', ['test/e2e/nodes.test.ts', 'test/e2e/node-loss.test.ts']),
  wholeCluster('parallel', 'a trainer on several pods', ['test/e2e/data-parallel.test.ts']),
  wholeCluster('frameworks', 'TensorFlow and PyTorch on several pods', ['test/e2e/frameworks/**/*.test.ts']),
  { name: 'e2e:crash', onDemand: true, steps: [mocha('e2e:crash', 'a crash before and after every write', ['test/e2e/crash-matrix.test.ts'])] },
  {
    name: 'e2e:kueue',
    onDemand: true,
    steps: [tools('Kueue built from source (about 5 minutes the first time)', 'kwok', 'kueue'), mocha('e2e:kueue', 'queues of the real Kueue', ['test/e2e/kueue.test.ts'])],
  },
];

function check(name: string, about: string, command: string, ...args: string[]): Step {
  return {
    name,
    about,
    async run() {
      const { code } = await spawned(command, args, longestStepMinutes.building);
      return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
    },
  };
}

function wholeCluster(name: string, about: string, patterns: readonly string[]): Suite {
  const parts = tools('the parts of a node built from source', 'kubelet', 'kube-proxy', 'coredns', 'metrics-server', 'csi-provisioner', 'csi-snapshotter', 'snapshot-controller', 'kubectl', 'helm');
  return { name: `e2e:${name}`, onDemand: true, steps: [parts, mocha(`e2e:${name}`, about, patterns)] };
}

/** Built here and not inside a test, so that a person sees what takes the time. */
function tools(about: string, ...programs: readonly Program[]): Step {
  return check('tools', about, 'node', 'hack/cluster/main.ts', 'tools', ...programs);
}

/**
 * How two files are run at a time: by mocha's workers, or by a mocha process for each half of the files. Whatever all files of a process
 * share, as an API server, ends with it; a worker knows no such moment.
 */
type Parallel = 'Workers' | 'Processes';

function mocha(name: string, about: string, patterns: readonly string[], parallel?: Parallel): Step {
  return {
    name,
    about,
    async run() {
      const files = patterns.flatMap((pattern) => globSync(pattern, { cwd: root })).sort();
      if (files.length === 0) throw new Error(`There is no test file for ${patterns.join(' or ')}.`);
      const flags = parallel === 'Workers' ? ['--parallel', '--jobs', '2'] : [];
      // The trainer is started hundreds of times, and Node would compile its sources each time.
      const environment = parallel === 'Workers' ? { NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/node') } : {};
      const shares = parallel === 'Processes' ? [0, 1].map((share) => files.filter((_, index) => index % 2 === share)) : [files];
      const runs: Promise<Run>[] = [];
      for (const share of shares) runs.push(spawned('mocha', [...flags, ...share], longestStepMinutes.built, { environment, before: runs.at(-1) }));
      return together((await Promise.all(runs)).map(outcomeOf));
    },
  };
}

function outcomeOf({ code, output }: Run): Outcome {
  const passed = Number(/^\s+(\d+) passing/m.exec(output)?.[1] ?? '0');
  const failed = Number(/^\s+(\d+) failing/m.exec(output)?.[1] ?? '0');
  const failures = /^\s+\d+ failing$[\s\S]*/m.exec(output)?.[0];
  // A run that died before its summary must not look like one without failures.
  return { passed, failed: code === 0 ? failed : Math.max(failed, 1), ...(failures === undefined ? {} : { failures }) };
}

function together(outcomes: readonly Outcome[]): Outcome {
  const sum = (count: keyof Tally): number => outcomes.reduce((total, outcome) => total + outcome[count], 0);
  const failures = outcomes.flatMap((outcome) => outcome.failures ?? []);
  return { passed: sum('passed'), failed: sum('failed'), ...(failures.length === 0 ? {} : { failures: failures.join('\n') }) };
}

interface Run {
  readonly code: number;
  readonly output: string;
}

interface Surroundings {
  readonly environment?: Readonly<Record<string, string>>;
  /** What runs beside it and is heard first: until that ends, the output of this is kept back. */
  readonly before?: Promise<unknown> | undefined;
}

function spawned(command: string, args: readonly string[], limitMinutes: number, { environment = {}, before = Promise.resolve() }: Surroundings = {}): Promise<Run> {
  return new Promise((resolve, reject) => {
    // TensorFlow tells of each graph that it loads, unless it is told not to.
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], env: { TF_CPP_MIN_LOG_LEVEL: '2', ...environment, ...process.env } });
    // A test in an endless loop stops mocha's own timers too. SIGKILL, since such a process hears nothing else.
    const timer = setTimeout(() => {
      console.log(`\n${command} was still not done after ${limitMinutes} minutes and was killed; what it printed last is where it hung.`);
      child.kill('SIGKILL');
      // What the killed step leaves running may hold its output open.
      child.stdout.destroy();
      resolve({ code: 1, output });
    }, limitMinutes * 60_000);
    let output = '';
    let heard = 0;
    let isOurTurn = false;
    const say = (): void => {
      process.stdout.write(output.slice(heard));
      heard = output.length;
    };
    void before.then(() => {
      isOurTurn = true;
      say();
    });
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (isOurTurn) say();
    });
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? 1, output });
    });
  });
}

/** `e2e` is all suites whose name begins with `e2e:`; after it, `path` stands for `e2e:path`. */
function chosen([first, ...others]: readonly string[]): readonly Suite[] {
  if (first === undefined) return suites.filter((suite) => suite.onDemand !== true);
  const names = first !== 'e2e' ? [first, ...others] : others.length > 0 ? others.map((name) => `e2e:${name}`) : suites.map(({ name }) => name).filter((name) => name.startsWith('e2e:'));
  const unknown = names.filter((name) => !suites.some((suite) => suite.name === name));
  if (unknown.length > 0) throw new Error(`There is no suite ${unknown.join(', ')}; there are ${suites.map((suite) => suite.name).join(', ')}.`);
  return suites.filter(({ name }) => names.includes(name));
}

async function main(names: readonly string[]): Promise<void> {
  mkdirSync(join(root, 'node_modules/.cache'), { recursive: true });
  const steps = chosen(names).flatMap((suite) => suite.steps);
  const total: Tally = { passed: 0, failed: 0 };
  const failed: { readonly name: string; readonly failures?: string }[] = [];
  const start = performance.now();
  for (const [index, step] of steps.entries()) {
    console.log(`\n[${index + 1}/${steps.length}] ${step.name}: ${step.about} ...`);
    const begin = performance.now();
    const outcome = await step.run();
    total.passed += outcome.passed;
    total.failed += outcome.failed;
    if (outcome.failed > 0) failed.push({ ...outcome, name: step.name });
    console.log(`[${index + 1}/${steps.length}] ${step.name}: ${outcome.passed} passed, ${outcome.failed} failed in ${seconds(begin)} s`);
  }
  for (const { name, failures } of failed) if (failures !== undefined) console.log(`\n${name}:\n${failures.trimEnd()}`);
  if (failed.length > 0) console.log(`\nFailed: ${failed.map(({ name }) => name).join(', ')}. Run one of them alone with npm test -- SUITE.`);
  console.log(`\nTook ${seconds(start)} s.\n${total.passed} passed, ${total.failed} failed`);
  process.exitCode = failed.length > 0 ? 1 : 0;
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1);
}

await main(process.argv.slice(2));
