import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';
import fengari from 'fengari';
import { load } from 'js-yaml';

import { helm, renderArguments, repository } from '../../hack/chart/helm.ts';

const examples = join(repository, 'docs', 'examples', 'argocd');

interface Health {
  readonly status: string;
  readonly message: string;
}

type Status = 'True' | 'False' | 'Unknown';

/** What a check says of an object of that kind, run by a Lua interpreter as Argo CD runs it. */
async function healthOf(kind: string, object: unknown): Promise<Health> {
  const config = load(await readFile(join(examples, 'health.yaml'), 'utf8')) as { data: Record<string, string> };
  const script = config.data[`resource.customizations.health.anneal.dev_${kind}`];
  if (script === undefined) throw new Error(`health.yaml has no check for ${kind}.`);
  const program = `local function check(obj) ${script} end\nlocal health = check(${luaLiteral(object)})\nreturn health.status .. "\\n" .. (health.message or "")`;
  const { lua, lauxlib, lualib, to_luastring: toLua, to_jsstring: toJs } = fengari;
  const state = lauxlib.luaL_newstate();
  lualib.luaL_openlibs(state);
  const failed = lauxlib.luaL_dostring(state, toLua(program));
  const result = toJs(lua.lua_tostring(state, -1));
  if (failed) throw new Error(result);
  const [status = '', message = ''] = result.split('\n');
  return { status, message };
}

function luaLiteral(value: unknown): string {
  if (Array.isArray(value)) return `{${value.map(luaLiteral).join(', ')}}`;
  if (typeof value === 'object' && value !== null) return `{${Object.entries(value).map(([key, item]) => `[${JSON.stringify(key)}] = ${luaLiteral(item)}`).join(', ')}}`;
  return JSON.stringify(value);
}

function seen(conditions: Readonly<Record<string, Status>>, generation = 2, observed = 2): unknown {
  return {
    metadata: { generation },
    status: { conditions: Object.entries(conditions).map(([type, status]) => ({ type, status, message: `${type} is ${status}`, observedGeneration: observed })) },
  };
}

describe('the health that Argo CD shows', () => {
  for (const kind of ['TrainingJob', 'HyperparamSweep']) {
    it(`follows a ${kind} from Progressing to Healthy, Degraded or Suspended`, async () => {
      expect((await healthOf(kind, { metadata: { generation: 1 } })).status).to.equal('Progressing');
      expect(await healthOf(kind, seen({ Ready: 'True', Running: 'True' }))).to.deep.equal({ status: 'Progressing', message: 'Ready is True' });
      expect(await healthOf(kind, seen({ Ready: 'True', Succeeded: 'True' }))).to.deep.equal({ status: 'Healthy', message: 'Succeeded is True' });
      expect(await healthOf(kind, seen({ Ready: 'False', Failed: 'True' }))).to.deep.equal({ status: 'Degraded', message: 'Failed is True' });
      expect(await healthOf(kind, seen({ Ready: 'False', Running: 'True' }))).to.deep.equal({ status: 'Degraded', message: 'Ready is False' });
      expect((await healthOf(kind, seen({ Ready: 'Unknown', Running: 'False' }))).status).to.equal('Progressing');
      expect((await healthOf(kind, seen({ Ready: 'Unknown', Suspended: 'True' }))).status).to.equal('Suspended');
      expect((await healthOf(kind, seen({ Ready: 'True', Suspended: 'False' }))).status).to.equal('Progressing');
    });
  }

  it('follows the Ready condition of a ModelDeployment', async () => {
    expect((await healthOf('ModelDeployment', seen({ Ready: 'True' }))).status).to.equal('Healthy');
    expect(await healthOf('ModelDeployment', seen({ Ready: 'False' }))).to.deep.equal({ status: 'Degraded', message: 'Ready is False' });
    expect((await healthOf('ModelDeployment', seen({ Ready: 'Unknown' }))).status).to.equal('Progressing');
  });

  it('does not take a status for an older spec as the health of the new one', async () => {
    for (const kind of ['TrainingJob', 'HyperparamSweep', 'ModelDeployment']) {
      expect((await healthOf(kind, seen({ Ready: 'True', Succeeded: 'True' }, 3, 2))).status, kind).to.equal('Progressing');
    }
  });
});

describe('the Argo CD Application', () => {
  it('names this chart, applies server-side, and gives values that the chart accepts', async function renders() {
    this.timeout(1_800_000);
    const application = load(await readFile(join(examples, 'application.yaml'), 'utf8')) as {
      spec: { source: { path: string; helm: { releaseName: string; valuesObject: unknown } }; destination: { namespace: string }; syncPolicy: { syncOptions: string[] } };
    };
    const { source, destination, syncPolicy } = application.spec;
    expect(source.path).to.equal('charts/anneal');
    expect(syncPolicy.syncOptions).to.include('ServerSideApply=true');
    const result = await helm([
      ...renderArguments({ release: source.helm.releaseName, namespace: destination.namespace }),
      ...Object.entries(source.helm.valuesObject as Record<string, unknown>).flatMap(([name, value]) => ['--set-json', `${name}=${JSON.stringify(value)}`]),
    ]);
    expect(result.code, result.stderr).to.equal(0);
  });
});
