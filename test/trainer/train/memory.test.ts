import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { blobs, folder, trainerSpec } from '../support.ts';
import type { EnduranceInput, Held } from './endurance.ts';

const MiB = 1024 ** 2;

/** What is held at each fiftieth epoch of a thousand, after a collection of garbage. */
async function looksAt(job: object): Promise<readonly Held[]> {
  await using place = await folder();
  const spec = trainerSpec({ data: { source: { uri: place.write('rows.csv', blobs(203)) }, target: 'colour' }, model: { preset: 'MLP', units: [8], dropout: 0.3 }, ...job });
  const child = spawn(process.execPath, ['--expose-gc', path.join(import.meta.dirname, 'endurance.ts')], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(JSON.stringify({ spec, volume: place.path, every: 50 } satisfies EnduranceInput));
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'close') as Promise<[number | null]>]);
  expect(code).to.equal(0);
  return JSON.parse(output) as Held[];
}

/** Caches have filled by then. */
const warmLooks = 6;

function expectFlat(looks: readonly Held[]): void {
  expect(looks.length).to.be.at.least(20);
  expect(new Set(looks.map(({ tensors }) => tensors)).size, 'numbers of tensors').to.equal(1);
  expect(new Set(looks.map(({ nativeTensors }) => nativeTensors)).size, 'numbers of tensors of the native library').to.equal(1);
  const [warm, last] = [looks.slice(warmLooks, warmLooks + 3), looks.slice(-3)];
  const growth = (of: keyof Held): number => (Math.min(...last.map((look) => look[of])) - Math.max(...warm.map((look) => look[of]))) / MiB;
  // Of 450 epochs or more: less than 5 KiB each.
  expect(growth('nativeBytes'), 'MiB of native memory').to.be.below(2);
  // Metrics of each epoch stay, as the report at the end shows them.
  expect(growth('heapBytes'), 'MiB of the heap').to.be.below(2);
}

describe('the memory of a thousand epochs', function suite() {
  this.timeout(300_000);

  it('stays as it was', async () => expectFlat(await looksAt({ fit: { epochs: 1000, batchSize: 32 } })));

  it('stays as it was from fold to fold', async () => expectFlat(await looksAt({ fit: { epochs: 50, batchSize: 32 }, validation: { kFold: 20 } })));
});
