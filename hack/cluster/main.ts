/** `npm run cluster -- COMMAND`: a real Kubernetes for development on this machine. docs/cluster.md tells what each command does. */
import { parseArgs } from 'node:util';
import { binaries } from './binaries.ts';
import { ClusterError } from './errors.ts';
import { isProgram, programs } from './families.ts';
import { clusterId } from './places.ts';
import { choices, choose, providerFor } from './providers/index.ts';
import type { Choice } from './providers/index.ts';

const usage = `npm run cluster -- COMMAND [options]
  up               start a cluster, or bring it back to health
  down             remove it and everything that came with it
  status           say what runs
  load IMAGE       give the nodes an image: an archive, or the name of one that docker, podman or buildah has
  kill-node NAME   end a node as a power cut does: nothing of it says goodbye
  start-node NAME  bring it back under its name
  kubeconfig       print the path of the kubeconfig (npm run -s cluster -- kubeconfig)
  tools NAME...    build programs and print their paths: ${programs.join(', ')}
Options:
  --provider ${choices.join('|')}   who makes the cluster (auto)
  --control-plane-only   an API server with its controllers, without nodes; needs no rights
  --nodes N              nodes of an embedded cluster (1)
  --gpus N               nvidia.com/gpu that each node says it has (4)
  --node-monitor-grace-period SECONDS   how long a node may be silent before it is NotReady (Kubernetes' own: 50)
  --name NAME            instead of one cluster for each checkout`;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      provider: { type: 'string', default: 'auto' },
      'control-plane-only': { type: 'boolean', default: false },
      nodes: { type: 'string', default: '1' },
      gpus: { type: 'string', default: '4' },
      'node-monitor-grace-period': { type: 'string' },
      name: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [command, ...operands] = positionals;
  if (values.help || command === undefined) {
    console.log(usage);
    return;
  }
  const choice = choiceOf(values.provider);
  const id = clusterId(nameOf(values.name));
  const controlPlaneOnly = values['control-plane-only'];
  switch (command) {
    case 'up':
      await (await choose(choice, id, controlPlaneOnly)).up({
        controlPlaneOnly, nodes: count('--nodes', values.nodes, 1, 20), gpusPerNode: count('--gpus', values.gpus, 0, 64), ...graceOf(values['node-monitor-grace-period']),
      });
      return;
    case 'down':
      await (await providerFor(choice, id)).down();
      return;
    case 'status': {
      const { up, lines } = await (await providerFor(choice, id)).status();
      console.log(lines.join('\n'));
      if (!up) process.exitCode = 1;
      return;
    }
    case 'load':
      if (operands[0] === undefined) throw new ClusterError('USAGE', 'Say which image: npm run cluster -- load IMAGE');
      for (const image of operands) await (await providerFor(choice, id)).load(image);
      return;
    case 'kill-node':
      await (await providerFor(choice, id)).killNode(nodeOf(command, operands));
      return;
    case 'start-node':
      await (await providerFor(choice, id)).startNode(nodeOf(command, operands));
      return;
    case 'kubeconfig':
      console.log(await (await providerFor(choice, id)).kubeconfig());
      return;
    case 'tools':
      await tools(operands);
      return;
    default:
      throw new ClusterError('USAGE', `There is no command "${command}".\n${usage}`);
  }
}

async function tools(names: readonly string[]): Promise<void> {
  const known = names.filter(isProgram);
  const unknown = names.filter((name) => !isProgram(name));
  if (unknown.length > 0 || names.length === 0) throw new ClusterError('USAGE', `Name programs out of: ${programs.join(', ')}`);
  for (const path of Object.values(await binaries(known))) console.log(path);
}

function choiceOf(text: string): Choice {
  const choice = choices.find((one) => one === text);
  if (choice === undefined) throw new ClusterError('USAGE', `--provider must be one of ${choices.join(', ')}, not "${text}".`);
  return choice;
}

function nameOf(text: string | undefined): string | undefined {
  // It becomes part of the names of links and sockets, which are short.
  if (text === undefined || /^[a-z0-9][a-z0-9-]{0,15}$/.test(text)) return text;
  throw new ClusterError('USAGE', `--name must be up to 16 of a-z, 0-9 and "-", not "${text}".`);
}

function nodeOf(command: string, operands: readonly string[]): string {
  const [name, ...others] = operands;
  if (name === undefined || others.length > 0) throw new ClusterError('USAGE', `Say which node: npm run cluster -- ${command} node-2`);
  return name;
}

/** Below five seconds a busy machine's kubelets would be called dead. */
function graceOf(text: string | undefined): { readonly nodeMonitorGraceSeconds?: number } {
  return text === undefined ? {} : { nodeMonitorGraceSeconds: count('--node-monitor-grace-period', text, 5, 600) };
}

function count(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new ClusterError('USAGE', `${option} must be a whole number from ${least} to ${most}, not "${text}".`);
}

try {
  await main();
} catch (error) {
  // A mistake of ours comes with its stack; what the user or the machine can mend, without.
  if (error instanceof ClusterError) console.error(error.message);
  else if (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')) console.error(`${error.message}\n${usage}`);
  else throw error;
  process.exitCode = 1;
}
