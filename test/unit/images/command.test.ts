import { join } from 'node:path';
import process from 'node:process';

import { expect } from 'chai';

import { run } from '../../../hack/images/command.ts';
import { ImageError } from '../../../hack/images/errors.ts';
import { repository } from '../../../hack/images/sources.ts';

async function failureOf(promise: Promise<unknown>): Promise<ImageError> {
  const failure = await promise.then(() => undefined, (error: unknown) => error);
  if (!(failure instanceof ImageError)) throw new Error(`Expected an ImageError, got ${String(failure)}.`);
  return failure;
}

describe('a command of an image build', () => {
  it('gives back what it printed', async () => {
    expect(await run('cat', [], { input: 'hello' })).to.equal('hello');
  });

  it('fails with its name, its status and the end of what it said', async () => {
    const failure = await failureOf(run('sh', ['-c', 'echo no space left on device >&2; exit 3']));
    expect(failure.code).to.equal('COMMAND_FAILED');
    expect(failure.message).to.match(/^sh .* ended with status 3:\nno space left on device$/s);
  });

  it('names a program that is not there', async () => {
    const failure = await failureOf(run('anneal-no-such-program', []));
    expect(failure.code).to.equal('TOOL_MISSING');
    expect(failure.message).to.include('anneal-no-such-program');
  });

  it('does not fail where a program ends before it has read its input', async () => {
    expect(await run('true', [], { input: 'x'.repeat(1_000_000) })).to.equal('');
  });
});

describe('the command line of the images', () => {
  const program = join(repository, 'hack', 'images', 'main.ts');

  it('says which images there are when it is asked for another', async () => {
    const failure = await failureOf(run(process.execPath, [program, 'databse']));
    expect(failure.message).to.include('There is no image named databse; there are operator, trainer and trainer-cuda.');
  });

  it('shows its usage', async () => {
    expect(await run(process.execPath, [program, '--help'])).to.match(/^Usage: .*--bundle/s);
  });
});
