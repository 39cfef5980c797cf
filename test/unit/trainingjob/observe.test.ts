import { expect } from 'chai';
import { observe, watches } from '../../../operator/src/controllers/trainingjob/observe.ts';
import { MemoryProgressBoard } from '../../../operator/src/controllers/trainingjob/progress-board.ts';
import { modelDeployment, trainedJob } from '../../support/builders/model-deployment.ts';
import { MemoryStores } from '../../support/memory-stores.ts';

describe('a TrainingJob with a time to live', () => {
  const servedBy = (deployment: ReturnType<typeof modelDeployment>) => {
    const memory = new MemoryStores(watches);
    memory.put(trainedJob('succeeded'));
    memory.put(deployment);
    return observe({ namespace: 'team-a', name: 'digits' }, memory.stores, new MemoryProgressBoard(() => undefined))?.servedBy;
  };

  it('is needed by a deployment that serves it, or that waits for it and has not seen its end yet', () => {
    expect(servedBy(modelDeployment({ model: { fromSweep: 'digits' } }, { trainingJob: 'digits' }))).to.deep.equal(['served']);
    expect(servedBy(modelDeployment())).to.deep.equal(['served']);
    expect(servedBy(modelDeployment({ model: { fromSweep: 'digits' } }))).to.deep.equal([]);
  });
});
