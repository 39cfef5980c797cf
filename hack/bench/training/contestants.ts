import path from 'node:path';
import { pythonWith } from '../../python/venv.ts';
import type { ContestantSpec } from './contestant.ts';

const beside = (file: string): string => path.join(import.meta.dirname, file);
const node = (file: string) => (): Promise<readonly [string, ...string[]]> => Promise.resolve([process.execPath, beside(file)]);
const keras = async (): Promise<readonly [string, ...string[]]> => [await pythonWith('keras'), beside('keras-rounds.py')];

/** As the trainer sets it for itself. */
const oneDnn = { TF_ENABLE_ONEDNN_OPTS: '1' };

export const contestants: readonly ContestantSpec[] = [
  { name: 'anneal', title: 'Anneal trainer', environment: oneDnn, command: node('anneal-rounds.ts') },
  { name: 'keras', title: 'Keras, oneDNN on', environment: oneDnn, command: keras },
  { name: 'kerasAsInstalled', title: 'Keras, as installed', environment: {}, command: keras },
  { name: 'tfjs', title: 'TensorFlow.js fit', environment: oneDnn, command: node('tfjs-rounds.ts') },
];
