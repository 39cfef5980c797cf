/** `mlPolicy` and `podGroupPolicy` of a training runtime. */
import type { DraftScheduling, DraftSpec } from './draft.ts';
import type { Reader } from './reader.ts';

export interface MlPolicy {
  readonly framework: NonNullable<DraftSpec['framework']>;
  readonly nodes: number;
  readonly processesPerPod: number | undefined;
  readonly launcherAsWorker: boolean;
  readonly mpi: DraftSpec['mpi'];
}

const nodes = { min: 0, max: 1000 };
const processes = { min: 1, max: 256 };
const tiers = { min: 0, max: 1000 };
const gangTimeout = { min: 0, max: 86_400 };
/** kubeflow/trainer's default. */
const coschedulingSeconds = 60;

/** @param trainer  of the TrainJob, whose numbers count before the runtime's */
export function readMlPolicy(policy: Reader | undefined, trainer: Reader | undefined): MlPolicy {
  const common = {
    nodes: preferred(trainer, policy, 'numNodes', nodes) ?? 1,
    launcherAsWorker: false,
    mpi: undefined,
  };
  const [torch, mpi, flux, jax, xgboost] = ['torch', 'mpi', 'flux', 'jax', 'xgboost'].map((name) => policy?.at(name));
  if (mpi !== undefined) return readMpi(mpi, trainer, common);
  const processesPerPod = trainer?.whole('numProcPerNode', processes);
  if (torch !== undefined) {
    torch.entries();
    torch.loseField('envInjection', 'Anneal gives its variables to the first container of a pod only.', 'Take them from a file that the first container writes, or make the program part of it.');
    return { ...common, framework: 'PyTorch', processesPerPod };
  }
  if (flux !== undefined) {
    flux.lose('Anneal has no wiring for Flux; the pods start without it.', 'Use framework MPI, or start Flux in the command from ANNEAL_HOSTS.');
    return custom(trainer, common);
  }
  jax?.entries();
  xgboost?.entries();
  if (jax !== undefined) return { ...common, framework: 'JAX', processesPerPod };
  return xgboost === undefined ? custom(trainer, common) : { ...common, framework: 'XGBoost', processesPerPod };
}

function custom(trainer: Reader | undefined, common: Omit<MlPolicy, 'framework' | 'processesPerPod'>): MlPolicy {
  trainer?.loseField('numProcPerNode', 'The program of a Custom job starts its processes itself.', 'Start them in the command.');
  return { ...common, framework: 'Custom', processesPerPod: undefined };
}

function readMpi(mpi: Reader, trainer: Reader | undefined, common: Omit<MlPolicy, 'framework' | 'processesPerPod'>): MlPolicy {
  const asked = trainer?.whole('numProcPerNode', processes);
  const byDefault = mpi.whole('numProcPerNode', processes);
  mpi.choice('mpiImplementation', ['OpenMPI']);
  const sshAuthMountPath = mpi.text('sshAuthMountPath');
  const launcherAsWorker = mpi.flag('runLauncherAsNode') === true;
  return {
    ...common,
    framework: 'MPI',
    launcherAsWorker,
    // One process means one for each GPU, as it does where a TrainingJob leaves the number out.
    processesPerPod: asked ?? (byDefault === 1 ? undefined : byDefault),
    mpi: {
      implementation: 'OpenMPI',
      ...(sshAuthMountPath === undefined ? {} : { sshAuthMountPath }),
      ...(launcherAsWorker ? { launcherAsWorker: 'Enabled' } : {}),
    },
  };
}

function preferred(trainer: Reader | undefined, policy: Reader | undefined, name: string, range: { readonly min: number; readonly max: number }): number | undefined {
  const byDefault = policy?.whole(name, range);
  return trainer?.whole(name, range) ?? byDefault;
}

export function readPodGroupPolicy(policy: Reader | undefined): DraftScheduling {
  const coscheduling = policy?.at('coscheduling');
  const volcano = policy?.at('volcano');
  if (coscheduling !== undefined) {
    const seconds = coscheduling.whole('scheduleTimeoutSeconds', gangTimeout);
    return { gang: true, scheduler: 'Coscheduling', gangTimeoutSeconds: seconds === undefined || seconds === 0 ? coschedulingSeconds : seconds };
  }
  return volcano === undefined ? {} : { gang: true, scheduler: 'Volcano', ...networkTopology(volcano) };
}

/** A topology key without a slash is a tier of HyperNodes here. */
function networkTopology(volcano: Reader): DraftScheduling {
  const asked = volcano.at('networkTopology');
  const tier = asked?.whole('highestTierAllowed', tiers) ?? asked?.text('highestTierName');
  if (asked === undefined || tier === undefined) return {};
  return { topology: { key: String(tier), mode: asked.choice('mode', ['hard', 'soft']) === 'soft' ? 'Preferred' : 'Required' } };
}
