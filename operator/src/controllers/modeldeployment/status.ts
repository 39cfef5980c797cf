/** The status that follows from what was seen, what was concluded and how the actions went. Pure. */
import { conditionsFrom, timestamp } from '../../api/index.ts';
import { servingUrl, type Revision } from '../../domain/serving.ts';
import type { Outcome } from '../../runtime/index.ts';
import type { Assessment, Counts } from './assess.ts';
import { conclusionsOf } from './conclusions.ts';
import { revisionNameOf, type DeploymentStatus, type Observed } from './observe.ts';

const mostRevisions = 10;

export function statusOf(seen: Observed, assessment: Assessment, outcome: Outcome, nowMs: number): DeploymentStatus {
  const generation = seen.object.metadata.generation ?? 0;
  const { status } = seen;
  const observedGeneration = outcome.kind === 'done' ? generation : status.observedGeneration;
  return {
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
    conditions: conditionsFrom(status.conditions, conclusionsOf(seen, assessment, outcome), generation, timestamp(nowMs)),
    ...rolledOut(seen, assessment, outcome, nowMs),
    ...(assessment.counts === undefined ? {} : { replicas: { summary: summaryOf(assessment.counts), ...assessment.counts } }),
  };
}

type Rolled = Pick<DeploymentStatus, 'url' | 'revision' | 'model' | 'trainingJob' | 'revisions'>;

/** Names a revision only once the Deployment has it: these fields are also the memory of what to serve when the source is gone. */
function rolledOut(seen: Observed, { stage, revision }: Assessment, outcome: Outcome, nowMs: number): Rolled {
  const { status, target, key } = seen;
  const { url, revision: name, model, trainingJob, revisions } = status;
  if (revision === undefined || target === undefined || stage.kind === 'Blocked' || !isDeployed(seen, revision, outcome)) {
    return defined({ url, revision: name, model, trainingJob, revisions });
  }
  return {
    url: servingUrl(key.namespace, key.name),
    revision: revision.name,
    model: target.model,
    trainingJob: target.trainingJob,
    revisions: withRevision(revisions ?? [], revision, target.trainingJob, timestamp(nowMs)),
  };
}

function isDeployed({ children }: Observed, revision: Revision, outcome: Outcome): boolean {
  return outcome.kind === 'done' || (children.deployment !== undefined && revisionNameOf(children.deployment) === revision.name);
}

type Revisions = NonNullable<DeploymentStatus['revisions']>;

/** A revision that comes back moves to the end, since the list may name each only once. */
function withRevision(before: Revisions, revision: Revision, trainingJob: string, time: string): Revisions {
  if (before.at(-1)?.revision === revision.name) return before;
  const others = before.filter((other) => other.revision !== revision.name);
  return [...others, { revision: revision.name, modelDigest: revision.model.digest, trainingJob, time }].slice(-mostRevisions);
}

function summaryOf({ desired, updated, ready }: Counts): string {
  const updating = updated < desired ? `, ${updated}/${desired} updated` : '';
  return `${ready}/${desired} ready${updating}`;
}

function defined<T extends object>(fields: { readonly [K in keyof T]: T[K] | undefined }): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
}
