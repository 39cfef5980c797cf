/** A cluster in miniature for one HyperparamSweep: applies what plans ask for, keeps what happened, and lets a test do harm. */
import { annotations, trialName, type HyperparamSweep, type TrainingJob } from '@anneal/operator/api';
import { assess } from '../../operator/src/controllers/hyperparamsweep/assess.ts';
import { endOf, observe, trialOf } from '../../operator/src/controllers/hyperparamsweep/observe.ts';
import { planSweep } from '../../operator/src/controllers/hyperparamsweep/plan.ts';
import { statusOf } from '../../operator/src/controllers/hyperparamsweep/status.ts';
import { ApiError } from '../../operator/src/kube/errors.ts';
import { controllerOf } from '../../operator/src/kube/resource.ts';
import type { Action, Outcome } from '../../operator/src/runtime/index.ts';
import { failedWith, runningTrial, storesOf, succeededWith, sweep, type SweepOptions } from './builders/sweep.ts';
import { job, now } from './builders/training-job.ts';

const namespace = 'team-a';

type Overrides = HyperparamSweep['spec']['template']['overrides'];

/** What went wrong although no history may make it go wrong. */
export interface Offence {
  readonly what: 'TooManyAtOnce' | 'BeyondThePlan' | 'SecondTime' | 'AfterTheEnd' | 'OtherTemplate';
  readonly trial: number;
}

export class SimulatedSweep {
  object: HyperparamSweep;
  template: TrainingJob | undefined = job();
  readonly jobs = new Map<string, TrainingJob>();
  time = now;
  readonly offences: Offence[] = [];
  /** Numbers of all trials that were created, in order. */
  readonly created: number[] = [];
  /** Requests to create a trial, those that were refused too. */
  requests = 0;
  /** Trials that the API server will not have. */
  refuse: (trial: number) => boolean = () => false;
  readonly #recorded = new Set<number>();
  /** What the first trial was made from, and the first one that used the overrides. */
  #firstTemplate: TrainingJob | undefined;
  #firstOverrides: Overrides | undefined;
  readonly #digests: string[] = [];

  constructor(options: SweepOptions = {}) {
    this.object = sweep(options);
  }

  /** One reconcile. `crashAfter` ends it after so many actions, before the status is written, as a killed operator would. */
  reconcile(crashAfter = Infinity): void {
    const seen = observe({ namespace, name: 'tune' }, storesOf([this.object, ...(this.template === undefined ? [] : [this.template]), ...this.jobs.values()]));
    if (seen === undefined) return;
    const assessment = assess(seen);
    const { actions } = planSweep(seen, assessment);
    const outcome = this.#execute(actions.slice(0, crashAfter));
    if (crashAfter !== Infinity) return;
    this.object = { ...this.object, status: statusOf(seen, assessment, outcome, this.time) };
    for (let trial = 0; trial < (this.object.status?.trials?.outcomes ?? '').length; trial += 1) this.#recorded.add(trial);
  }

  #execute(actions: readonly Action[]): Outcome {
    for (const action of actions) {
      const error = action.kind === 'Create' ? this.#create(action.object as TrainingJob) : undefined;
      if (error !== undefined) return { kind: 'failed', action, error };
    }
    return { kind: 'done', writes: actions.length };
  }

  #create(object: TrainingJob): Error | undefined {
    const { name } = object.metadata;
    const trial = trialOf(name, 'tune') ?? -1;
    this.requests += 1;
    if (this.jobs.has(name)) return new Error(`TrainingJob ${name} is controlled by another object`);
    if (this.refuse(trial)) return new ApiError('POST', 422, { reason: 'Invalid', message: `TrainingJob "${name}" is invalid: spec.x` });
    this.jobs.set(name, { ...object, metadata: { ...object.metadata, uid: `uid-${this.requests}`, generation: 1, creationTimestamp: new Date(this.time).toISOString() } });
    if (endOf(this.object.status) !== undefined) this.offences.push({ what: 'AfterTheEnd', trial });
    if (this.#recorded.has(trial) || this.created.includes(trial)) this.offences.push({ what: 'SecondTime', trial });
    if (this.open().length > this.object.spec.limits.parallelism) this.offences.push({ what: 'TooManyAtOnce', trial });
    if (trial >= (this.object.spec.limits.trials ?? Infinity)) this.offences.push({ what: 'BeyondThePlan', trial });
    this.created.push(trial);
    this.#remember(trial, object.metadata.annotations?.[annotations.template]?.split('/') ?? []);
    return undefined;
  }

  #remember(trial: number, digests: readonly string[]): void {
    for (const [place, digest] of digests.entries()) {
      if (digest !== (this.#digests[place] ??= digest)) this.offences.push({ what: 'OtherTemplate', trial });
    }
    this.#firstTemplate ??= this.template;
    if (digests.length > 1) this.#firstOverrides ??= this.object.spec.template.overrides;
  }

  /** Trials that have not ended. */
  open(): TrainingJob[] {
    return this.#own().filter((one) => endOf(one.status) === undefined);
  }

  #own(): TrainingJob[] {
    return [...this.jobs.values()].filter((one) => controllerOf(one)?.uid === this.object.metadata.uid);
  }

  /** The pods of an open trial begin to run. */
  start(index: number): void {
    this.#change(index, runningTrial);
  }

  succeed(index: number, value: number | undefined): void {
    this.#change(index, { ...succeededWith(value === undefined ? { loss: 1 } : { val_accuracy: value }), completionTime: new Date(this.time).toISOString() });
  }

  fail(index: number): void {
    this.#change(index, failedWith('ApplicationError', 'It broke.'));
  }

  #change(index: number, status: NonNullable<TrainingJob['status']>): void {
    const open = this.open();
    const one = open[index % Math.max(1, open.length)];
    if (one !== undefined) this.jobs.set(one.metadata.name, { ...one, status });
  }

  /** A user deletes a trial that the status knows. */
  delete(index: number): void {
    const known = this.#own().filter((one) => this.#recorded.has(trialOf(one.metadata.name, 'tune') ?? -1));
    const one = known[index % Math.max(1, known.length)];
    if (one !== undefined) this.jobs.delete(one.metadata.name);
  }

  /** Somebody else takes the name of a trial to come. */
  occupy(trial: number): void {
    const name = trialName('tune', trial);
    if (!this.jobs.has(name) && !this.#recorded.has(trial)) this.jobs.set(name, { ...job(), metadata: { ...job().metadata, name, uid: `stranger-${trial}` } });
  }

  vacate(): void {
    for (const [name, one] of this.jobs) if (controllerOf(one) === undefined) this.jobs.delete(name);
  }

  edit(change: { readonly suspend?: boolean; readonly limits?: Partial<HyperparamSweep['spec']['limits']>; readonly overrides?: Overrides }): void {
    const { spec, metadata } = this.object;
    const { suspend = spec.suspend, limits = {}, overrides = spec.template.overrides } = change;
    this.object = {
      ...this.object,
      metadata: { ...metadata, generation: (metadata.generation ?? 0) + 1 },
      spec: { ...spec, suspend, limits: { ...spec.limits, ...limits }, template: { ...spec.template, overrides: { ...overrides } } },
    };
  }

  /** Lets everything that is on its way arrive: obstacles go, trials end well. */
  settle(): void {
    this.vacate();
    this.template = this.#firstTemplate ?? job();
    this.refuse = () => false;
    this.edit({ suspend: false, ...(this.#firstOverrides === undefined ? {} : { overrides: this.#firstOverrides }) });
    for (let round = 0; round < 200 && endOf(this.object.status) === undefined; round += 1) {
      this.reconcile();
      this.time += 10_000;
      while (this.open().length > 0) this.succeed(0, 0.5);
    }
  }
}
