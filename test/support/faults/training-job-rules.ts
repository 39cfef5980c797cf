/** What must never be seen of a TrainingJob. */
import { labels, type TrainingJob } from '../../../operator/src/api/index.ts';
import { podType, trainingJobType } from '../../../operator/src/controllers/shared/resources.ts';
import type { KubeObject } from '../../../operator/src/kube/resource.ts';
import type { LivePod } from '../fake-kubelet.ts';
import type { Change } from './chronicle.ts';
import type { Rules, World } from './witness.ts';

type Status = NonNullable<TrainingJob['status']>;

export function trainingJobRules(): Rules {
  return {
    *see(change: Change, world: World): Iterable<string> {
      if (change.type === podType) yield* twoAtOnePlace(world.children);
      if (change.type === trainingJobType && change.after !== undefined) yield* ledger(change.before as TrainingJob | undefined, change.after as unknown as TrainingJob);
    },
  };
}

/** Of one place at most one pod may live, whatever the attempt: two would write to the same checkpoints. */
function* twoAtOnePlace(children: ReadonlyMap<string, KubeObject>): Iterable<string> {
  const live = [...children.entries()].filter(([name, child]) => name.startsWith('Pod ') && !hasEnded(child as LivePod)).map(([, child]) => child);
  const places = Map.groupBy(live, ({ metadata }) => `${metadata.labels?.[labels.role] ?? ''}/${metadata.labels?.[labels.index] ?? ''}`);
  for (const [place, pods] of places) if (pods.length > 1) yield `${place} has ${pods.length} live pods: ${pods.map(({ metadata }) => metadata.name).join(', ')}.`;
}

function hasEnded({ status }: LivePod): boolean {
  return status.phase === 'Succeeded' || status.phase === 'Failed';
}

const longestLedger = 20;

/** The ledger only grows, at its end; no budget is overrun, nor ever given back; attempts only go up. */
function* ledger(before: TrainingJob | undefined, { spec, status = {} }: TrainingJob): Iterable<string> {
  const was: Status = before?.status ?? {};
  const entries = (of: Status): string[] => (of.failures ?? []).map((entry) => JSON.stringify(entry));
  const [held, now] = [entries(was), entries(status)];
  const kept = now.length < longestLedger ? held : held.slice(held.indexOf(now[0] ?? ''));
  if (kept.some((entry, index) => now[index] !== entry)) yield 'The ledger lost or changed an entry.';
  for (const [cause, spent] of Object.entries(status.budgetSpent ?? {})) {
    const limit = spec.failurePolicy.budgets[cause as keyof typeof spec.failurePolicy.budgets];
    if (spent > limit) yield `The budget ${cause} of ${limit} was overrun: ${spent} spent.`;
  }
  for (const [cause, spent] of Object.entries(was.budgetSpent ?? {})) {
    if ((status.budgetSpent?.[cause as keyof typeof status.budgetSpent] ?? 0) < spent) yield `The budget ${cause} was given back.`;
  }
  if ((status.attempt ?? 0) < (was.attempt ?? 0)) yield `The attempt went back from ${was.attempt ?? 0} to ${status.attempt ?? 0}.`;
}
