/** The demo's way to the API server: the operator's own client, and kubectl for what a person would type. */
import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { kubeConfigAuthority } from '../../operator/src/kube/auth.ts';
import { Client } from '../../operator/src/kube/client.ts';
import type { KubeObject, ObjectKey, ResourceType } from '../../operator/src/kube/resource.ts';
import { Transport } from '../../operator/src/kube/transport.ts';
import { systemClock as clock } from '../../operator/src/runtime/index.ts';
import { createMetrics } from '../../operator/src/telemetry/metrics.ts';
import { run } from '../cluster/commands.ts';

export class DemoError extends Error {
  readonly code = 'DEMO_FAILED';
}

export interface Tools {
  readonly kubectl: string;
  readonly helm: string;
  readonly kubeconfig: string;
}

export class Access implements AsyncDisposable {
  readonly tools: Tools;
  readonly #transport: Transport;
  readonly #client: Client;

  constructor(tools: Tools, transport: Transport) {
    this.tools = tools;
    this.#transport = transport;
    this.#client = new Client(transport, { fieldManager: 'anneal-demo' });
  }

  static async open(tools: Tools): Promise<Access> {
    const authority = await kubeConfigAuthority({ path: tools.kubeconfig }, clock);
    return new Access(tools, new Transport({ authority, clock, random: Math.random, metrics: createMetrics(), userAgent: 'anneal-demo' }));
  }

  get<T extends KubeObject>(type: ResourceType, key: ObjectKey): Promise<T> {
    return this.#client.get<T>(type, key);
  }

  async list<T extends KubeObject>(type: ResourceType, namespace: string, labels: string): Promise<readonly T[]> {
    return (await this.#client.list<T>(type, (raw) => raw as T, { namespace, labels })).items;
  }

  /** Shows the command as a person would type it, then runs it. */
  async kubectl(args: readonly string[], options: { readonly quiet?: boolean; readonly input?: string } = {}): Promise<string> {
    if (options.quiet !== true) console.log(`  $ kubectl ${args.join(' ')}`);
    return run(this.tools.kubectl, ['--kubeconfig', this.tools.kubeconfig, ...args], options.input === undefined ? {} : { input: options.input });
  }

  /** A port on loopback that leads to a Service. */
  async forward(namespace: string, service: string, port: number): Promise<{ readonly port: number } & AsyncDisposable> {
    const child = spawn(this.tools.kubectl, ['--kubeconfig', this.tools.kubeconfig, 'port-forward', '-n', namespace, `service/${service}`, `:${port}`], { stdio: ['ignore', 'pipe', 'pipe'] });
    return { port: await forwardedPort(child), [Symbol.asyncDispose]: () => ended(child) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport.close();
  }
}

function forwardedPort(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let said = '';
    const listen = (text: Buffer): void => {
      said += text.toString();
      const port = /Forwarding from 127\.0\.0\.1:(\d+)/.exec(said)?.[1];
      if (port !== undefined) resolve(Number(port));
    };
    child.stdout?.on('data', listen);
    child.stderr?.on('data', listen);
    child.once('error', reject);
    child.once('exit', () => reject(new DemoError(`kubectl port-forward ended: ${said.trim()}`)));
  });
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    if (!child.kill()) resolve();
  });
}

/** Looks at an object twice a second until `look` is content. Fails with what `stuck` says after the limit. */
export async function follow<T>(read: () => Promise<T>, look: (seen: T) => boolean, limitSeconds: number, stuck: (seen: T) => string): Promise<T> {
  const deadline = performance.now() + limitSeconds * 1000;
  for (;;) {
    const seen = await read();
    if (look(seen)) return seen;
    if (performance.now() > deadline) throw new DemoError(`Nothing came of it within ${limitSeconds} s: ${stuck(seen)}`);
    await wait(500);
  }
}
