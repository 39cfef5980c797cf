import { expect } from 'chai';

import { imageEnvironment } from '../../../hack/images/environment.ts';

describe("an image's environment", () => {
  it('is what its Dockerfile sets', async () => {
    expect(await imageEnvironment('operator')).to.deep.equal({
      NODE_ENV: 'production',
      NODE_OPTIONS: '--max-semi-space-size=2',
      MALLOC_ARENA_MAX: '1',
      MALLOC_TRIM_THRESHOLD_: '131072',
      NODE_COMPILE_CACHE: '/app/compile-cache',
    });
    expect(await imageEnvironment('trainer')).to.include({ NODE_ENV: 'production' });
  });
});
