/** What `serve` can be told. */
import { invalid, valuesOf } from '../local/flags.ts';
import type { ServeOptions } from './server.ts';

/** @returns undefined where help is asked for. @throws AnnealError `COMMAND_INVALID` */
export function parseServeFlags(args: readonly string[]): Omit<ServeOptions, 'threads' | 'log'> | undefined {
  const { 'model-dir': modelDirectory, name, 'pseudonym-key': pseudonymKey, port, 'max-body-bytes': maxBodyBytes, 'drain-seconds': drainSeconds, help = false } = valuesOf(args, options, '--help');
  if (help) return undefined;
  if (modelDirectory === undefined || name === undefined) throw invalid('serve needs --model-dir and --name. See --help.');
  return {
    modelDirectory, name,
    ...(pseudonymKey === undefined ? {} : { pseudonymKey }),
    port: wholeNumber('--port', port, 0, 65_535),
    maxBodyBytes: wholeNumber('--max-body-bytes', maxBodyBytes, 1, 1024 ** 3),
    drainMs: wholeNumber('--drain-seconds', drainSeconds, 0, 3600) * 1000,
  };
}

const options = {
  'model-dir': { type: 'string' }, name: { type: 'string' }, 'pseudonym-key': { type: 'string' }, port: { type: 'string', default: '8080' },
  'max-body-bytes': { type: 'string', default: String(16 * 1024 * 1024) }, 'drain-seconds': { type: 'string', default: '5' }, help: { type: 'boolean', short: 'h' },
} as const;

function wholeNumber(flag: string, text: string, least: number, most: number): number {
  if (/^\d+$/.test(text) && Number(text) >= least && Number(text) <= most) return Number(text);
  throw invalid(`${flag} is "${text}". Write a whole number from ${least} to ${most}.`);
}
