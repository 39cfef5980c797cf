/** Decides whether a TrainingJob has succeeded, by its success policy. Pure. */
import { sentence, volumeLayout, type TrainingResult } from '../../api/index.ts';
import { pathOnVolume } from '../../domain/job-volume.ts';
import { isRunning } from '../../domain/pod.ts';
import { decidingPlaces, isElastic, placeKey } from '../../domain/roles.ts';
import { parseResult, resultProblem } from '../../domain/termination-message.ts';
import type { Observed } from './observe.ts';
import type { SeenPlace } from './places.ts';

export function hasJobSucceeded({ job: { spec } }: Observed, places: readonly SeenPlace[]): boolean {
  if (resultOf(places) !== undefined) return true;
  const deciding = new Set(decidingPlaces(spec).map(placeKey));
  const byRole = Map.groupBy(places.filter((place) => deciding.has(placeKey(place))), ({ role }) => role);
  return byRole.size > 0 && [...byRole.values()].every(roleIsDone);
}

/** Of an elastic role those that never found a node do not count, but nobody may be cut off while saving the model. */
function roleIsDone(places: readonly SeenPlace[]): boolean {
  const succeeded = places.filter((place) => place.succeeded).length;
  const [first] = places;
  if (first === undefined || !isElastic(first.of)) return succeeded === places.length;
  return succeeded >= (first.of.minReplicas ?? places.length) && !places.some(({ pod, succeeded: ended }) => !ended && pod !== undefined && isRunning(pod));
}

/** What the built-in trainer said at its end, of whichever replica wrote the model; a role's program says nothing that we understand. */
export function resultOf(places: readonly SeenPlace[]): TrainingResult | undefined {
  for (const { pod, succeeded } of places) {
    const result = succeeded ? parseResult(pod?.status.main?.terminated?.message) : undefined;
    if (result !== undefined) return result;
  }
  return undefined;
}

/** Why a job of the built-in trainer has succeeded and yet nobody knows its model, in sentences; undefined where it is known, or none was to come. */
export function missingResult({ job: { spec }, volume }: Observed, places: readonly SeenPlace[]): string | undefined {
  if (spec.trainer === undefined || volume === undefined || resultOf(places) !== undefined) return undefined;
  const last = places.find(({ pod, succeeded }) => succeeded && pod !== undefined) ?? places[0];
  const why = last?.pod === undefined ? 'it is gone' : resultProblem(last.pod.status.main?.terminated?.message);
  const image = spec.pod?.image === undefined ? '' : ' An image of your own in spec.pod.image must write its result as the trainer image does.';
  return `Pod ${last?.podName ?? ''} ended well, but its result cannot be read: ${sentence(why ?? '')}${image} The model is not known and cannot be served; if it was written, `
    + `it is in folder ${pathOnVolume(volume, volumeLayout.model)} of PersistentVolumeClaim ${volume.claimName}. Make a new TrainingJob to train it again.`;
}
