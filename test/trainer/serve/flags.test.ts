import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { parseServeFlags } from '../../../trainer-image/src/serve/flags.ts';
import { serve } from '../../../trainer-image/src/serve/server.ts';
import { ended } from '../local/support.ts';
import { codeOf, folder } from '../support.ts';

const needed = ['--model-dir', 'model', '--name', 'digits'];

describe('the flags of serve', function suite() {
  this.timeout(60_000);

  it('have defaults', () => {
    expect(parseServeFlags(needed)).to.deep.equal({ modelDirectory: 'model', name: 'digits', port: 8080, maxBodyBytes: 16 * 1024 * 1024, drainMs: 5000 });
    expect(parseServeFlags([...needed, '--port', '0', '--max-body-bytes', '1', '--drain-seconds', '0', '--pseudonym-key', 'key'])).to.include({ port: 0, maxBodyBytes: 1, drainMs: 0, pseudonymKey: 'key' });
    expect(parseServeFlags(['--help'])).to.equal(undefined);
  });

  const wrong: readonly (readonly [string, readonly string[], string])[] = [
    ['no name', ['--model-dir', 'model'], 'serve needs --model-dir and --name. See --help.'],
    ['an unknown flag', [...needed, '--prot', '1'], "Unknown option '--prot'. See --help."],
    ['a port that is no number', [...needed, '--port', 'http'], '--port is "http". Write a whole number from 0 to 65535.'],
    ['a port that there is not', [...needed, '--port', '65536'], '--port is "65536". Write a whole number from 0 to 65535.'],
    ['no port', [...needed, '--port', ''], '--port is "". Write a whole number from 0 to 65535.'],
    ['a bound with a unit', [...needed, '--max-body-bytes', '16Mi'], '--max-body-bytes is "16Mi". Write a whole number from 1 to 1073741824.'],
    ['a time with a unit', [...needed, '--drain-seconds', '5s'], '--drain-seconds is "5s". Write a whole number from 0 to 3600.'],
  ];
  for (const [what, args, message] of wrong) {
    it(`refuse ${what}`, async () => {
      expect(await codeOf(() => Promise.resolve().then(() => parseServeFlags(args)))).to.include({ code: 'COMMAND_INVALID', message });
    });
  }

  it('are told in one line', async () => {
    await using place = await folder();
    expect(await ended(['serve', ...needed, '--port', 'http'], { directory: place.path })).to.deep.equal({ code: 2, stdout: '', stderr: 'error: --port is "http". Write a whole number from 0 to 65535. (COMMAND_INVALID)\n' });
  });

  it('name no port that another program listens on', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, resolve));
    const { port } = other.address() as AddressInfo;
    try {
      const error = await codeOf(() => serve({ modelDirectory: 'model', name: 'digits', port, maxBodyBytes: 1, drainMs: 0, threads: 1, log: () => undefined }));
      expect(error).to.include({ code: 'COMMAND_INVALID' });
      expect(error.message).to.match(new RegExp(`^The port ${port} cannot be listened on: .*EADDRINUSE.*\\. Write --port with another, or 0 for a free one\\.$`));
    } finally {
      await new Promise((resolve) => other.close(resolve));
    }
  });
});
