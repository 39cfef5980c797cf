/**
 * A cluster in miniature for ModelDeployments: an API server with fields of several managers where that matters, a
 * garbage collector, and a Deployment controller that a test drives.
 */
import type { HyperparamSweep, ModelDeployment, ModelDeploymentSpec, TrainingJob } from '@anneal/operator/api';
import { managedBy, labels } from '@anneal/operator/api';
import { assess, type Assessment } from '../../operator/src/controllers/modeldeployment/assess.ts';
import { observe, revisionNameOf, watches, type DeploymentStatus, type Observed } from '../../operator/src/controllers/modeldeployment/observe.ts';
import { planDeployment } from '../../operator/src/controllers/modeldeployment/plan.ts';
import { statusOf } from '../../operator/src/controllers/modeldeployment/status.ts';
import type { Deployment } from '../../operator/src/controllers/shared/watched.ts';
import { isAutoscaled } from '../../operator/src/domain/serving.ts';
import { controllerOf, keyOf, type KubeObject, type OwnerReference } from '../../operator/src/kube/resource.ts';
import type { Action, Outcome, Plan } from '../../operator/src/runtime/index.ts';
import { modelDeployment, servingSettings } from './builders/model-deployment.ts';
import { now } from './builders/training-job.ts';
import { MemoryStores } from './memory-stores.ts';

export interface RawDeployment extends Deployment {
  readonly spec: Deployment['spec'] & { readonly paused?: boolean; readonly template?: KubeObject & { readonly spec: { readonly volumes?: readonly Volume[] } } };
}
interface Volume {
  readonly persistentVolumeClaim?: { readonly claimName: string };
}

export interface Pass {
  readonly seen: Observed;
  readonly assessment: Assessment;
  readonly plan: Plan;
  readonly outcome: Outcome;
  readonly status: DeploymentStatus;
}

export class SimulatedServing {
  readonly memory = new MemoryStores(watches);
  readonly key = { namespace: 'team-a', name: 'served' };
  /** Everything that exists, by kind and name; the API server's side of the caches. */
  readonly objects = new Map<string, KubeObject>();
  readonly deleted: string[] = [];
  /** Actions that sent a request, in order. */
  readonly writes: Action[] = [];
  readonly #applied = new Map<string, string>();
  /** Who has set the Deployment's number of replicas: our create, our apply, the autoscaler. */
  #replicasOwners = new Set<'create' | 'apply' | 'scale'>();
  time = now;

  constructor(spec: Partial<ModelDeploymentSpec> = {}) {
    this.put(modelDeployment(spec));
  }

  get object(): ModelDeployment {
    return (this.get('ModelDeployment') as ModelDeployment | undefined) ?? modelDeployment();
  }

  get deployment(): RawDeployment | undefined {
    return this.get('Deployment') as RawDeployment | undefined;
  }

  get(kind: string, name = this.key.name): KubeObject | undefined {
    return this.objects.get(`${kind}/${name}`);
  }

  put(object: KubeObject): void {
    this.objects.set(`${object.kind}/${object.metadata.name}`, object);
    this.memory.put(object);
  }

  /** Takes an object away, and with it what it alone owned. */
  remove(kind: string, name = this.key.name): void {
    const gone = this.objects.get(`${kind}/${name}`);
    if (gone === undefined) return;
    this.objects.delete(`${kind}/${name}`);
    this.memory.remove(kind, keyOf(gone));
    this.deleted.push(`${kind}/${name}`);
    this.#applied.delete(`${kind}/${name}`);
    for (const object of [...this.objects.values()]) this.#dropOwner(object, gone.metadata.uid);
  }

  #dropOwner(object: KubeObject, uid: string | undefined): void {
    const owners = object.metadata.ownerReferences ?? [];
    const left = owners.filter((owner) => owner.uid !== uid);
    if (left.length === owners.length) return;
    if (left.length === 0) this.remove(object.kind, object.metadata.name);
    else this.put({ ...object, metadata: { ...object.metadata, ownerReferences: left } });
  }

  /** A source, with the claim that a job of that run would have made. */
  source(source: TrainingJob | HyperparamSweep): void {
    this.put(source);
    const model = source.kind === 'TrainingJob' ? source.status?.model : source.status?.best?.model;
    if (model !== undefined && this.get('PersistentVolumeClaim', model.claimName) === undefined) this.put(claim(model.claimName, source));
  }

  edit(spec: Partial<ModelDeploymentSpec>): void {
    const { metadata, spec: before } = this.object;
    this.put({ ...this.object, metadata: { ...metadata, generation: (metadata.generation ?? 0) + 1 }, spec: { ...before, ...spec } } as ModelDeployment);
  }

  /** One reconcile. `crashAfter` ends it after so many actions, before the status is written, as a killed operator would. */
  reconcile(crashAfter?: number): Pass {
    const seen = observe(this.key, this.memory.stores);
    if (seen === undefined) throw new Error('The ModelDeployment is not there.');
    const assessment = assess(seen, servingSettings);
    const plan = planDeployment(seen, assessment);
    const outcome = this.#execute(plan.actions.slice(0, crashAfter));
    const status = statusOf(seen, assessment, outcome, this.time);
    if (crashAfter === undefined) this.put({ ...this.object, status } as ModelDeployment);
    return { seen, assessment, plan, outcome, status };
  }

  #execute(actions: readonly Action[]): Outcome {
    let writes = 0;
    for (const action of actions) {
      const error = this.#perform(action);
      if (error !== undefined) return { kind: 'failed', action, error };
      writes += 1;
    }
    return { kind: 'done', writes };
  }

  #perform(action: Action): Error | undefined {
    switch (action.kind) {
      case 'Create': {
        const { kind, metadata } = action.object;
        const existing = this.get(kind, metadata.name);
        if (existing !== undefined) {
          const ours = controllerOf(existing)?.uid === controllerOf(action.object)?.uid;
          return ours ? undefined : Object.assign(new Error(`${kind} ${metadata.name} exists and is controlled by nobody.`), { code: 'CHILD_NOT_OURS' });
        }
        this.writes.push(action);
        this.put(withUid(action.object));
        if (kind === 'Deployment') this.#replicasOwners = new Set(['create']);
        return undefined;
      }
      case 'Apply':
        this.#applyObject(action);
        return undefined;
      case 'Delete':
        this.writes.push(action);
        if (this.get(action.target.type.kind, action.target.name)?.metadata.uid === action.target.uid) this.remove(action.target.type.kind, action.target.name);
        return undefined;
      default:
        return undefined;
    }
  }

  #applyObject(action: Extract<Action, { kind: 'Apply' }>): void {
    const { kind, metadata } = action.object;
    const id = `${kind}/${metadata.name}`;
    const hash = JSON.stringify(action.object);
    if (this.#applied.get(id) === hash) return;
    this.#applied.set(id, hash);
    this.writes.push(action);
    const existing = this.objects.get(id);
    if (kind === 'PersistentVolumeClaim') {
      if (existing !== undefined) this.put({ ...existing, metadata: { ...existing.metadata, ownerReferences: mergedHolders(existing, action.object) } });
      return;
    }
    const applied = action.object as RawDeployment;
    const generation = (existing?.metadata.generation ?? 0) + 1;
    const next = withUid({ ...applied, metadata: { ...applied.metadata, uid: existing?.metadata.uid ?? `uid-of-${id}`, generation } });
    if (kind !== 'Deployment') {
      this.put(next);
      return;
    }
    const before = existing as RawDeployment | undefined;
    // Server-side apply: a field that its last owner leaves out is gone, and comes back as the default.
    const owners = this.#replicasOwners;
    if (applied.spec.replicas === undefined) owners.delete('apply');
    else if (applied.spec.replicas === before?.spec.replicas) owners.add('apply');
    else this.#replicasOwners = new Set(['apply']);
    const replicas = applied.spec.replicas ?? (this.#replicasOwners.size > 0 ? before?.spec.replicas : undefined) ?? 1;
    this.put({ ...next, spec: { ...applied.spec, replicas }, ...(before?.status === undefined ? {} : { status: before.status }) } as RawDeployment);
  }

  /** The Deployment controller's side: `updated` replicas have the newest template and `ready` of all answer. */
  setDeployment(status: Partial<NonNullable<Deployment['status']>>): void {
    const { deployment } = this;
    if (deployment === undefined) return;
    this.put({ ...deployment, status: { ...deployment.status, observedGeneration: deployment.metadata.generation ?? 0, ...status } } as RawDeployment);
  }

  /** The rollout is over, and every replica serves. */
  finishRollout(): void {
    const { deployment } = this;
    if (deployment === undefined || deployment.spec.paused === true) return;
    const count = deployment.spec.replicas ?? 1;
    this.setDeployment({ replicas: count, updatedReplicas: count, readyReplicas: count, availableReplicas: count, conditions: [{ type: 'Progressing', status: 'True' }] });
  }

  /** The autoscaler's side; without one nothing happens. */
  autoscale(replicas: number): void {
    if (this.get('HorizontalPodAutoscaler') !== undefined) this.scale(replicas);
  }

  /** As `kubectl scale` does, and an autoscaler. */
  scale(replicas: number): void {
    const { deployment } = this;
    if (deployment === undefined || deployment.spec.replicas === replicas) return;
    this.put({ ...deployment, spec: { ...deployment.spec, replicas } } as RawDeployment);
    this.#replicasOwners = new Set(['scale']);
  }

  settle(): Pass {
    for (let round = 0; round < 2; round += 1) {
      this.reconcile();
      this.#raise();
      this.finishRollout();
    }
    this.reconcile();
    return this.reconcile();
  }

  /** An autoscaler keeps to its minimum, but for a Deployment at zero, which it leaves alone. */
  #raise(): void {
    const { replicas = 1 } = this.deployment?.spec ?? {};
    if (replicas > 0) this.autoscale(Math.max(replicas, this.object.spec.scaling.minReplicas));
  }

  /** Claims that the replicas of the newest template read from. */
  servedClaims(): string[] {
    if (this.deployment?.spec.paused !== false) return [];
    return (this.deployment.spec.template?.spec.volumes ?? []).flatMap((volume) => volume.persistentVolumeClaim?.claimName ?? []);
  }

  servedRevision(): string | undefined {
    return this.deployment?.spec.paused === false ? revisionNameOf(this.deployment) : undefined;
  }

  get autoscaled(): boolean {
    return isAutoscaled(this.object.spec);
  }
}

function withUid(object: KubeObject): KubeObject {
  return { ...object, metadata: { ...object.metadata, uid: object.metadata.uid ?? `uid-of-${object.kind}/${object.metadata.name}` } };
}

/** Owners of other managers stay; ours become exactly those that were applied. */
function mergedHolders(existing: KubeObject, applied: KubeObject): OwnerReference[] {
  const others = (existing.metadata.ownerReferences ?? []).filter(({ kind }) => kind !== 'ModelDeployment');
  return [...others, ...(applied.metadata.ownerReferences ?? [])];
}

export function claim(name: string, owner: KubeObject): KubeObject {
  const { apiVersion, kind, metadata } = owner;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name,
      namespace: 'team-a',
      uid: `uid-of-${name}`,
      labels: { [labels.managedBy]: managedBy },
      ownerReferences: [{ apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '', controller: true }],
    },
  };
}
