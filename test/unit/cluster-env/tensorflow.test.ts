import { expect } from 'chai';
import type { Role, TrainingJobSpec } from '@anneal/operator/api';
import { envOf, host, jobOf, roleWith } from '../../support/builders/places.ts';
import { role } from '../../support/builders/training-job.ts';

type Settings = NonNullable<TrainingJobSpec['tensorflow']>;

const settings = (over: Partial<Settings>): Settings => ({ clusterSpec: 'Dense', evaluatorInClusterSpec: 'OwnTask', ...over });
const tensorflow = (roles: Role[], over: Partial<Settings> = {}) => jobOf({ framework: 'TensorFlow', roles, tensorflow: settings(over) });
const config = (of: ReturnType<typeof tensorflow>, at: string): unknown => JSON.parse(envOf(of, at).TF_CONFIG ?? 'null');
const at = (name: string, port = 2222): string => `${host(name)}:${port}`;

describe('TF_CONFIG', () => {
  const all = [role('chief'), role('ps', 2), role('worker', 2), role('evaluator')];
  const trained = { chief: [at('chief-0')], ps: [at('ps-0'), at('ps-1')], worker: [at('worker-0'), at('worker-1')] };

  it('lists every task to every task, with the task itself and the environment', () => {
    expect(config(tensorflow([role('worker', 2)]), 'worker-1')).to.deep.equal({ cluster: { worker: [at('worker-0'), at('worker-1')] }, task: { type: 'worker', index: 1 }, environment: 'cloud' });
    expect(config(tensorflow(all), 'ps-1')).to.deep.equal({ cluster: trained, task: { type: 'ps', index: 1 }, environment: 'cloud' });
  });

  it('is as in the schema where the job says nothing of it', () => {
    const said = tensorflow(all);
    const { tensorflow: _, ...spec } = said.spec;
    expect(envOf({ ...said, spec }, 'worker-0')).to.deep.equal(envOf(said, 'worker-0'));
  });

  it('is not set for a single replica', () => {
    expect(config(tensorflow([role('chief')]), 'chief-0')).to.equal(null);
  });

  it('calls a master chief, which is the only name that TensorFlow 2 takes', () => {
    expect(config(tensorflow([role('master'), role('worker')]), 'master-0')).to.deep.equal({
      cluster: { chief: [at('master-0')], worker: [at('worker-0')] }, task: { type: 'chief', index: 0 }, environment: 'cloud',
    });
  });

  it('names the port tfjob-port of each role\'s container, else 2222', () => {
    const of = tensorflow([role('chief'), roleWith({ ports: [{ name: 'metrics', containerPort: 9090 }, { name: 'tfjob-port', containerPort: 3333 }] }, 'worker')]);
    expect(config(of, 'chief-0')).to.deep.include({ cluster: { chief: [at('chief-0')], worker: [at('worker-0', 3333)] } });
  });

  describe('with an evaluator', () => {
    const listed = { ...trained, evaluator: [at('evaluator-0')] };
    const table: readonly (readonly [Settings['evaluatorInClusterSpec'], object, object])[] = [
      ['OwnTask', trained, listed],
      ['AllTasks', listed, listed],
      ['Never', trained, trained],
    ];
    for (const [evaluatorInClusterSpec, forOthers, forItself] of table) {
      it(`lists it as ${evaluatorInClusterSpec} says`, () => {
        const of = tensorflow(all, { evaluatorInClusterSpec });
        expect(config(of, 'worker-0')).to.deep.equal({ cluster: forOthers, task: { type: 'worker', index: 0 }, environment: 'cloud' });
        expect(config(of, 'evaluator-0')).to.deep.equal({ cluster: forItself, task: { type: 'evaluator', index: 0 }, environment: 'cloud' });
      });
    }
  });

  describe('when sparse', () => {
    const of = tensorflow(all, { clusterSpec: 'Sparse' });

    it('tells a worker of the parameter servers, and of itself under its own index', () => {
      expect(config(of, 'worker-1')).to.deep.equal({ cluster: { ps: [at('ps-0'), at('ps-1')], worker: { 1: at('worker-1') } }, task: { type: 'worker', index: 1 } });
    });

    it('tells a parameter server of itself alone, under its own index', () => {
      expect(config(of, 'ps-1')).to.deep.equal({ cluster: { ps: { 1: at('ps-1') } }, task: { type: 'ps', index: 1 } });
    });

    it('tells the chief, who gives the work out, of everyone', () => {
      expect(config(of, 'chief-0')).to.deep.equal({ cluster: trained, task: { type: 'chief', index: 0 } });
    });
  });
});
