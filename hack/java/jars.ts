/** Java programs from Maven artifacts, for what Anneal is tested against. Brought once into the user's cache, by a hash of the pins. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { withLock } from '../cluster/lock.ts';
import { cacheDir } from '../cluster/places.ts';
import { say } from '../cluster/progress.ts';
import { keyOf } from '../images/cache.ts';

/** `kafka`: a Kafka broker. It needs Java 17. */
export type JavaProgram = 'kafka';

/** @returns the class path. @throws the words of Maven, where it cannot bring them */
export async function classPath(program: JavaProgram): Promise<string> {
  const pom = join(import.meta.dirname, program, 'pom.xml');
  const cache = join(cacheDir(), 'java');
  const folder = join(cache, `${program}-${keyOf([readFileSync(pom)])}`);
  if (!existsSync(folder)) {
    mkdirSync(cache, { recursive: true });
    await withLock(join(cache, 'lock'), 'another process brings Java programs', async () => {
      if (existsSync(folder)) return;
      requireMaven();
      say(`Bringing the Java program ${program}, to test against (once) ...`);
      const building = `${folder}.building`;
      await rm(building, { recursive: true, force: true });
      await run('mvn', ['--quiet', '--batch-mode', '--file', pom, 'dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${building}`]);
      await rename(building, folder);
    });
  }
  return readdirSync(folder).sort().map((jar) => join(folder, jar)).join(':');
}

function requireMaven(): void {
  for (const [command, argument] of [['java', '-version'], ['mvn', '--version']] as const) {
    try {
      execFileSync(command, [argument], { stdio: 'ignore' });
    } catch (error) {
      throw new Error(`${command} is not on the PATH. Install a Java 17 runtime and Maven, for the Kafka broker that tests read from.`, { cause: error });
    }
  }
}

function run(command: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 2, 'inherit'] });
    child.once('error', reject).once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${command} ended with ${String(code)}.`));
    });
  });
}
