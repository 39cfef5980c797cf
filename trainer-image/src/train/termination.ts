/** The container's last words, which the kubelet puts into the pod's status. */
import { writeFileSync } from 'node:fs';
import type { TrainingFailure, TrainingResult } from '@anneal/operator/api';
import type { Log } from '../log.ts';

/** Kubernetes cuts at 4,096 bytes, which would leave JSON that nobody can read. */
const maxBytes = 4096;

export function terminationMessage(words: TrainingResult | TrainingFailure): string {
  const whole = JSON.stringify(words);
  if (Buffer.byteLength(whole) <= maxBytes) return whole;
  if (!('error' in words)) return JSON.stringify({ ...words, metrics: {} });
  const { code, message } = words.error;
  // Six bytes is the most that JSON makes of one code unit.
  return JSON.stringify({ error: { code, message: `${message.slice(0, Math.floor((maxBytes - 200) / 6))}…` } });
}

/** A message that cannot be written must not turn a good run into a bad one. */
export function writeTermination(file: string, words: TrainingResult | TrainingFailure, log: Log): void {
  try {
    writeFileSync(file, terminationMessage(words));
  } catch (error) {
    log('warn', 'Termination message could not be written', { file, error: String(error) });
  }
}
