/** What a pod asks of its node, as the scheduler adds it up. */
import type { Container, PodSpec, ResourceRequirements } from '../pod.ts';
import { quantityOf, thousandths } from './quantity.ts';

type Amounts = ReadonlyMap<string, bigint>;

/** Requests of all containers together, or of an init container that needs more while it runs; a limit without a request is one. */
export function podRequests(spec: PodSpec): Amounts {
  const inits = spec.initContainers ?? [];
  const sidecars = inits.filter((container) => container.restartPolicy === 'Always');
  const running = sum([...spec.containers, ...sidecars].map(requestsOf));
  const before = inits.filter((container) => !sidecars.includes(container)).map(requestsOf);
  const overhead = amounts(spec.overhead as ResourceRequirements['requests']);
  return sum([[running, ...before].reduce(most), overhead]);
}

export function sum(all: readonly Amounts[]): Amounts {
  return combined(all, (a, b) => a + b);
}

export function times(each: Amounts, count: number): Amounts {
  return new Map([...each].map(([resource, amount]) => [resource, amount * BigInt(count)]));
}

/** As a resource list of the API. */
export function resourceList(all: Amounts): Readonly<Record<string, string>> {
  return Object.fromEntries([...all].sort(([a], [b]) => (a < b ? -1 : 1)).map(([resource, amount]) => [resource, quantityOf(amount)]));
}

function requestsOf({ resources }: Container): Amounts {
  return amounts({ ...resources?.limits, ...resources?.requests });
}

/** What is no quantity is refused when the pod is made, with the API server's own words. */
function amounts(list: ResourceRequirements['requests']): Amounts {
  return new Map(Object.entries(list ?? {}).flatMap(([resource, quantity]) => {
    const amount = thousandths(quantity);
    return amount === undefined ? [] : [[resource, amount] as const];
  }));
}

function most(a: Amounts, b: Amounts): Amounts {
  return combined([a, b], (x, y) => (x > y ? x : y));
}

function combined(all: readonly Amounts[], combine: (a: bigint, b: bigint) => bigint): Amounts {
  const result = new Map<string, bigint>();
  for (const one of all) for (const [resource, amount] of one) result.set(resource, combine(result.get(resource) ?? 0n, amount));
  return result;
}
