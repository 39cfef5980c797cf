/** Trains in this process tree what a pod would train: the same attempt, supervisor and worker, with a plain folder for the volume. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { trainerExit, volumeLayout } from '@anneal/operator/api';
import type { ProgressReport } from '@anneal/operator/api';
import type { Preprocessing } from '../data/prepare.ts';
import { AnnealError } from '../errors.ts';
import { readIfThere, sha256, writeFile } from '../files.ts';
import type { Manifest } from '../model/directory.ts';
import { beginAttempt } from '../train/attempt.ts';
import type { Metrics } from '../train/metrics.ts';
import type { TrainingOutcome } from '../train/order.ts';
import { version } from '../version.ts';
import { environmentOf } from './environment.ts';
import type { Place } from './environment.ts';
import { exampleRequest } from './example.ts';
import type { Flags } from './flags.ts';
import { nextAttempt } from './folder.ts';
import type { LocalJob } from './manifest.ts';
import { createNarrator } from './narrator.ts';
import type { Narrator } from './narrator.ts';
import { askCommand, serveCommand, shownFolder, summary } from './summary.ts';
import type { Finished, PartDetails } from './summary.ts';
import type { Terminal } from './terminal.ts';
import { duration } from './text.ts';

export interface LocalRun {
  readonly job: LocalJob;
  readonly flags: Flags;
  readonly terminal: Terminal;
  readonly places: Omit<Place, 'folder' | 'attempt'>;
  /** The command that goes on with this run. */
  readonly command: string;
  /** As of `AttemptOptions`. */
  readonly tune: (preferred: number | undefined) => number;
  readonly memoryBytes: number;
}

/** Nobody kills the process while it writes its last checkpoint, but who presses Ctrl-C again. */
const graceMs = 10 * 60_000;

/** @returns the exit code. @throws AnnealError `COMMAND_INVALID` before anything has begun */
export async function trainHere(run: LocalRun): Promise<number> {
  const { job, flags, terminal } = run;
  const folder = path.resolve(terminal.directory, flags.out ?? job.name);
  const attempt = nextAttempt(folder, shownFolder(folder, terminal.directory));
  const digestBefore = digestIn(folder);
  const narrator = createNarrator({ terminal, verbose: flags.verbose, watched: job.spec.fit.earlyStopping?.metric });
  const begun = terminal.now();
  let last: ProgressReport | undefined;
  const training = beginAttempt({
    environment: environmentOf(job, { ...run.places, folder, attempt }, terminal.environment),
    log: narrator.log,
    graceMs,
    tune: run.tune,
    memoryBytes: run.memoryBytes,
    push: (report) => {
      last = report;
      narrator.progress(report);
    },
  });
  terminal.onInterrupt(() => {
    narrator.tell('Stopping: a checkpoint is being written. Press Ctrl-C again to end without one.');
    training.stop();
  });
  const outcome = await training.ended;
  narrator.close();
  const wasThere = last === undefined && digestBefore !== undefined && digestBefore === digestIn(folder);
  return report(run, outcome, { folder, attempt, wasThere, seconds: (terminal.now() - begun) / 1000 }, narrator);
}

interface Circumstances {
  readonly folder: string;
  readonly attempt: number;
  /** Whether the model was finished before. */
  readonly wasThere: boolean;
  readonly seconds: number;
}

async function report(run: LocalRun, outcome: TrainingOutcome, circumstances: Circumstances, narrator: Narrator): Promise<number> {
  const { terminal, command, flags } = run;
  switch (outcome.kind) {
    case 'Succeeded':
      await succeeded(run, circumstances);
      return trainerExit.ok;
    case 'Stopped': {
      const { checkpoint } = outcome;
      narrator.tell(checkpoint === undefined ? 'Stopped before anything was learnt.' : `Stopped after epoch ${checkpoint.epoch}, step ${checkpoint.step}; the checkpoint is ${path.join(shownFolder(circumstances.folder, terminal.directory), checkpoint.path ?? '')}.`);
      narrator.tell(`Go on with: ${command}`);
      if (flags.json) terminal.print(`${JSON.stringify({ outcome: 'Stopped', ...(checkpoint === undefined ? {} : { checkpoint }), command })}\n`);
      return trainerExit.terminated;
    }
    case 'Failed': {
      const { code, at, message } = outcome.failure.error;
      throw new AnnealError(code as AnnealError['code'], { message, ...(at === undefined ? {} : { at }) });
    }
  }
}

async function succeeded({ job, flags, terminal }: LocalRun, { folder, attempt, wasThere, seconds }: Circumstances): Promise<void> {
  const finished = await finishedIn(folder, job.name, terminal.directory);
  const document = {
    outcome: 'Succeeded',
    name: job.name,
    alreadyThere: wasThere,
    task: finished.manifest.task,
    epochs: finished.epochs,
    metrics: finished.manifest.metrics,
    model: { path: finished.modelFolder, ...finished.model },
    seconds,
    attempt,
    // Of the whole process tree: the training thread is one of this process.
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    versions: { trainer: version, node: process.versions.node },
    serve: serveCommand(finished),
    ask: askCommand(finished),
  };
  if (!wasThere) writeFile(path.join(folder, volumeLayout.reports), reportFile, `${JSON.stringify({ ...document, spec: job.spec }, undefined, 1)}\n`);
  if (flags.json) {
    terminal.print(`${JSON.stringify(document)}\n`);
    return;
  }
  const opening = wasThere ? 'The model of this spec and these data is already there; nothing was trained.' : `Trained ${job.name} in ${duration(seconds)}.`;
  terminal.print(`${opening}\n\n${summary(finished)}\n`);
}

/** Beside the report of the data. */
const reportFile = 'run.json';

const digestIn = (folder: string): string | undefined => {
  const json = readIfThere(path.join(folder, volumeLayout.model, 'manifest.json'));
  return json === undefined ? undefined : `sha256:${sha256(json)}`;
};

/** What a person may want to read. */
const pages = [path.join(volumeLayout.reports, 'data-report.html'), path.join(volumeLayout.model, 'evaluation.html')];

async function finishedIn(folder: string, name: string, directory: string): Promise<Finished> {
  const modelFolder = shownFolder(path.join(folder, volumeLayout.model), directory);
  const read = (file: string): unknown => JSON.parse(readFileSync(path.join(folder, volumeLayout.model, file), 'utf8'));
  const manifest = read('manifest.json') as Manifest;
  const { epoch, validation, test } = read('metrics.json') as { readonly epoch: number; readonly metrics: Metrics; readonly validation: PartDetails; readonly test: PartDetails };
  const sizeBytes = manifest.files.reduce((sum, file) => sum + file.sizeBytes, 0);
  return {
    name, manifest, epoch, validation, test, modelFolder,
    epochs: manifest.epochs,
    model: { digest: digestIn(folder) ?? '', sizeBytes },
    pages: pages.map((page) => path.join(folder, page)).filter(existsSync).map((page) => shownFolder(page, directory)),
    example: await exampleRequest(manifest, read('preprocessing.json') as Preprocessing),
  };
}
