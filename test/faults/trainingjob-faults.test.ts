import { expect } from 'chai';
import { runSchedule, referencesOf } from '../support/faults/soak.ts';
import type { SoakRun } from '../support/faults/soak.ts';
import type { Disturbance, Trouble } from '../support/faults/schedule.ts';
import { trainingJobScenarios } from '../support/faults/scenarios.ts';
import { sharedBed } from '../support/faults/shared-bed.ts';

interface Situation {
  readonly scenario: string;
  readonly standby?: boolean;
  readonly disturbances: readonly Disturbance[];
}

const at = (atWrite: number, trouble: Trouble): Disturbance => ({ atWrite, trouble });

const situations: Readonly<Record<string, Situation>> = {
  'writes meet conflicts': { scenario: 'gang', disturbances: [at(2, { kind: 'respond409', times: 2, of: 'Writes' }), at(8, { kind: 'respond409', times: 2, of: 'Writes' })] },
  'writes are refused, now for a second, now for good': { scenario: 'gang', disturbances: [at(3, { kind: 'respond429', times: 2, of: 'Writes' }), at(9, { kind: 'respond500', times: 3, of: 'Writes' })] },
  'nothing is answered but that the service is away': { scenario: 'elastic', disturbances: [at(4, { kind: 'respond503', times: 8, of: 'All' }), at(12, { kind: 'cutWatches' }), at(12, { kind: 'respond503', times: 8, of: 'All' })] },
  'writes break off, done or not': { scenario: 'elastic', disturbances: [at(2, { kind: 'loseReply', times: 3, of: 'Writes' }), at(9, { kind: 'reset', times: 2, of: 'Writes' }), at(14, { kind: 'loseReply', times: 2, of: 'Writes' })] },
  'writes hang': { scenario: 'gang', disturbances: [at(4, { kind: 'hang', times: 1, of: 'Writes' }), at(9, { kind: 'hangAfterHead', times: 1, of: 'Writes' })] },
  'watches are cut, garbled and told that their version is gone': { scenario: 'elastic', disturbances: [at(3, { kind: 'cutWatches' }), at(6, { kind: 'garbage' }), at(9, { kind: 'gone' }), at(12, { kind: 'cutInsideEvent' })] },
  'the API server falls behind': { scenario: 'gang', disturbances: [at(5, { kind: 'staleServer', seconds: 3, choice: 0 })] },
  'the operator restarts into the past, its pods made but not seen': { scenario: 'gang', disturbances: [at(4, { kind: 'crashIntoThePast', seconds: 3, choice: 0 })] },
  'the operator restarts into the past, after a failure': { scenario: 'elastic', disturbances: [at(10, { kind: 'crashIntoThePast', seconds: 3, choice: 0 }), at(16, { kind: 'crash', side: 'before' })] },
  'the leader freezes, and another takes over': { scenario: 'gang', standby: true, disturbances: [at(6, { kind: 'freeze', seconds: 20, choice: 0 })] },
  'the leader cannot renew its lease, and another takes over': { scenario: 'elastic', standby: true, disturbances: [at(8, { kind: 'blockLease', seconds: 20, choice: 0 })] },
  'pods are deleted and evicted': { scenario: 'gang', disturbances: [at(5, { kind: 'deletePod', choice: 0 }), at(9, { kind: 'evictPod', choice: 1 }), at(14, { kind: 'evictPod', choice: 2 })] },
  'a node is lost, the operator too, and the node comes back': { scenario: 'elastic', disturbances: [at(5, { kind: 'nodeNotReady', seconds: 6, choice: 1 }), at(7, { kind: 'crash', side: 'after' })] },
  'the wall clock jumps an hour ahead': { scenario: 'gang', disturbances: [at(4, { kind: 'clockJump', seconds: 3600 })] },
  'the wall clock is set twice at one write': { scenario: 'single', disturbances: [at(2, { kind: 'clockJump', seconds: 60 }), at(2, { kind: 'clockJump', seconds: -3600 })] },
};

/** Each run mostly waits. */
const lanes = 3;

describe('a TrainingJob comes to its end, breaks no invariant, and is as if nothing had happened where its pods were spared, when', function faultSuite() {
  // A cold cache builds Kubernetes first.
  this.timeout(1_800_000);
  const runs = new Map(Object.keys(situations).map((name) => [name, Promise.withResolvers<SoakRun>()]));

  before(async () => {
    const bed = await sharedBed();
    const references = await referencesOf(bed);
    const queue = Object.entries(situations).map(([name, { scenario, standby = false, disturbances }], index) => ({
      run: runs.get(name), schedule: { name: `table-${index}`, scenario: trainingJobScenarios.findIndex((other) => other.name === scenario), standby, disturbances },
    }));
    const lane = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        await runSchedule(bed, references, next.schedule).then(next.run?.resolve, next.run?.reject);
      }
    };
    for (const { promise } of runs.values()) promise.catch(() => undefined);
    for (let index = 0; index < lanes; index += 1) void lane();
  });

  after(async () => {
    await Promise.allSettled([...runs.values()].map(async ({ promise }) => promise));
  });

  for (const name of Object.keys(situations)) {
    it(name, async () => {
      expect((await runs.get(name)?.promise)?.faults).to.deep.equal([]);
    });
  }
});
