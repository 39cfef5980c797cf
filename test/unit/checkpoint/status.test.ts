import { expect } from 'chai';
import fc from 'fast-check';
import type { CheckpointReport, TrainingJob, TrainingJobSpec } from '@anneal/operator/api';
import { assess } from '../../../operator/src/controllers/trainingjob/assess.ts';
import { checkpointContext, checkpointOf, replyTo } from '../../../operator/src/controllers/trainingjob/checkpoint.ts';
import type { JobStatus, Observed } from '../../../operator/src/controllers/trainingjob/observe.ts';
import { statusOf } from '../../../operator/src/controllers/trainingjob/status.ts';
import type { Node } from '../../../operator/src/domain/node.ts';
import { begunJob, endedStatus, job, now, pod, runningStatus, seen, withRole } from '../../support/builders/training-job.ts';

const spec = (checkpoint: Partial<TrainingJobSpec['checkpoint']>): Partial<TrainingJobSpec> => ({ checkpoint: { volume: {}, interval: { mode: 'EveryEpoch' }, keep: 2, ...checkpoint } });
const auto = spec({ interval: { mode: 'Auto' } });
const at = (seconds: number): string => new Date(now + seconds * 1000).toISOString().replace('.000Z', 'Z');
const written = (over: Partial<CheckpointReport> = {}): CheckpointReport => ({ epoch: 2, step: 20, time: at(0), path: 'checkpoints/epoch-000002', ...over });

const node = (name: string, over: Partial<Node> = {}): Node => ({ apiVersion: 'v1', kind: 'Node', metadata: { name }, labels: {}, taints: [], conditions: [], ...over });
const spot = node('node-1', { labels: { 'karpenter.sh/capacity-type': 'spot' } });

function told(of: TrainingJob, checkpoint: CheckpointReport, over: Partial<Observed> = {}): Observed {
  return seen(of, { pods: [pod(of, 1, runningStatus)], over: { progress: { report: undefined, timeMs: now, checkpoint }, ...over } });
}

/** The status after what was seen, as the next pass finds it. */
function next(of: TrainingJob, situation: Observed): TrainingJob {
  return { ...of, status: statusOf(situation, assess(situation, now), { kind: 'done', writes: 0 }, now) };
}

describe('the checkpoint in the status', () => {
  it('says where it is, and what it cost', () => {
    const of = begunJob();
    const { checkpoint } = next(of, told(of, written({ writeSeconds: 1.25 }))).status ?? {};
    expect(checkpoint).to.deep.equal({ epoch: 2, step: 20, time: at(0), path: 'checkpoints/epoch-000002', uri: `pvc://${seen(of).volume?.claimName ?? ''}/checkpoints/epoch-000002`, complete: true, writeSeconds: 1.25 });
  });

  it('is complete once it is in the bucket, where there is one', () => {
    const of = begunJob(spec({ s3: { bucket: 'models', region: 'us-east-1', addressing: 'Auto' } }));
    expect(next(of, told(of, written())).status?.checkpoint).to.include({ complete: false });
    expect(next(of, told(of, written({ copied: true }))).status?.checkpoint).to.include({ complete: true, uri: 's3://models/team-a/digits/checkpoints/epoch-000002' });
  });

  it('of a role\'s program has the uri that the program gave', () => {
    const of = begunJob(withRole(1));
    expect(next(of, told(of, { epoch: 0, step: 7, time: at(0), uri: 'gs://bucket/7' })).status?.checkpoint).to.deep.equal({ epoch: 0, step: 7, time: at(0), uri: 'gs://bucket/7', complete: true });
  });

  it('changes with checkpoints alone, so that time passing writes nothing', () => {
    const of = begunJob(auto, { startTime: at(-5000) });
    const first = next(of, told(of, written({ writeSeconds: 2 })));
    const later = told(first, written({ writeSeconds: 2 }), { progress: { report: undefined, timeMs: now + 1_000_000, checkpoint: written({ writeSeconds: 2 }) } });
    expect(checkpointOf(later, { spent: {} })).to.deep.equal(first.status?.checkpoint);
  });

  it('takes the mean of the newest writes', () => {
    const of = begunJob(auto);
    const first = next(of, told(of, written({ writeSeconds: 4 })));
    expect(checkpointOf(told(first, written({ step: 30, time: at(60), writeSeconds: 8 })), { spent: {} })?.writeSeconds).to.equal(5);
  });
});

describe('the interval of mode Auto', () => {
  const interval = (of: TrainingJob, over: Partial<Observed> = {}, spent = {}, writeSeconds = 10) => checkpointOf(told(of, written({ writeSeconds }), over), { spent });

  it('is shorter on spot nodes and with each interruption, and bounded', () => {
    const of = begunJob(auto, { startTime: at(-36_000) });
    const onDemand = interval(of);
    const onSpot = interval(of, { nodes: new Map([['node-1', spot]]) });
    const interrupted = interval(of, { nodes: new Map([['node-1', spot]]) }, { spotReclaim: 9 });
    expect(onSpot?.meanSecondsBetweenInterruptions).to.equal(4 * 3600 + 36_000);
    expect(interrupted?.meanSecondsBetweenInterruptions).to.equal((4 * 3600 + 36_000) / 10);
    expect([onDemand?.intervalSeconds, onSpot?.intervalSeconds, interrupted?.intervalSeconds]).to.deep.equal([3600, 997.3, 310.9]);
  });

  it('expects a job on several nodes to lose any of them the sooner', () => {
    const of = begunJob(auto);
    const nodes = new Map(['a', 'b', 'c', 'd'].map((name) => [name, { ...spot, metadata: { name } }]));
    expect(interval(of, { nodes })?.meanSecondsBetweenInterruptions).to.equal(3600);
    expect(interval(of, { nodes: new Map([...nodes, ['e', node('e')]]) })?.meanSecondsBetweenInterruptions).to.equal(3600);
    expect(interval(of, { nodes: new Map([['e', node('e')], ['f', node('f')]]) })?.meanSecondsBetweenInterruptions).to.equal(84 * 3600);
  });

  it('does not count images that could not be pulled, which cost no work', () => {
    const of = begunJob(auto);
    expect(interval(of, {}, { imagePull: 5 })).to.deep.equal(interval(of));
  });

  it('holds for the next pods, which begin with a minute before anything was measured', () => {
    const of = begunJob(auto);
    expect(checkpointContext(seen(of)).intervalSeconds).to.equal(60);
    expect(checkpointContext(seen(next(of, told(of, written({ writeSeconds: 10 }))))).intervalSeconds).to.equal(3471);
    expect(checkpointContext(seen(begunJob(spec({ interval: { mode: 'Fixed', seconds: 300 } })))).intervalSeconds).to.equal(300);
    expect(checkpointContext(seen(begunJob())).intervalSeconds).to.equal(0);
  });
});

describe('the answer to a report', () => {
  const status: JobStatus = { checkpoint: { step: 1, time: at(0), complete: true, intervalSeconds: 123 } };

  it('tells the interval, where there is one, as it is now', () => {
    expect(replyTo(job(auto, status), [])).to.deep.equal({ checkpointIntervalSeconds: 123 });
    expect(replyTo(job(spec({ interval: { mode: 'Fixed', seconds: 300 } }), status), [])).to.deep.equal({ checkpointIntervalSeconds: 300 });
    expect(replyTo(job({}, status), [])).to.deep.equal({});
  });

  it('asks for a checkpoint while a node of the job is about to go, not for mere advice', () => {
    const tainted = (key: string): Node => node('node-2', { taints: [{ key }] });
    expect(replyTo(job(), [node('node-1'), tainted('aws-node-termination-handler/spot-itn')])).to.deep.equal({ checkpointNow: 'node-2/aws-node-termination-handler/spot-itn' });
    expect(replyTo(job(), [tainted('ToBeDeletedByClusterAutoscaler')])).to.deep.equal({ checkpointNow: 'node-2/ToBeDeletedByClusterAutoscaler' });
    const [one, two] = [tainted('ToBeDeletedByClusterAutoscaler'), { ...tainted('karpenter.sh/disrupted'), metadata: { name: 'node-1' } }];
    expect(replyTo(job(), [one, two])).to.deep.equal({ checkpointNow: 'node-1/karpenter.sh/disrupted, node-2/ToBeDeletedByClusterAutoscaler' }).and.deep.equal(replyTo(job(), [two, one]));
    expect(replyTo(job(), [tainted('aws-node-termination-handler/rebalance-recommendation')])).to.deep.equal({});
  });
});

describe('lost seconds', () => {
  const failed = (of: TrainingJob, checkpoint: CheckpointReport | undefined, failedAt: number) => {
    const ended = endedStatus(1, { startedAt: at(-1000), finishedAt: at(failedAt) });
    return next(of, seen(of, { pods: [pod(of, 1, ended)], over: { progress: { report: undefined, timeMs: now, checkpoint } } })).status?.lostSeconds;
  };

  it('are those from the newest checkpoint to the failure', () => {
    expect(failed(begunJob(), written({ time: at(-300) }), -100)).to.equal(200);
  });

  it('are those from the begin of the attempt where it wrote none, and none where it wrote one at its end', () => {
    expect(failed(begunJob(), undefined, -100)).to.equal(900);
    expect(failed(begunJob(), written({ time: at(-5000) }), -100)).to.equal(900);
    expect(failed(begunJob(), written({ time: at(-100) }), -100)).to.equal(0);
  });

  it('add up', () => {
    expect(failed(begunJob({}, { lostSeconds: 50 }), written({ time: at(-300) }), -100)).to.equal(250);
  });

  it('never shrink, whatever the clocks say', () => {
    fc.assert(fc.property(fc.integer({ min: -10_000, max: 10_000 }), fc.integer({ min: -10_000, max: 10_000 }), (checkpointAt, failedAt) => {
      expect(failed(begunJob({}, { lostSeconds: 50 }), written({ time: at(checkpointAt) }), failedAt)).to.be.at.least(50);
    }));
  });
});
