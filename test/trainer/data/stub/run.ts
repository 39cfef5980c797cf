/** A run in a process of its own: reads what to train from its arguments, and prints what came of it and the most memory that the process ever had. */
import { readFileSync } from 'node:fs';
import type { TrainerSpec } from '@anneal/operator/api';
import { succeeded, train } from '../../support.ts';

const { spec, volume, memoryBytes } = JSON.parse(process.argv[2] ?? '{}') as { readonly spec: TrainerSpec; readonly volume: string; readonly memoryBytes: number };
const { model, metrics } = succeeded(await train(spec, volume, { memoryBytes }));
const peakKiB = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? NaN);
process.stdout.write(JSON.stringify({ model, metrics, peakBytes: peakKiB * 1024 }));
