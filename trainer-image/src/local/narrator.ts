/** Tells on standard error how a run goes: a line that changes where a person looks on, lines one after the other where they go to a file. */
import type { ProgressReport } from '@anneal/operator/api';
import type { Fields, Log } from '../log.ts';
import { epochLine, liveLine, watchedMetric } from './progress-line.ts';
import type { Terminal } from './terminal.ts';
import { duration, grouped, rounded } from './text.ts';

export interface Narrator {
  readonly log: Log;
  /** A sentence of its own. */
  tell(sentence: string): void;
  progress(report: ProgressReport): void;
  /** Nothing is shown of the live line afterwards. */
  close(): void;
}

export interface NarratorOptions {
  readonly terminal: Terminal;
  readonly verbose: boolean;
  /** Metric that early stopping watches. */
  readonly watched: string | undefined;
}

const redrawMs = 100;
/** Thousands of short epochs would fill a file. */
const everyEpochUpTo = 50;
const clearLine = '\r\u001b[2K';

export function createNarrator({ terminal, verbose, watched: asked }: NarratorOptions): Narrator {
  const { columns } = terminal;
  const history: number[] = [];
  let [live, drawnAt, toldEpoch, toldAt] = ['', -Infinity, 0, -Infinity];
  const draw = (line: string): void => {
    live = line;
    terminal.tell(`${clearLine}${line}`);
  };
  const tell = (sentence: string): void => terminal.tell(live === '' ? `${sentence}\n` : `${clearLine}${sentence}\n${live}`);

  return {
    tell,
    log: (level, message, fields = {}) => {
      const sentence = verbose ? `${level}: ${message}${fieldsOf(fields)}` : level === 'info' ? sentences[message]?.(fields) : `${level === 'warn' ? 'warning' : level}: ${problems[message]?.(fields) ?? `${message}${fieldsOf(fields)}`}`;
      // The failure itself is told once, at the end, as the outcome.
      if (sentence !== undefined && (verbose || message !== 'Training failed')) tell(sentence);
    },
    progress: (report) => {
      const now = terminal.now();
      // Of a cross-validation, each fold begins with its first epoch again.
      if (report.epoch < toldEpoch) [toldEpoch, history.length] = [0, 0];
      const watched = watchedMetric(report.metrics, asked);
      const isNewEpoch = report.epoch > toldEpoch;
      const value = report.metrics[watched];
      if (isNewEpoch && value !== undefined) history.push(value);
      if (columns === undefined) {
        if (isNewEpoch && (report.epoch <= everyEpochUpTo || report.epoch === report.epochs || now - toldAt >= 1000)) {
          toldAt = now;
          tell(epochLine(report, watched));
        }
      } else if (now - drawnAt >= redrawMs || report.epoch === report.epochs) {
        drawnAt = now;
        draw(liveLine(report, watched, history, columns));
      }
      toldEpoch = Math.max(toldEpoch, report.epoch);
    },
    close: () => {
      if (live !== '') draw('');
      live = '';
    },
  };
}

/** What a person is told of the trainer's log. */
const sentences: Readonly<Record<string, (fields: Fields) => string>> = {
  'Downloading data': ({ bytes, totalBytes }) => `Downloading: ${grouped(Number(bytes))}${typeof totalBytes === 'number' ? ` of ${grouped(totalBytes)}` : ''} bytes`,
  'Data read': ({ files, rows, columns }) => `${String(files)}: ${grouped(Number(rows))} rows of ${grouped(Number(columns))} columns.`,
  'Data prepared': ({ task, features, train, validation, test }) => `${String(task)}: ${grouped(Number(train))} rows train, ${grouped(Number(validation))} validate, ${grouped(Number(test))} test; ${grouped(Number(features))} numbers a row.`,
  'Fold ended': ({ fold, of, ...metrics }) => `Fold ${String(fold)} of ${String(of)}: ${Object.entries(metrics).map(([name, value]) => `${name} ${rounded(Number(value))}`).join(', ')}.`,
  'Going on from a checkpoint': ({ epoch, step }) => `Going on after epoch ${String(epoch)}, step ${String(step)}.`,
};

const problems: Readonly<Record<string, (fields: Fields) => string>> = {
  'Data is not as expected': ({ found }) => String(found),
  'Passed over a checkpoint': ({ checkpoint, why }) => `The checkpoint ${String(checkpoint)} is not gone on from, since ${String(why)}.`,
  'Training thread did not stop in time and was ended': ({ graceMs }) => `The step at hand took longer than ${duration(Number(graceMs) / 1000)}; training was ended without a checkpoint of it.`,
};

function fieldsOf(fields: Fields): string {
  const shown = Object.entries(fields).filter(([, value]) => value !== undefined).map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return shown.length === 0 ? '' : ` ${shown.join(' ')}`;
}
