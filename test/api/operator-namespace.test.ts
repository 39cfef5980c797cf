import { expect } from 'chai';
import { until } from '../../hack/cluster/until.ts';
import { namespaceExists, operatorAgent, role, withOperator } from '../support/operator.ts';

const jobs = 30;
const replicas = 2;

describe('a namespace that is deleted with its jobs', function namespaceSuite() {
  this.timeout(180_000);
  const suite = withOperator();

  it('goes, without a fight over its pods', async () => {
    for (let index = 0; index < jobs; index += 1) await suite.create(`job-${index}`, role(replicas));
    for (let index = 0; index < jobs; index += 1) await suite.kubelet.runs(suite.key(`job-${index}`), 1, replicas);
    for (let index = 0; index < jobs; index += 1) await suite.condition(suite.key(`job-${index}`), 'Running', 'True');
    const mark = suite.audit.mark();
    await suite.plane.kubectl(['delete', 'namespace', suite.namespace, '--wait=false']);
    await until('the namespace is gone', async () => !(await namespaceExists(suite.plane, suite.namespace)), { timeoutSeconds: 120, everyMilliseconds: 250 });
    const writes = suite.audit.writesBy(operatorAgent, mark).filter(({ namespace }) => namespace === suite.namespace);
    expect(writes.filter(({ resource, code }) => resource === 'pods' && code === 201)).to.deep.equal([]);
    // What each deleted pod gives rise to, but no retries: nothing can be made in that namespace any more.
    expect(writes.length).to.be.at.most(jobs * 8);
  });
});
