import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { exists } from './commands.ts';
import { say } from './progress.ts';

/**
 * Runs the work while no other process holds the lock file.
 * The lock is flock's, held by a child that ends with our end of its pipe: a crash frees it, so there are no stale locks to judge.
 */
export async function withLock<T>(file: string, busy: string, work: () => Promise<T>): Promise<T> {
  if (!(await exists('flock'))) return work();
  const holder = spawn('flock', ['--exclusive', file, '-c', 'echo held; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(holder, 'close');
  const notice = setTimeout(() => say(`Waiting: ${busy} ...`), 2000);
  try {
    await Promise.race([once(holder.stdout, 'data'), ended.then(() => Promise.reject(new Error(`flock could not lock ${file}`)))]);
    clearTimeout(notice);
    return await work();
  } finally {
    clearTimeout(notice);
    holder.stdin.end();
    await ended;
  }
}
