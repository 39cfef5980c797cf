/** The operator's command line. */
import { parseArgs } from 'node:util';
import { logLevels, type LogLevel } from './telemetry/log.ts';

export interface Flags {
  readonly trainerImage: string;
  readonly progressUrl: string | undefined;
  readonly namespace: string | undefined;
  readonly logLevel: LogLevel;
  readonly kubeconfig: string | undefined;
  readonly leaseNamespace: string | undefined;
  readonly metricsPort: number;
  readonly healthPort: number;
  readonly progressPort: number;
  readonly version: boolean;
  readonly help: boolean;
}

export class FlagError extends Error {
  readonly code = 'FLAG_INVALID';
}

export const usage = `anneal-operator [flags]
  --trainer-image IMAGE       image of trainers and servers (anneal/trainer:VERSION)
  --progress-url URL          where pods push progress, seen from them; left out, they push none
  --watch-namespaces NAME     watch this namespace only; left out, all of them
  --leader-elect              accepted for familiarity: the operator always elects a leader
  --lease-namespace NAME      namespace of the leader's Lease (POD_NAMESPACE, else anneal-system)
  --kubeconfig FILE           outside of a cluster: kubeconfig to use (KUBECONFIG, else ~/.kube/config)
  --metrics-port PORT         /metrics (8080)
  --health-port PORT          /healthz and /readyz (8081)
  --progress-port PORT        receives progress (8082)
  --log-level LEVEL           ${logLevels.join(', ')} (info)
  --version                   print the version
  --help                      print this`;

/** Throws a `FlagError` with a sentence that says what to write instead. */
export function parseFlags(args: readonly string[], version: string): Flags {
  const values = parsed(args);
  const namespaces = (values['watch-namespaces'] ?? '').split(',').filter((name) => name !== '');
  if (namespaces.length > 1) {
    throw new FlagError(`--watch-namespaces takes one namespace, and was given ${namespaces.length}. Give one, or leave the flag out to watch them all.`);
  }
  const level = values['log-level'] ?? 'info';
  if (!isLogLevel(level)) throw new FlagError(`--log-level is "${level}"; write one of ${logLevels.join(', ')}.`);
  return {
    trainerImage: values['trainer-image'] ?? `anneal/trainer:${version}`,
    progressUrl: values['progress-url'],
    namespace: namespaces[0],
    logLevel: level,
    kubeconfig: values.kubeconfig,
    leaseNamespace: values['lease-namespace'],
    metricsPort: port('--metrics-port', values['metrics-port'] ?? '8080'),
    healthPort: port('--health-port', values['health-port'] ?? '8081'),
    progressPort: port('--progress-port', values['progress-port'] ?? '8082'),
    version: values.version ?? false,
    help: values.help ?? false,
  };
}

function parsed(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        'trainer-image': text, 'progress-url': text, 'watch-namespaces': text, 'leader-elect': flag, 'lease-namespace': text, kubeconfig: text,
        'metrics-port': text, 'health-port': text, 'progress-port': text, 'log-level': text, version: flag, help: flag,
      },
    }).values;
  } catch (error) {
    throw new FlagError(`${error instanceof Error ? error.message : String(error)} Run with --help for the flags that there are.`, { cause: error });
  }
}

function isLogLevel(text: string): text is LogLevel {
  return (logLevels as readonly string[]).includes(text);
}

/** 0 takes a free port. */
function port(flag: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65535 || text.trim() === '') throw new FlagError(`${flag} is "${text}"; write a port from 0 to 65535.`);
  return value;
}
