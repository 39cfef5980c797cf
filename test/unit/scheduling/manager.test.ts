import { expect } from 'chai';
import { chooseManager, type Choice, type Installed, type ManagerName, type Scheduling } from '../../../operator/src/domain/scheduling/index.ts';

const has = (...names: readonly ManagerName[]): Installed => ({ Kueue: names.includes('Kueue'), Volcano: names.includes('Volcano'), Coscheduling: names.includes('Coscheduling') });
const asks = (over: Partial<Scheduling>): Scheduling => ({ gang: false, scheduler: 'Auto', schedulerName: 'scheduler-plugins-scheduler', ...over });
const by = (name: ManagerName): Choice => ({ kind: 'Manager', name });

describe('who decides when the pods of a job start', () => {
  const cases: readonly (readonly [what: string, scheduling: Scheduling | undefined, installed: Installed, expected: Choice | RegExp])[] = [
    ['nobody, where nothing is asked for', undefined, has('Kueue', 'Volcano'), { kind: 'Nobody' }],
    ['nobody, where only a priority is asked for', asks({ priorityClassName: 'high' }), has('Kueue', 'Volcano'), { kind: 'Nobody' }],
    ['Kueue, for a queue', asks({ queueName: 'gpus' }), has('Kueue', 'Volcano', 'Coscheduling'), by('Kueue')],
    ['Volcano, for a queue without Kueue', asks({ queueName: 'gpus' }), has('Volcano', 'Coscheduling'), by('Volcano')],
    ['Volcano, for a gang without a queue', asks({ gang: true }), has('Kueue', 'Volcano', 'Coscheduling'), by('Volcano')],
    ['the coscheduling plugin, for a gang without Volcano', asks({ gang: true }), has('Kueue', 'Coscheduling'), by('Coscheduling')],
    ['whom the job names', asks({ gang: true, scheduler: 'Coscheduling' }), has('Volcano', 'Coscheduling'), by('Coscheduling')],
    ['nobody for a queue: the coscheduling plugin has none', asks({ queueName: 'gpus' }), has('Coscheduling'), /"gpus" needs Kueue/],
    ['nobody for a gang', asks({ gang: true }), has('Kueue'), /scheduling\.gang needs Volcano or the coscheduling plugin/],
    ['Kueue, which is not there', asks({ queueName: 'gpus', scheduler: 'Kueue' }), has('Volcano'), /has no kueue\.x-k8s\.io\/v1beta2 Workload/],
    ['Kueue, without a queue', asks({ scheduler: 'Kueue' }), has('Kueue'), /Set scheduling\.queueName/],
  ];
  for (const [what, scheduling, installed, expected] of cases) {
    it(`is ${what}`, () => {
      const choice = chooseManager(scheduling, installed, undefined);
      if (expected instanceof RegExp) expect(choice.kind === 'Missing' ? choice.message : choice.kind).to.match(expected);
      else expect(choice).to.deep.equal(expected);
    });
  }

  it('stays who it was when another is installed later', () => {
    expect(chooseManager(asks({ gang: true, queueName: 'gpus' }), has('Kueue', 'Volcano'), 'Volcano')).to.deep.equal(by('Volcano'));
  });
});
