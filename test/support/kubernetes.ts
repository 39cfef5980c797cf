/** Shorthand for API tests: objects through kubectl, and their state once it is as expected. */
import type { KubeObject } from '../../operator/src/kube/resource.ts';
import type { SuiteCluster } from './cluster.ts';
import { eventually } from './kit/eventually.ts';

/** Any object, with fields that a test may look into. */
export interface Live extends KubeObject {
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason: string; readonly message: string }[]; readonly [field: string]: unknown };
}

const deadlineMs = 60_000;

export class Kubectl {
  readonly #cluster: SuiteCluster;

  constructor(cluster: SuiteCluster) {
    this.#cluster = cluster;
  }

  run(...args: readonly string[]): Promise<string> {
    const { plane, namespace } = this.#cluster;
    return plane.kubectl(['--namespace', namespace, ...args]);
  }

  async apply(object: object): Promise<void> {
    const { plane, namespace } = this.#cluster;
    await plane.kubectl(['--namespace', namespace, 'apply', '-f', '-'], { input: JSON.stringify(object) });
  }

  /** Puts a status as a controller would. */
  async setStatus(resource: string, name: string, status: object): Promise<void> {
    await this.run('patch', resource, name, '--subresource=status', '--type=merge', '-p', JSON.stringify({ status }));
  }

  async get(resource: string, name: string): Promise<Live> {
    return JSON.parse(await this.run('get', resource, name, '-o', 'json')) as Live;
  }

  async list(resource: string, selector = ''): Promise<readonly Live[]> {
    return (JSON.parse(await this.run('get', resource, '-o', 'json', ...(selector === '' ? [] : ['-l', selector]))) as { items: readonly Live[] }).items;
  }

  /** The object once `check` holds for it. */
  async until(resource: string, name: string, check: (object: Live) => void): Promise<Live> {
    return eventually(async () => {
      const object = await this.get(resource, name);
      check(object);
      return object;
    }, deadlineMs);
  }

  async untilGone(resource: string, name: string): Promise<void> {
    await eventually(async () => {
      const left = (await this.run('get', resource, name, '--ignore-not-found', '-o', 'name')).trim();
      if (left !== '') throw new Error(`${left} is still there.`);
    }, deadlineMs);
  }
}

export function conditionOf(object: Live, type: string): { readonly status: string; readonly reason: string; readonly message: string } | undefined {
  return object.status?.conditions?.find((condition) => condition.type === type);
}
