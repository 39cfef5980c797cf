import { expect } from 'chai';
import fc from 'fast-check';
import { convert, type Outcome, type Source } from '../../../operator/src/domain/convert/index.ts';
import { convertFixtures } from '../../support/convert-fixtures.ts';

type Path = readonly (string | number)[];
type Value = string | number | boolean | null | ValueMap | Value[];

interface ValueMap {
  [name: string]: Value;
}


const bases = convertFixtures.map(({ sources }) => sources.map(({ content }) => content as Value));

/** Where a change may do nothing: what the API server writes, what only a runtime's own object says, and what something else overrides. */
const ofNoConsequence: readonly RegExp[] = [
  /^status\b/,
  /^metadata\.(uid|resourceVersion|generation|creationTimestamp|managedFields)\b/,
  /\.creationTimestamp$/,
  /last-applied-configuration/,
  /^spec\.runtimeRef\.apiGroup$/,
  /^spec\.runtimePatches\[\d+\]\.(manager|time)$/,
  /^(Cluster)?TrainingRuntime [\w-]*: (apiVersion|kind|metadata)\b/,
  // The TrainJob, or a later patch, says the same and counts.
  /^(Cluster)?TrainingRuntime [\w-]*: spec\.mlPolicy\..*num(Nodes|ProcPerNode)$/,
  /containers\[\d\]\.(command\[\d\]|image|env\[\d\]\.value|resources\.requests\.cpu)$/,
  /labels\.both$/,
  /runtimePatches\[0\].*nodeSelector\.gpu$/,
  // The framework names the roles, and a single job trains, whatever it is called.
  /replicatedJobs\[\d\]\.name$/,
  /trainjob-ancestor-step\]$/,
  // kubeflow/trainer sets them from the number of nodes.
  /replicatedJobs\[\d\]\.(replicas|template\.spec\.parallelism)$/,
];

/** A List is its items: each has paths of its own. What is no training job is passed over whole. */
function documents(content: Value): readonly { readonly at: Path; readonly prefix: string; readonly value: Value }[] {
  if (!isMap(content) || content.kind === 'PersistentVolumeClaim') return [];
  const { kind, items, metadata } = content;
  if (kind === 'List' && Array.isArray(items)) return items.map((value, index) => ({ at: ['items', index], prefix: '', value }));
  const isRuntime = typeof kind === 'string' && kind.endsWith('TrainingRuntime');
  const name = metadata !== undefined && isMap(metadata) && typeof metadata.name === 'string' ? metadata.name : '';
  return [{ at: [], prefix: isRuntime ? `${kind} ${name}: ` : '', value: content }];
}

function isMap(value: Value): value is ValueMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

interface Leaf {
  readonly document: number;
  readonly at: Path;
  readonly path: string;
  readonly value: Value;
}

function leaves(contents: readonly Value[]): readonly Leaf[] {
  return contents.flatMap((content, document) => documents(content).flatMap(({ at, prefix, value }) => leavesBelow(value, at, prefix).map((leaf) => ({ ...leaf, document }))));
}

function leavesBelow(value: Value, at: Path, path: string): readonly Omit<Leaf, 'document'>[] {
  if (value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item, index) => leavesBelow(item, [...at, index], `${path}[${index}]`));
  if (!isMap(value)) return [{ at, path, value }];
  return Object.entries(value).flatMap(([name, field]) => leavesBelow(field, [...at, name], joined(path, name)));
}

function joined(path: string, name: string): string {
  if (!/^[\w-]+$/.test(name)) return `${path}[${name}]`;
  return path === '' || path.endsWith(' ') ? `${path}${name}` : `${path}.${name}`;
}

function edited(contents: readonly Value[], { document, at }: Pick<Leaf, 'document' | 'at'>, edit: (parent: Value, key: string | number) => void): readonly Value[] {
  const copy = structuredClone(contents) as Value[];
  const parent = at.slice(0, -1).reduce<Value | undefined>((value, key) => (value as ValueMap | undefined)?.[key], copy[document]);
  const key = at.at(-1);
  if (parent !== undefined && parent !== null && key !== undefined) edit(parent, key);
  return copy;
}

function without(contents: readonly Value[], leaf: Leaf): readonly Value[] {
  return edited(contents, leaf, (parent, key) => {
    if (Array.isArray(parent)) parent.splice(Number(key), 1);
    else Reflect.deleteProperty(parent as object, key);
  });
}

function changed(contents: readonly Value[], leaf: Leaf): readonly Value[] {
  const other = typeof leaf.value === 'string' ? `${leaf.value}x` : typeof leaf.value === 'number' ? leaf.value + 1 : leaf.value !== true;
  return edited(contents, leaf, (parent, key) => {
    (parent as ValueMap)[key] = other;
  });
}

function converted(contents: readonly Value[]): Outcome {
  return convert(contents.map((content, index): Source => ({ at: `document ${index + 1}`, content })));
}

/** All that a user gets to see. */
function visible({ conversions, passedOver, errors }: Outcome): string {
  return JSON.stringify({ jobs: conversions.map(({ job, notes }) => ({ job, notes })), passedOver, errors });
}

function isTold({ conversions }: Outcome, path: string): boolean {
  const paths = conversions.flatMap(({ notes }) => notes.map((note) => note.path));
  return paths.some((told) => path === told || path.startsWith(`${told}.`) || path.startsWith(`${told}[`));
}

/** Some documents, with some fields gone: what is there may lack anything. */
const manifests = fc.tuple(fc.constantFrom(...bases), fc.array(fc.nat(), { maxLength: 12 })).map(([base, gone]) =>
  gone.reduce<readonly Value[]>((contents, pick) => {
    const all = leaves(contents);
    const leaf = all[pick % Math.max(all.length, 1)];
    return leaf === undefined ? contents : without(contents, leaf);
  }, base));

describe('a conversion of any subset of fields', function silenceSuite() {
  this.timeout(120_000);

  it('lets no value go in silence: a change of any shows in the job, in the report or in an error', () => {
    fc.assert(fc.property(manifests, fc.array(fc.nat(), { minLength: 1, maxLength: 20 }), (contents, picks) => {
      const before = converted(contents);
      const all = leaves(contents);
      for (const pick of picks) {
        const leaf = all[pick % Math.max(all.length, 1)];
        if (leaf === undefined || before.errors.length > 0 || isTold(before, leaf.path) || ofNoConsequence.some((pattern) => pattern.test(leaf.path))) continue;
        expect(visible(converted(changed(contents, leaf))), leaf.path).not.to.equal(visible(before));
      }
    }), { numRuns: 300 });
  });

  it('names every field that it never heard of, unless it is in the pod, which is kept as it is', () => {
    fc.assert(fc.property(manifests, fc.nat(), (contents, pick) => {
      const all = leaves(contents).filter(({ path }) => !ofNoConsequence.some((pattern) => pattern.test(path)));
      const near = all[pick % Math.max(all.length, 1)];
      const parent = near?.at.findLastIndex((key) => typeof key === 'string');
      if (near === undefined || parent === undefined || converted(contents).errors.length > 0) return;
      const at = [...near.at.slice(0, parent), 'novelField'];
      const after = converted(edited(contents, { document: near.document, at }, (map) => {
        if (isMap(map)) map.novelField = 'never heard of';
      }));
      if (after.errors.length > 0 || isTold(after, near.path)) return;
      const isInNotes = after.conversions.some(({ notes }) => notes.some(({ path }) => path.endsWith('novelField')));
      expect(isInNotes || visible(after).includes('never heard of'), near.path).to.equal(true);
    }), { numRuns: 500 });
  });

  it('makes no job of which a role has no pod or no container', () => {
    fc.assert(fc.property(manifests, (contents) => {
      for (const { job } of converted(contents).conversions) {
        expect(job.spec.roles).not.to.be.empty;
        for (const { replicas = 1, template } of job.spec.roles) {
          expect(replicas).to.be.within(1, 1000);
          expect(template.spec.containers).to.be.an('array').that.is.not.empty;
        }
      }
    }), { numRuns: 300 });
  });
});
