/** One Lease with the API server's rule of versions, and candidates for it, each with a clock and a network of its own. */
import { ApiError, TransportError } from '../../../operator/src/kube/errors.ts';
import type { KubeObject } from '../../../operator/src/kube/resource.ts';
import { Leader } from '../../../operator/src/runtime/leader.ts';
import type { Lease, LeaderOptions } from '../../../operator/src/runtime/leader.ts';
import { silentLog } from '../../../operator/src/telemetry/log.ts';
import { createMetrics } from '../../../operator/src/telemetry/metrics.ts';
import { TestClock } from '../clock.ts';

export class LeaseServer {
  lease: Lease | undefined;
  /** So many writes to come are done but not answered. */
  dropReplies = 0;
  #version = 0;

  get(): Lease {
    if (this.lease === undefined) throw new ApiError('GET lease', 404, {});
    return this.lease;
  }

  create(object: KubeObject): Lease {
    if (this.lease !== undefined) throw new ApiError('POST lease', 409, { reason: 'AlreadyExists' });
    return this.#store(object);
  }

  replace(object: KubeObject): Lease {
    if (object.metadata.resourceVersion !== this.lease?.metadata.resourceVersion) throw new ApiError('PUT lease', 409, { reason: 'Conflict' });
    return this.#store(object);
  }

  steal(holderIdentity: string): void {
    const { spec, ...lease } = this.get();
    this.#store({ ...lease, spec: { ...spec, holderIdentity } });
  }

  #store(object: KubeObject & { readonly spec?: Lease['spec'] }): Lease {
    this.#version += 1;
    this.lease = { ...(object as Lease), metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
    if (this.dropReplies > 0) {
      this.dropReplies -= 1;
      throw new TransportError('TIMED_OUT', 'The reply was lost', true);
    }
    return this.lease;
  }
}

export interface Candidate {
  readonly leader: Leader;
  readonly clock: TestClock;
  /** While false, every request times out without arriving. */
  reachable: boolean;
  readonly outagesOver: number;
  /** It was the leader and is no more. */
  readonly lost: boolean;
  /** Releases the lease, letting time pass until it is done. */
  release(): Promise<void>;
}

/** A candidate that is not started yet. Each request takes 10 ms of its own clock. */
export function candidate(server: LeaseServer, instance: string, clock = new TestClock()): Candidate {
  const state = { reachable: true, outagesOver: 0, lost: false };
  const send = async (run: () => Lease): Promise<Lease> => {
    await new Promise<void>((resolve) => void clock.after(state.reachable ? 10 : 2_000, resolve));
    if (!state.reachable) throw new TransportError('TIMED_OUT', 'There was no answer', true);
    return run();
  };
  const client = {
    get: () => send(() => server.get()),
    create: (_type: unknown, object: KubeObject) => send(() => server.create(object)),
    replace: (_type: unknown, object: KubeObject) => send(() => server.replace(object)),
  } as unknown as LeaderOptions['client'];
  const leader = new Leader({
    client, instance, clock, lease: { namespace: 'a', name: 'anneal' }, log: silentLog, metrics: createMetrics(),
    onOutageOver: () => {
      state.outagesOver += 1;
    },
  });
  void leader.lost.then(() => {
    state.lost = true;
  });
  return {
    leader,
    clock,
    get lost() {
      return state.lost;
    },
    release: async () => {
      const released = leader.release();
      await clock.advance(10_000);
      await released;
    },
    get reachable() {
      return state.reachable;
    },
    set reachable(value: boolean) {
      state.reachable = value;
    },
    get outagesOver() {
      return state.outagesOver;
    },
  };
}
