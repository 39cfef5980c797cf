/** The variables that the operator would set, for a run in a folder. */
import { trainerEnv } from '@anneal/operator/api';
import type { LocalJob } from './manifest.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface Place {
  readonly folder: string;
  readonly attempt: number;
  /** Folder of a `configmap://` or `pvc://` source. */
  readonly sourceFolder: string | undefined;
  /** Folder of the claim that `model.from` names. */
  readonly modelFolder: string | undefined;
  /** File with the key for pseudonyms. */
  readonly pseudonymKey: string | undefined;
}

/** What stands in the environment stays, for the credentials of a bucket, but for variables that are the operator's own. */
export function environmentOf({ spec, checkpoint }: LocalJob, { folder, attempt, sourceFolder, modelFolder, pseudonymKey }: Place, environment: Environment): Environment {
  const inherited = Object.entries(environment).filter(([name]) => !Object.values<string>(trainerEnv).includes(name));
  return {
    ...Object.fromEntries(inherited),
    [trainerEnv.spec]: JSON.stringify(spec),
    [trainerEnv.volume]: folder,
    [trainerEnv.attempt]: String(attempt),
    [trainerEnv.checkpointIntervalSeconds]: String(checkpoint.intervalSeconds),
    [trainerEnv.checkpointKeep]: String(checkpoint.keep),
    ...(sourceFolder === undefined ? {} : { [trainerEnv.sourceDirectory]: sourceFolder }),
    ...(modelFolder === undefined ? {} : { [trainerEnv.modelDirectory]: modelFolder }),
    ...(pseudonymKey === undefined ? {} : { [trainerEnv.pseudonymKey]: pseudonymKey }),
  };
}
