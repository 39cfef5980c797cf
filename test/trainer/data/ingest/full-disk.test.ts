import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect } from 'chai';
import { cachedFrom } from './beyond-memory.ts';

describe('rows that turn out to be too many for memory', function suite() {
  this.timeout(60_000);

  it('are told to need a larger volume where it is full', () => {
    // No file may grow beyond that: a write fails in its middle, as on a full disk.
    const { status, stdout, stderr } = spawnSync('prlimit', [`--fsize=${cachedFrom}`, process.execPath, path.join(import.meta.dirname, 'beyond-memory.ts')], { encoding: 'utf8' });
    expect(status, stderr).to.equal(0);
    expect(JSON.parse(stdout)).to.include({ code: 'VOLUME_WRITE' });
  });
});
