import { expect } from 'chai';
import { podType, trainingJobType } from '../../../operator/src/controllers/shared/resources.ts';
import type { KubeObject } from '../../../operator/src/kube/resource.ts';
import { trainingJobRules } from '../../support/faults/training-job-rules.ts';
import { Witness } from '../../support/faults/witness.ts';

const key = { namespace: 'team-a', name: 'digits' };
const budgets = { applicationError: 1 };

interface Status {
  readonly observedGeneration?: number;
  readonly conditions?: readonly object[];
  readonly budgetSpent?: object;
  readonly failures?: readonly object[];
  readonly attempt?: number;
}

function job(version: string, status: Status = {}): KubeObject {
  const object = { apiVersion: 'anneal.dev/v1alpha1', kind: 'TrainingJob', metadata: { ...key, uid: 'job', generation: 1, resourceVersion: version }, spec: { failurePolicy: { budgets } }, status };
  return object;
}

function pod(name: string, version: string, over: { readonly index?: string; readonly phase?: string; readonly owner?: boolean } = {}): KubeObject {
  const { index = '0', phase = 'Running', owner = true } = over;
  const object = {
    apiVersion: 'v1', kind: 'Pod',
    metadata: {
      name, namespace: 'team-a', uid: `uid-of-${name}`, resourceVersion: version, labels: { 'anneal.dev/role': 'worker', 'anneal.dev/index': index },
      ownerReferences: [{ apiVersion: 'anneal.dev/v1alpha1', kind: 'TrainingJob', name: 'digits', uid: 'job', controller: owner }],
    },
    spec: { containers: [] }, status: { phase },
  };
  return object;
}

const condition = (type: string, status: string, second: number) => ({ type, status, reason: 'R', message: '', observedGeneration: 1, lastTransitionTime: `2026-03-01T12:00:0${second}Z` });

/** What a witness says to objects that appear one after the other, each in place of the one of its name. */
function witnessed(...objects: readonly KubeObject[]): readonly string[] {
  const witness = new Witness(trainingJobType, key, trainingJobRules());
  const held = new Map<string, KubeObject>();
  for (const after of objects) {
    const name = `${after.kind} ${after.metadata.name}`;
    witness.see({ type: after.kind === 'Pod' ? podType : trainingJobType, before: held.get(name), after });
    held.set(name, after);
  }
  return witness.violations;
}

describe('the witness of fault runs', () => {
  it('has nothing to say of a job that fails once and then succeeds', () => {
    const failure = { pod: 'digits-0-1', attempt: 1 };
    expect(witnessed(
      job('1'), pod('digits-0-1', '2'), job('3', { attempt: 1, observedGeneration: 1, conditions: [condition('Running', 'True', 1)] }),
      pod('digits-0-1', '4', { phase: 'Failed' }), job('5', { attempt: 2, observedGeneration: 1, failures: [failure], budgetSpent: { applicationError: 1 }, conditions: [condition('Running', 'False', 2)] }),
      pod('digits-0-2', '6'), pod('digits-0-2', '7', { phase: 'Succeeded' }),
      job('8', { attempt: 2, observedGeneration: 1, failures: [failure], budgetSpent: { applicationError: 1 }, conditions: [condition('Running', 'False', 2), condition('Succeeded', 'True', 3)] }),
    )).to.deep.equal([]);
  });

  const wrongs: Readonly<Record<string, readonly [said: RegExp, ...objects: KubeObject[]]>> = {
    'two live pods of one place': [/worker\/0 has 2 live pods/, job('1'), pod('digits-0-1', '2'), pod('digits-0-2', '3')],
    'a child without a controlling owner': [/0 controlling owners/, job('1'), pod('digits-0-1', '2', { owner: false })],
    'a pod after the end': [/made after the end/, job('1'), job('2', { conditions: [condition('Failed', 'True', 1)] }), pod('digits-0-1', '3')],
    'an end that is taken back': [/began anew/, job('1', { conditions: [condition('Succeeded', 'True', 1)] }), job('2', { conditions: [condition('Succeeded', 'False', 2)] })],
    'an observedGeneration from the future': [/beyond the generation/, job('1', { observedGeneration: 2 })],
    'a time that moves without its status': [/lastTransitionTime of Running moved/, job('1', { conditions: [condition('Running', 'True', 1)] }), job('2', { conditions: [condition('Running', 'True', 2)] })],
    'a budget that is overrun': [/overrun/, job('1', { budgetSpent: { applicationError: 2 } })],
    'a budget that is given back': [/given back/, job('1', { budgetSpent: { applicationError: 1 } }), job('2')],
    'a ledger that loses an entry': [/ledger lost/, job('1', { failures: [{ attempt: 1 }] }), job('2')],
    'an attempt that goes back': [/attempt went back/, job('1', { attempt: 2 }), job('2', { attempt: 1 })],
  };

  for (const [what, [said, ...objects]] of Object.entries(wrongs)) {
    it(`notes ${what}`, () => {
      expect(witnessed(...objects)).to.have.length(1);
      expect(witnessed(...objects)[0]).to.match(said);
    });
  }

  it('takes a pod for one of before the end whose news merely came after it', () => {
    expect(witnessed(job('1'), job('5', { conditions: [condition('Succeeded', 'True', 1)] }), pod('digits-0-1', '3', { phase: 'Succeeded' }))).to.deep.equal([]);
  });

  it('notes deletes that name no UID, or one that nobody had', () => {
    const witness = new Witness(trainingJobType, key, trainingJobRules());
    witness.see({ type: trainingJobType, before: undefined, after: job('1') });
    witness.see({ type: podType, before: undefined, after: pod('digits-0-1', '2') });
    const write = (uid?: string) => ({
      method: 'DELETE', path: '/api/v1/namespaces/team-a/pods/digits-0-1', query: new URLSearchParams(), userAgent: 'anneal', isWatch: false, isWrite: true, at: 0, code: 200,
      body: uid === undefined ? {} : { preconditions: { uid } },
    });
    witness.judgeDeletes([write('uid-of-digits-0-1')]);
    expect(witness.violations).to.deep.equal([]);
    witness.judgeDeletes([write(), write('another')]);
    expect(witness.violations).to.have.length(2);
  });
});
