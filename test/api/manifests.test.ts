import { globSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect } from 'chai';
import { readCrds, root } from '../../hack/gen/schema.ts';
import { withCluster } from '../support/cluster.ts';

const folder = join(import.meta.dirname, 'wrong-manifests');
const crds = readCrds();
const crdFile = (plural: string) => join(root, 'charts/anneal/files/crds', `${plural}.yaml`);

/** What kubectl says when it fails, without the command line that the helper puts before it. */
async function refusal(command: Promise<string>): Promise<string> {
  try {
    await command;
  } catch (error) {
    return String(error instanceof Error ? error.message : error);
  }
  return '';
}

describe('kubectl', function kubectlSuite() {
  this.timeout(120_000);
  const cluster = withCluster({ crds: crds.map((crd) => crdFile(crd.plural)) });

  for (const name of readdirSync(folder).sort()) {
    const file = join(folder, name);
    const expected = /^# expect: (.*)$/m.exec(readFileSync(file, 'utf8'))?.[1] ?? '';
    it(`refuses ${name.replace('.yaml', '').replaceAll('-', ' ')}, saying: ${expected}`, async () => {
      expect(expected).not.to.equal('');
      expect(await refusal(cluster.plane.kubectl(['apply', '-n', cluster.namespace, '-f', file]))).to.match(new RegExp(expected));
    });
  }

  for (const file of globSync(join(root, 'docs/examples/*/*.yaml')).filter((path) => readFileSync(path, 'utf8').includes('apiVersion: anneal.dev/'))) {
    it(`takes ${relative(root, file)}`, async () => {
      expect(await cluster.plane.kubectl(['apply', '--dry-run=server', '-n', cluster.namespace, '-f', file])).to.match(/created/);
    });
  }

  for (const crd of crds) {
    it(`explains every field of ${crd.kind}`, async () => {
      const explained = await cluster.plane.kubectl(['explain', `${crd.plural}.spec`, '--recursive']);
      expect(explained).to.match(/^FIELDS:/m);
      const installed = JSON.parse(await cluster.plane.kubectl(['get', 'crd', `${crd.plural}.anneal.dev`, '-o', 'json'])) as Definition;
      expect(undescribed(installed)).to.deep.equal([]);
    });
  }

  it('takes backup.on as people write it, without quotes', async () => {
    const manifest = `
apiVersion: anneal.dev/v1alpha1
kind: TrainingJob
metadata: {name: backed-up}
spec:
  trainer:
    data: {source: {uri: "https://example.com/x.csv"}, target: label}
    model: {preset: MLP}
    fit: {epochs: 1}
  backup: {on: [Succeeded]}
`;
    expect(await cluster.plane.kubectl(['apply', '-n', cluster.namespace, '-f', '-'], { input: manifest })).to.include('created');
  });
});

interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
}

interface Definition {
  readonly spec: { readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: Schema } }[] };
}

/** Paths of the fields that say nothing about themselves. */
function undescribed(crd: Definition): string[] {
  const walk = (schema: Schema, path: string): string[] => {
    const fields = Object.entries(schema.properties ?? {}).flatMap(([name, child]) => {
      const here = `${path}.${name}`;
      return [...(child.description === undefined && here !== '.metadata' ? [here] : []), ...walk(child, here)];
    });
    return [...fields, ...(schema.items === undefined ? [] : walk(schema.items, `${path}[]`))];
  };
  return crd.spec.versions.flatMap((version) => walk(version.schema.openAPIV3Schema, ''));
}
