import { expect } from 'chai';
import { until } from '../../hack/cluster/until.ts';
import { canBePod, note, role, withOperator } from '../support/operator.ts';

const jobs = 1000;
const replicas = 2;
/** Generous: a leak or a cache of whole objects must fail here, a busy machine must not. What reads a kubeconfig costs 50 MiB more. */
const mostMiB = canBePod ? 250 : 320;

describe('the memory of an operator', function memorySuite() {
  this.timeout(600_000);
  const suite = withOperator();

  it(`stays small, idle and beside ${jobs} jobs with ${jobs * replicas} pods`, async () => {
    const again = await restarted();
    note(`ready after ${again.readyMs.toFixed(0)} ms; idle: ${(await suite.operator.rssMiB()).toFixed(0)} MiB resident`);
    expect(await suite.operator.rssMiB()).to.be.below(mostMiB / 2);

    let next = 0;
    const create = async (): Promise<void> => {
      while (next < jobs) {
        next += 1;
        await suite.create(`job-${next}`, role(replicas));
      }
    };
    await Promise.all(Array.from({ length: 24 }, create));
    const active = async (): Promise<boolean> => (await suite.jobs()).filter(({ status }) => status?.attempt === 1).length === jobs;
    await until('every job has its pods', active, { timeoutSeconds: 400, everyMilliseconds: 2000 });
    note(`with ${jobs} jobs and ${jobs * replicas} pods: ${(await suite.operator.rssMiB()).toFixed(0)} MiB resident, ${(await suite.operator.peakRssMiB()).toFixed(0)} MiB at most`);
    expect(await suite.operator.peakRssMiB()).to.be.below(mostMiB);
    const restartedBeside = await restarted();
    note(`ready after ${restartedBeside.readyMs.toFixed(0)} ms beside them, ${(await suite.operator.peakRssMiB()).toFixed(0)} MiB at most`);
    expect(await suite.operator.peakRssMiB()).to.be.below(mostMiB);
  });

  async function restarted(): Promise<{ readonly readyMs: number }> {
    await suite.operator.stop();
    suite.useOperator(await suite.operator.relaunch());
    return { readyMs: await suite.operator.ready() };
  }
});
