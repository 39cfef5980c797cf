import { expect } from 'chai';
import { headlessService, serviceName } from '../../../operator/src/domain/cluster-env/network.ts';
import { jobOf } from '../../support/builders/places.ts';
import { role } from '../../support/builders/training-job.ts';

describe('the Service of a job', () => {
  const named = (name: string) => ({ ...jobOf({ framework: 'PyTorch', roles: [role('worker', 2)] }), name });

  for (const name of ['digits', '2nd-run', 'digits.v2', '1a.b.c', '9'.repeat(63), `${'a'.repeat(40)}.${'b'.repeat(22)}`]) {
    it(`has a name that a Service may have: of the job ${name}`, () => {
      expect(serviceName(named(name))).to.match(/^[a-z]([-a-z0-9]*[a-z0-9])?$/).and.satisfy(({ length }: string) => length <= 63);
      expect(headlessService(named(name)).metadata.name).to.equal(serviceName(named(name)));
    });
  }
});
