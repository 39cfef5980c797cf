/** `anneal-train` as a person starts it, in a folder of its own. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import type { ChildProcess } from 'node:child_process';
import { root } from '../support.ts';

export const launcher = path.join(root, 'trainer-image/bin/anneal-train.cjs');

export interface Command {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly exit: Promise<number | null>;
}

export interface CommandOptions {
  readonly directory: string;
  readonly input?: string;
  readonly environment?: NodeJS.ProcessEnv;
  readonly program?: string;
}

export function annealTrain(args: readonly string[], { directory, input = '', environment = {}, program = launcher }: CommandOptions): Command {
  const child = spawn(process.execPath, [program, ...args], { cwd: directory, env: { ...process.env, TF_NUM_INTRAOP_THREADS: '1', ...environment }, stdio: 'pipe' });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.end(input);
  const exit = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', (code) => resolve(code));
  });
  return { child, stdout: () => stdout, stderr: () => stderr, exit };
}

/** Runs to its end. */
export async function ended(args: readonly string[], options: CommandOptions): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const command = annealTrain(args, options);
  const code = await command.exit;
  return { code, stdout: command.stdout(), stderr: command.stderr() };
}

/** A small job on data that a file beside it holds. */
export function jobYaml(uri: string, { name = 'blobs', fit = '{epochs: 3, batchSize: 16}', spec = '' }: { readonly name?: string; readonly fit?: string; readonly spec?: string } = {}): string {
  return `apiVersion: anneal.dev/v1alpha1
kind: TrainingJob
metadata: {name: ${name}}
spec:
  trainer:
    data: {source: {uri: "${uri}"}, target: colour}
    model: {preset: MLP, units: [8]}
    fit: ${fit}
${spec}`;
}
