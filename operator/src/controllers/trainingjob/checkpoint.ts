/** What is known of a TrainingJob's checkpoints, how often they should be written, and what the pods are told. Pure. */
import { parseTime, type ProgressReply, type TrainingJob } from '../../api/index.ts';
import type { Spent } from '../../domain/budget.ts';
import { autoInterval, meanSecondsBetweenInterruptions, ofNodes, ratePriors, type RatePrior } from '../../domain/checkpoint-interval.ts';
import { prefixOf, uriOnVolume, type CheckpointContext } from '../../domain/checkpoint-pod.ts';
import type { Node } from '../../domain/node.ts';
import { isSpot, noticeOf } from '../../domain/notices.ts';
import type { Assessment } from './assess.ts';
import { runningSinceMs } from './deadlines.ts';
import type { JobStatus, Observed, ReceivedProgress } from './observe.ts';

type Checkpoint = NonNullable<JobStatus['checkpoint']>;
type Received = NonNullable<ReceivedProgress['checkpoint']>;

/** Share of the newest write in the mean: a few writes after it grew, a model's new size counts. */
const newestShare = 0.25;

export function checkpointOf(seen: Observed, { spent }: Pick<Assessment, 'spent'>): Checkpoint | undefined {
  const { status, progress, job: { spec } } = seen;
  const reported = progress?.checkpoint;
  if (reported === undefined) return status.checkpoint;
  const before = status.checkpoint;
  // Figures move with checkpoints alone: a status that changes with the clock would be written for ever.
  const isNew = before?.time !== reported.time || before.step !== reported.step;
  const figures = isNew || before.intervalSeconds === undefined ? figuresOf(seen, reported, progress?.timeMs ?? 0, spent) : {
    ...(before.writeSeconds === undefined ? {} : { writeSeconds: before.writeSeconds }),
    intervalSeconds: before.intervalSeconds,
    ...(before.meanSecondsBetweenInterruptions === undefined ? {} : { meanSecondsBetweenInterruptions: before.meanSecondsBetweenInterruptions }),
  };
  const { epoch, step, time, path } = reported;
  const uri = uriOf(seen, reported);
  return {
    epoch, step, time,
    ...(path === undefined ? {} : { path }),
    ...(uri === undefined ? {} : { uri }),
    // A role's program tells of a checkpoint when all of it is where it belongs.
    complete: spec.trainer === undefined || spec.checkpoint.s3 === undefined || reported.copied === true,
    ...figures,
  };
}

function figuresOf(seen: Observed, { writeSeconds }: Received, timeMs: number, spent: Spent): Pick<Checkpoint, 'writeSeconds' | 'intervalSeconds' | 'meanSecondsBetweenInterruptions'> {
  const { interval } = seen.job.spec.checkpoint;
  const before = seen.status.checkpoint?.writeSeconds;
  const mean = writeSeconds === undefined ? before : rounded(before === undefined ? writeSeconds : before + newestShare * (writeSeconds - before));
  const measured = mean === undefined ? {} : { writeSeconds: mean };
  if (interval.mode === 'Fixed' && interval.seconds !== undefined) return { ...measured, intervalSeconds: interval.seconds };
  if (interval.mode !== 'Auto') return measured;
  const mtbf = meanSecondsBetweenInterruptions(priorOf(seen), interruptionsIn(spent), runningSeconds(seen, timeMs));
  return { ...measured, intervalSeconds: rounded(autoInterval(interval, mean, mtbf)), meanSecondsBetweenInterruptions: Math.round(mtbf) };
}

/** Where the budgets were spent on something that ended a run; an image that could not be pulled cost no work. */
function interruptionsIn({ imagePull: _none, ...spent }: Spent): number {
  return Object.values(spent).reduce((sum, count) => sum + count, 0);
}

/** The loss of any node interrupts the job; beside spot nodes the others hardly count. */
function priorOf({ nodes }: Observed): RatePrior {
  const spotNodes = [...nodes.values()].filter(isSpot).length;
  return spotNodes > 0 ? ofNodes(ratePriors.spot, spotNodes) : ofNodes(ratePriors.onDemand, Math.max(1, nodes.size));
}

function runningSeconds({ status }: Observed, untilMs: number): number {
  const since = runningSinceMs(status);
  return (status.activeSeconds ?? 0) + (since === undefined ? 0 : Math.max(0, (untilMs - since) / 1000));
}

const rounded = (seconds: number): number => Number(seconds.toPrecision(4));

function uriOf({ job, volume }: Observed, { uri, path, copied }: Received): string | undefined {
  if (uri !== undefined || path === undefined) return uri;
  const { s3 } = job.spec.checkpoint;
  if (s3 !== undefined && copied === true) return `s3://${s3.bucket}/${prefixOf(s3, job)}/${path}`;
  return volume === undefined ? undefined : uriOnVolume(volume, path);
}

/** Seconds of training that restarts repeated: for each of a whole gang, from the newest checkpoint or the attempt's begin to the failure. */
export function lostSecondsOf({ status, progress }: Observed, { newFailures, places }: Pick<Assessment, 'newFailures' | 'places'>): number | undefined {
  const checkpoint = progress?.checkpoint?.time ?? status.checkpoint?.time;
  const lost = newFailures.filter(({ scope }) => scope === 'Gang').map(({ role, index, time }) => {
    const main = places.find((place) => place.role === role && place.index === index)?.pod?.status.main;
    const started = main?.running?.startedAt ?? main?.terminated?.startedAt;
    if (started === undefined) return 0;
    return Math.max(0, (parseTime(time) - Math.max(parseTime(started), checkpoint === undefined ? 0 : parseTime(checkpoint))) / 1000);
  });
  return lost.length === 0 ? status.lostSeconds : (status.lostSeconds ?? 0) + lost.reduce((sum, seconds) => sum + seconds, 0);
}

/** What the job's next pods are given. */
export function checkpointContext(seen: Observed): CheckpointContext {
  const { status, restore, job: { spec: { checkpoint: { interval } } } } = seen;
  const newest = status.checkpoint;
  return {
    intervalSeconds: interval.mode === 'Auto' ? (newest?.intervalSeconds ?? autoInterval(interval, undefined, 1)) : (interval.seconds ?? 0),
    ...(newest?.path === undefined ? (newest?.uri === undefined ? {} : { newest: { uri: newest.uri } }) : { newest: { path: newest.path } }),
    ...(restore?.kind === 'Found' ? { restore: restore.restore } : {}),
  };
}

/** The answer to a report: the interval as it is now, and the wish for a checkpoint while a node of the job is about to go. */
export function replyTo({ spec, status }: TrainingJob, nodes: readonly Node[]): ProgressReply {
  const { mode, seconds } = spec.checkpoint.interval;
  const interval = mode === 'Auto' ? status?.checkpoint?.intervalSeconds : seconds;
  const notices = nodes.flatMap((node) => {
    const notice = noticeOf(node);
    return notice === undefined || notice.kind === 'Advisory' ? [] : [`${node.metadata.name}/${notice.source}`];
  });
  // The same notices give the same text, in whichever order the nodes come.
  return { ...(interval === undefined ? {} : { checkpointIntervalSeconds: interval }), ...(notices.length === 0 ? {} : { checkpointNow: notices.sort().join(', ') }) };
}
