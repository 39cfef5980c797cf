/** PyTorchJob of kubeflow.org/v1. */
import type { DraftRole, DraftSpec } from './draft.ts';
import { rolesOf, successOfMaster, type KubeflowForm, type Own } from './kubeflow-job.ts';
import type { Reader } from './reader.ts';
import type { ReplicaSpec } from './replica-specs.ts';

export const pytorchJob: KubeflowForm = {
  kind: 'PyTorchJob',
  field: 'pytorchReplicaSpecs',
  framework: 'PyTorch',
  restartPolicy: 'OnFailure',
  trainers: ['pytorch'],
  roles: [
    { type: 'Master', name: 'master', single: true },
    { type: 'Worker', name: 'worker' },
  ],
  own: readOwn,
};

const processes = { min: 1, max: 256 };
const replicasRange = { min: 1, max: 1000 };
const mostSettings = 16;

function readOwn(spec: Reader, replicas: readonly ReplicaSpec[]): Own {
  const elastic = spec.at('elasticPolicy');
  const perNode = readProcesses(spec);
  const old = elastic?.whole('nProcPerNode', processes);
  if (perNode !== undefined && old !== undefined && perNode !== old) elastic?.loseField('nProcPerNode', 'That of spec says something else and counts.', 'Keep the one that is right.');
  const processesPerPod = perNode ?? old;
  const roles = rolesOf(replicas).map((role) => (processesPerPod === undefined ? role : { ...role, processesPerPod }));
  if (elastic === undefined) return { roles, spec: successOfMaster(replicas) };
  return { roles: withBounds(roles, elastic), spec: { ...readRendezvous(elastic), ...successOfMaster(replicas) } };
}

/** A number, or a word of torchrun's: auto and gpu mean as many as there are accelerators, which is what leaving it out means. */
function readProcesses(spec: Reader): number | undefined {
  const field = spec.at('nprocPerNode');
  if (field === undefined) return undefined;
  const value = String(field.scalar());
  if (/^\d+$/.test(value) && Number(value) >= processes.min && Number(value) <= processes.max) return Number(value);
  if (value === 'auto' || value === 'gpu') {
    field.remark('Left out: one process for each accelerator; where a pod has none, one, while torchrun takes one for each core.', 'Set processesPerPod in the roles.');
    return undefined;
  }
  if (value !== 'cpu') field.fail(`is "${value}"; write auto, cpu, gpu or a number of processes from ${processes.min} to ${processes.max}.`);
  field.lose('A role has a number of processes, and the cores of a node are not known here.', 'Set processesPerPod in the roles.');
  return undefined;
}

function withBounds(roles: readonly DraftRole[], elastic: Reader): readonly DraftRole[] {
  const min = elastic.whole('minReplicas', replicasRange);
  const max = elastic.whole('maxReplicas', replicasRange);
  const [only] = roles;
  if (roles.length > 1 || only?.name !== 'worker') {
    for (const field of ['minReplicas', 'maxReplicas']) elastic.loseField(field, 'An elastic TrainingJob has workers only, and this one has a master.', 'Leave the master out; torchrun\'s workers choose rank 0 themselves.');
    return roles;
  }
  const replicas = only.replicas ?? 1;
  const bounds = { minReplicas: min ?? max ?? replicas, maxReplicas: max ?? min ?? replicas };
  if (bounds.minReplicas > bounds.maxReplicas) elastic.fail('has minReplicas above maxReplicas; swap them.');
  const within = Math.min(Math.max(replicas, bounds.minReplicas), bounds.maxReplicas);
  if (within !== replicas) elastic.remark(`The ${replicas} replicas of the worker lie outside of the bounds; the job begins with ${within}.`, 'Set replicas between minReplicas and maxReplicas.');
  return [{ ...only, replicas: within, ...bounds }];
}

const oursAlone: Readonly<Record<string, string>> = {
  rdzvPort: 'Anneal chooses the port, or takes that of the container port named pytorchjob-port.',
  rdzvHost: 'The first worker holds the rendezvous.',
  rdzvId: 'Anneal gives each job an id of its own.',
};

function readRendezvous(elastic: Reader): Pick<DraftSpec, 'pytorch'> {
  const backend = elastic.choice('rdzvBackend', ['c10d', 'etcd', 'etcd-v2']);
  if (backend !== undefined && backend !== 'c10d') elastic.loseField('rdzvBackend', 'Anneal\'s rendezvous is c10d, which needs no etcd.', 'Leave --rdzv_backend out of the command too.');
  for (const [field, why] of Object.entries(oursAlone)) elastic.loseField(field, why, 'Leave it out of the command too.');
  if (elastic.flag('standalone') === true) elastic.loseField('standalone', 'The rendezvous of a job is that of all its pods.', 'For a single pod write torchrun --standalone in the command.');
  elastic.loseField('metrics', 'Anneal does not scale a training job by metrics.', 'Change replicas of the role between minReplicas and maxReplicas while the job runs.');
  const maxRestarts = elastic.whole('maxRestarts', { min: 0, max: 1000 });
  const rendezvousConfig = readSettings(elastic.at('rdzvConf'));
  if (maxRestarts === undefined && rendezvousConfig.length === 0) return {};
  return { pytorch: { ...(rendezvousConfig.length === 0 ? {} : { rendezvousConfig }), ...(maxRestarts === undefined ? {} : { maxRestarts }) } };
}

/** Of two settings of one key torchrun takes the last. */
function readSettings(list: Reader | undefined): readonly { readonly key: string; readonly value: string }[] {
  const settings = list?.items().map((item) => ({ item, key: item.need('key', 'last_call_timeout').scalar(), value: item.at('value')?.scalar() ?? '' })) ?? [];
  if (settings.length > mostSettings) list?.fail(`has ${settings.length} settings; a TrainingJob takes ${mostSettings}.`);
  return settings.flatMap(({ item, key, value }, position) => {
    if (settings.findLastIndex((other) => other.key === key) !== position) {
      item.lose(`A later setting of ${key} counts.`, 'Keep one.');
      return [];
    }
    if (!/^[^=,]{1,63}$/.test(String(key)) || !/^[^=,]{0,253}$/.test(String(value))) item.fail('may hold neither "=" nor ","; torchrun reads KEY=VALUE,KEY=VALUE.');
    return [{ key: String(key), value: String(value) }];
  });
}
