import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';
import { readCrds, root } from '../../hack/gen/schema.ts';
import { withCluster } from '../support/cluster.ts';
import { convertFixtures } from '../support/convert-fixtures.ts';

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function anneal(args: readonly string[], input = ''): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [join(root, 'operator/src/cli/main.ts'), ...args], (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
    child.stdin?.end(input);
  });
}

describe('the API server', function acceptanceSuite() {
  this.timeout(120_000);
  const cluster = withCluster({ crds: readCrds().map(({ plural }) => join(root, 'charts/anneal/files/crds', `${plural}.yaml`)) });

  for (const { name, path, lost, outcome } of convertFixtures) {
    it(`takes what anneal convert makes of ${name}, to the last field`, async () => {
      const { code, stdout, stderr } = await anneal(['convert', '-f', path]);
      expect(code, stderr).to.equal(0);
      const comments = stdout.split('\n').filter((line) => line.startsWith('#   ')).flatMap((line) => line.slice(4).replace(/: [A-Z].*$/, '').split(', '));
      expect(comments).to.include.members(lost);
      const manifest = stdout.replaceAll(/^ {2}namespace: .*\n/gm, '');
      // Strict, so that a field which the schema does not have is an error and not dropped. Each in its dry run, since some share a name.
      const created = await cluster.plane.kubectl(['create', '-n', cluster.namespace, '--dry-run=server', '--validate=strict', '-f', '-', '-o', 'name'], { input: manifest });
      expect(created.trim().split('\n')).to.have.length(stdout.match(/^kind: TrainingJob$/gm)?.length ?? 0);
    });

    it(`takes the pods of what anneal convert makes of ${name}`, async () => {
      const pods = outcome().conversions.flatMap(({ job }) => job.spec.roles).map(({ name: role, template: { metadata = {}, spec } }) => {
        const { serviceAccountName: _notHere, ...pod } = spec;
        return { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name: role }, spec: { ...pod, restartPolicy: 'Never' } };
      });
      const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: pods });
      const created = await cluster.plane.kubectl(['create', '-n', cluster.namespace, '--dry-run=server', '--validate=ignore', '-f', '-', '-o', 'name'], { input: list });
      expect(created.trim().split('\n')).to.have.length(pods.length);
    });
  }
});
