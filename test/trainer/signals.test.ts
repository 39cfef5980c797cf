import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { root } from './support.ts';

describe('a wish to stop', () => {
  it('that comes before anyone listens is heard', () => {
    const module = pathToFileURL(path.join(root, 'trainer-image/src/signals.ts')).href;
    const program = `
      const { onStopSignal } = await import('${module}');
      const heard = new Promise((resolve) => process.once('SIGTERM', resolve));
      process.kill(process.pid, 'SIGTERM');
      const awake = setInterval(() => undefined, 1000);
      await heard;
      clearInterval(awake);
      onStopSignal(() => process.exit(143));`;
    expect(spawnSync(process.execPath, ['--input-type=module', '--eval', program]).status).to.equal(143);
  });
});
