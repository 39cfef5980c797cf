import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { labels } from '@anneal/operator/api';
import { nodes, pods, trainingJobs } from '../../../operator/src/controllers/shared/watched.ts';
import { MemoryProgressBoard } from '../../../operator/src/controllers/trainingjob/progress-board.ts';
import { ProgressReceiver } from '../../../operator/src/controllers/trainingjob/progress-receiver.ts';
import { job, now, withRole } from '../../support/builders/training-job.ts';
import { MemoryStores } from '../../support/memory-stores.ts';

const kubeflow = '/apis/trainer.kubeflow.org/v1alpha1/namespaces/team-a/trainjobs/digits/status';

interface Operator extends AsyncDisposable {
  readonly url: string;
  readonly board: MemoryProgressBoard;
  readonly memory: MemoryStores<{ jobs: typeof trainingJobs; pods: typeof pods; nodes: typeof nodes }>;
  post(path: string, body: unknown, token?: string): Promise<{ status: number; body: string }>;
}

/** An operator's receiver with a job of two pods; a token is `POD`. @param leader  address of another that leads */
async function operator(leader?: () => string | null | undefined): Promise<Operator> {
  const memory = new MemoryStores({ jobs: trainingJobs, pods, nodes });
  const of = job({ ...withRole(2), checkpoint: { volume: {}, interval: { mode: 'Auto' }, keep: 2 } }, { checkpoint: { step: 1, time: '2026-03-01T12:00:00Z', complete: true, intervalSeconds: 90 } });
  memory.put(of);
  for (const index of [0, 1]) {
    memory.put({
      apiVersion: 'v1', kind: 'Pod',
      metadata: {
        name: `digits-worker-${index}`, namespace: 'team-a', uid: `uid-${index}`,
        labels: { [labels.managedBy]: 'anneal', [labels.role]: 'worker', [labels.index]: String(index), [labels.attempt]: String(3 - index) },
        ownerReferences: [{ apiVersion: 'anneal.dev/v1alpha1', kind: 'TrainingJob', name: 'digits', uid: 'uid-of-digits', controller: true }],
      },
      spec: { nodeName: `node-${index}`, containers: [{ name: 'main' }] },
    } as never);
    memory.put({ apiVersion: 'v1', kind: 'Node', metadata: { name: `node-${index}` } });
  }
  const board = new MemoryProgressBoard(() => undefined, now);
  const { stores } = memory;
  const server: Server = new ProgressReceiver({
    client: { create: (_, object) => Promise.resolve({ ...object, status: reviewed((object as unknown as { spec: { token: string } }).spec.token) }) as never },
    pods: stores.pods, jobs: stores.jobs, nodes: stores.nodes, board,
    clock: { now: () => now, monotonic: () => 0 } as never,
    leaderAddress: leader ?? (() => undefined),
  }).server();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url, board, memory,
    post: async (path, body, token = 'digits-worker-0') => {
      const answer = await fetch(`${url}${path}`, { method: 'POST', headers: { authorization: `Bearer ${token}` }, body: typeof body === 'string' ? body : JSON.stringify(body), redirect: 'manual' });
      return { status: answer.status, body: await answer.text() };
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function reviewed(token: string) {
  if (!token.startsWith('digits-worker-')) return { authenticated: false };
  return { authenticated: true, user: { username: 'system:serviceaccount:team-a:default', extra: { 'authentication.kubernetes.io/pod-name': [token], 'authentication.kubernetes.io/pod-uid': [`uid-${token.slice(-1)}`] } } };
}

const status = (over: object = {}) => ({ trainerStatus: { progressPercentage: 42, estimatedRemainingSeconds: 120, metrics: [{ name: 'loss', value: '0.123' }, { name: 'current_step', value: '40' }, { name: 'current_epoch', value: '1.5' }, { name: 'total_steps', value: '100' }, { name: 'odd', value: 'nan' }], lastUpdatedTime: '2026-03-01T12:00:00+00:00', ...over } });
const report = { attempt: 3, epoch: 1, epochs: 5, step: 10, percent: 20, remainingSeconds: 3, metrics: {} };

describe('what a role\'s program tells', () => {
  it('as Kubeflow\'s clients do is progress, and answered with the 200 that they wait for', async () => {
    await using leader = await operator();
    expect(await leader.post(kubeflow, status())).to.deep.equal({ status: 200, body: '{}' });
    expect(leader.board.newest('uid-of-digits')?.report).to.deep.equal({ attempt: 3, epoch: 1, epochs: 0, step: 40, percent: 42, remainingSeconds: 120, metrics: { loss: 0.123 } });
    expect((await leader.post(kubeflow, { trainerStatus: { progressPercentage: 0 } })).status).to.equal(200);
  });

  it('is refused for another job, in other words, and without a token', async () => {
    await using leader = await operator();
    expect((await leader.post(kubeflow.replace('digits', 'other'), status())).status).to.equal(403);
    for (const wrong of ['{', '[]', {}, { trainerStatus: 1 }, status({ progressPercentage: 101 }), status({ progressPercentage: 1e999 }), status({ metrics: {} })]) expect((await leader.post(kubeflow, wrong)).status).to.equal(400);
    expect((await leader.post(kubeflow, status(), 'stranger')).status).to.equal(401);
    expect((await leader.post('/apis/other', status())).status).to.equal(404);
    expect(leader.board.newest('uid-of-digits')).to.equal(undefined);
  });

  it('of a checkpoint needs no progress beside it', async () => {
    await using leader = await operator();
    expect((await leader.post('/v1/checkpoints', { step: 40, uri: 'gs://bucket/40', writeSeconds: 3 })).status).to.equal(200);
    expect(leader.board.newest('uid-of-digits')).to.deep.include({ report: undefined, checkpoint: { epoch: 0, step: 40, uri: 'gs://bucket/40', writeSeconds: 3, time: '2026-03-01T12:00:00Z' } });
    await leader.post(kubeflow, status());
    expect(leader.board.newest('uid-of-digits')?.checkpoint?.step).to.equal(40);
    for (const wrong of [{ step: 1 }, { step: -1, path: 'a' }, { step: 1, path: '/etc' }, { step: 1, path: 'a/../../b' }, { step: 1, path: 'a', writeSeconds: 'x' }]) expect((await leader.post('/v1/checkpoints', wrong)).status).to.equal(400);
  });

  it('is heard from each pod, whichever attempt another is at', async () => {
    await using leader = await operator();
    await leader.post('/v1/progress', report);
    await leader.post('/v1/progress', { ...report, attempt: 2, step: 11 }, 'digits-worker-1');
    expect(leader.board.newest('uid-of-digits')?.report?.step).to.equal(11);
    expect((await leader.post('/v1/progress', { ...report, attempt: 2 })).status).to.equal(403);
  });
});

describe('the answer of the operator', () => {
  it('tells the interval, and asks for a checkpoint when any node of the job is to go', async () => {
    await using leader = await operator();
    expect(await leader.post('/v1/progress', report)).to.deep.equal({ status: 200, body: '{"checkpointIntervalSeconds":90}' });
    leader.memory.put({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' }, spec: { taints: [{ key: 'aws-node-termination-handler/spot-itn', effect: 'NoSchedule' }] } } as never);
    expect(JSON.parse((await leader.post('/v1/progress', report)).body)).to.deep.equal({ checkpointIntervalSeconds: 90, checkpointNow: 'node-1/aws-node-termination-handler/spot-itn' });
  });

  it('comes through one that does not lead, also to clients that follow no redirect', async () => {
    await using leader = await operator();
    await using standby = await operator(() => new URL(leader.url).host);
    expect(await standby.post(kubeflow, status())).to.deep.equal({ status: 200, body: '{}' });
    expect(leader.board.newest('uid-of-digits')?.report?.step).to.equal(40);
    expect((await standby.post('/v1/progress', report)).status).to.equal(307);
  });

  it('is that nobody leads when two take each other for the leader, or there is none', async () => {
    let other = '';
    await using one = await operator(() => other);
    await using two = await operator(() => new URL(one.url).host);
    other = new URL(two.url).host;
    expect((await one.post(kubeflow, status())).status).to.equal(503);
    await using none = await operator(() => null);
    expect((await none.post(kubeflow, status())).status).to.equal(503);
  });
});
