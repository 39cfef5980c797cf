import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { load } from 'js-yaml';
import { root } from '../../hack/gen/schema.ts';
import type { Client } from '../../operator/src/kube/client.ts';
import { ApiError } from '../../operator/src/kube/errors.ts';
import { canonicalJson } from '../../trainer-image/src/files.ts';
import { admit } from '../../trainer-image/src/spec/admit.ts';
import { trainerSchema, trainingJobSchema } from '../../trainer-image/src/spec/crd.ts';
import type { Json, JsonObject, Schema } from '../../trainer-image/src/spec/schema.ts';
import { withCluster } from '../support/cluster.ts';
import { testClient } from '../support/controllers.ts';
import { validValueOf, valueOf } from '../support/schema-values.ts';

/** What becomes of an object: its spec with every default, or what is wrong as `field: message`, in any order. */
type Verdict = { readonly spec: Json } | { readonly causes: readonly string[] };

/** The two evaluators word a rule that cannot be judged in their own ways. */
const withoutOwnWords = (cause: string): string => cause.replace(/: .* evaluating rule: /s, ': … evaluating rule: ');

function ours(object: JsonObject): Verdict {
  const admission = admit(object, trainingJobSchema());
  if (admission.kind === 'Admitted') return { spec: admission.object.spec ?? null };
  const causes = admission.violations.map(({ kind, at, message }) => (kind === 'UnknownField' ? message : `${at === '' ? '<nil>' : at}: ${message}`));
  return { causes: causes.map(withoutOwnWords).sort() };
}

/** The schema of this object of texts alone. */
function exactly(value: JsonObject | string): Schema {
  if (typeof value === 'string') return { type: 'string', enum: [value] };
  return { type: 'object', required: Object.keys(value), properties: Object.fromEntries(Object.entries(value).map(([name, field]) => [name, exactly(field as JsonObject | string)])) };
}

describe('admission without an API server, beside the real one', function admissionSuite() {
  this.timeout(600_000);
  const cluster = withCluster({ crds: [join(root, 'charts/anneal/files/crds/trainingjobs.yaml')] });
  let client: Client;

  before(async () => {
    client = await testClient(cluster.plane.kubeconfigPath);
  });
  after(async () => client.transport.close());

  async function theirs(object: JsonObject): Promise<Verdict> {
    const path = `/apis/anneal.dev/v1alpha1/namespaces/${cluster.namespace}/trainingjobs`;
    try {
      const { spec } = await client.transport.json<{ spec: Json }>({ method: 'POST', path, query: { dryRun: 'All', fieldValidation: 'Strict' }, body: object, timeoutMs: 60_000 });
      return { spec };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const [, unknown] = /strict decoding error: (.*)$/.exec(error.status.message ?? '') ?? [];
      if (unknown !== undefined) return { causes: unknown.split(', ').sort() };
      // The scale subresource reads spec.replicas by itself, and complains once more.
      const causes = (error.details.causes ?? []).filter(({ message = '' }) => !message.includes('accessor error')).map(({ field = '', message = '' }) => withoutOwnWords(`${field}: ${message}`));
      // Of a single error there is no list of causes.
      return { causes: causes.length > 0 ? causes.sort() : [error.status.message ?? ''] };
    }
  }

  const folder = join(import.meta.dirname, 'wrong-manifests');
  for (const name of readdirSync(folder).sort()) {
    const text = readFileSync(join(folder, name), 'utf8');
    if (!text.includes('kind: TrainingJob\n')) continue;
    it(`refuses ${name} with the same sentences`, async () => {
      const object = load(text) as JsonObject;
      const verdict = await theirs(object);
      expect(verdict).to.have.property('causes').that.is.not.empty;
      expect(ours(object)).to.deep.equal(verdict);
    });
  }

  const inJob = (spec: Json): JsonObject => ({ apiVersion: 'anneal.dev/v1alpha1', kind: 'TrainingJob', metadata: { name: 'a' }, spec });

  for (const metadata of [{}, { name: '' }, { name: 'A_b' }, { name: 'a.b-c' }, { name: 'a'.repeat(254) }, { name: '-a' }]) {
    it(`says the same of the metadata ${JSON.stringify(metadata).slice(0, 40)}`, async () => {
      const object = { ...inJob({ trainer: { data: { source: { uri: 'file:///x' }, target: 'y' }, model: { preset: 'MLP' } } }), metadata };
      expect(ours(object)).to.deep.equal(await theirs(object));
    });
  }

  /** Whatever the seed, a counterexample shrinks to the field that differs. */
  async function agree(schema: Schema, specOf: (value: Json) => Json, numRuns: number): Promise<{ readonly taken: number; readonly refused: number }> {
    const seen = { taken: 0, refused: 0 };
    const values = fc.oneof(valueOf(schema), validValueOf(schema)).map(specOf);
    await fc.assert(fc.asyncProperty(values, async (spec) => {
      const verdict = await theirs(inJob(spec));
      seen['spec' in verdict ? 'taken' : 'refused']++;
      const [here, there] = [canonicalJson(ours(inJob(spec))), canonicalJson(verdict)];
      expect(here, `\nhere:  ${here}\nthere: ${there}\n`).to.equal(there);
    }), { numRuns });
    return seen;
  }

  it('says and stores the same for any spec.trainer', async () => {
    const { taken, refused } = await agree(trainerSchema(), (trainer) => ({ trainer }), 1000);
    expect(taken).to.be.above(200);
    expect(refused).to.be.above(200);
  });

  it('says and stores the same for any spec', async () => {
    const spec: Schema = trainingJobSchema().properties?.spec ?? {};
    const trainer = exactly({ data: { source: { uri: 'file:///x' }, target: 'y' }, model: { preset: 'MLP' } });
    // Roles hold whole pods, which a laptop has no use for.
    const { roles: _roles, ...fields } = spec.properties ?? {};
    const { taken, refused } = await agree({ ...spec, required: ['trainer'], properties: { ...fields, trainer } }, (value) => value, 500);
    expect(taken).to.be.above(100);
    expect(refused).to.be.above(100);
  });
});
