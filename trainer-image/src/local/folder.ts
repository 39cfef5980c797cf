/** The folder of a run: whose it is, and which attempt comes next. */
import { volumeLayout } from '@anneal/operator/api';
import path from 'node:path';
import { namesIn, readIfThere } from '../files.ts';
import { parseClaim } from '../train/fence.ts';
import { invalid } from './flags.ts';

/** The one process is always this place of the job. */
const claimFile = path.join(volumeLayout.attempts, 'trainer-0.json');

/**
 * Training replaces `model` and removes `data` in its folder, so it must be one of ours, or empty.
 * @param shown  the folder as the user names it
 * @returns number of the attempt that begins now; it ends an earlier one that still runs
 * @throws AnnealError `COMMAND_INVALID`
 */
export function nextAttempt(folder: string, shown: string): number {
  const json = readIfThere(path.join(folder, claimFile));
  if (json !== undefined) return (parseClaim(json.toString())?.attempt ?? 0) + 1;
  const [stranger] = filesIn(folder, shown);
  if (stranger !== undefined) throw invalid(`The folder ${shown} holds other files, for example ${stranger}. Write --out with a folder that is empty or not there yet.`);
  return 1;
}

function filesIn(folder: string, shown: string): string[] {
  try {
    return namesIn(folder);
  } catch (error) {
    throw invalid(`The folder ${shown} cannot be used: ${error instanceof Error ? error.message : String(error)}. Write --out with another.`, error);
  }
}
