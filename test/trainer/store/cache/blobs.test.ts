import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { openBlobs } from '../../../../trainer-image/src/store/cache/blobs.ts';
import type { Blobs } from '../../../../trainer-image/src/store/cache/blobs.ts';
import { folder } from '../../support.ts';

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('files by digest', function suite() {
  this.timeout(60_000);

  async function store(place: { path: string; write: (name: string, text: string) => string }, blobs: Blobs, text: string): Promise<string> {
    place.write('draft', text);
    return blobs.publish(`${place.path}/draft`, digest(text));
  }

  it('make room by the longest unused first, and never by one that a process holds', async () => {
    await using place = await folder();
    let now = 1e12;
    const options = { folder: place.path, maxBytes: 30, now: () => now, silenceMs: 600_000 };
    await using reader = openBlobs(options);
    const held = await store(place, reader, 'a'.repeat(10));
    for (const text of ['b', 'c']) {
      now += 1000;
      await using writer = openBlobs(options);
      await store(place, writer, text.repeat(10));
    }
    now += 1000;
    await using other = openBlobs(options);
    await store(place, other, 'd'.repeat(10));
    await other.makeRoom(0);
    expect(readdirSync(`${place.path}/blobs`).sort()).to.deep.equal(['a', 'c', 'd'].map((text) => digest(text.repeat(10))).sort());
    await other.makeRoom(30);
    expect(readdirSync(`${place.path}/blobs`).sort()).to.deep.equal(['a', 'd'].map((text) => digest(text.repeat(10))).sort());
    expect(readFileSync(held, 'utf8')).to.equal('a'.repeat(10));
  });

  it('are free again when the process that held them has been silent for long', async () => {
    await using place = await folder();
    let now = Date.now();
    await using dead = openBlobs({ folder: place.path, maxBytes: 10, now: () => now, silenceMs: 600_000 });
    await store(place, dead, 'a'.repeat(10));
    now += 700_000;
    await using living = openBlobs({ folder: place.path, maxBytes: 10, now: () => now, silenceMs: 600_000 });
    await store(place, living, 'b'.repeat(10));
    await living.makeRoom(0);
    expect(readdirSync(`${place.path}/blobs`)).to.deep.equal([digest('b'.repeat(10))]);
  });

  it('stay what they are for who holds them, and within bounds, whatever others do', async () => {
    const text = fc.nat(5).map((n) => String(n).repeat(n + 1));
    const step = fc.oneof(
      fc.record({ kind: fc.constant('publish' as const), who: fc.nat(2), text }),
      fc.record({ kind: fc.constant('hold' as const), who: fc.nat(2), text }),
      fc.record({ kind: fc.constant('release' as const), who: fc.nat(2), text }),
      fc.record({ kind: fc.constant('room' as const), who: fc.nat(2), text }),
      fc.record({ kind: fc.constant('damage' as const), who: fc.nat(2), text }),
    );
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      await using place = await folder();
      let now = 1e12;
      const opened = () => openBlobs({ folder: place.path, maxBytes: 8, now: () => now, silenceMs: 600_000 });
      const processes = [opened(), opened(), opened()];
      const holds = processes.map(() => new Map<string, string>());
      for (const { kind, who, text: content } of steps) {
        now += 1000;
        const [blobs, held] = [processes[who], holds[who]];
        if (blobs === undefined || held === undefined) return;
        if (kind === 'publish') held.set(content, await store(place, blobs, content));
        if (kind === 'hold') {
          const found = await blobs.hold(digest(content));
          if (found !== undefined) held.set(content, found);
        }
        if (kind === 'room') {
          // One that has not looked before: what others added since a look may be found late.
          await using fresh = opened();
          await fresh.makeRoom(content.length);
        }
        // Another program writes a new file there, as a backup that is put back does; links keep the old one.
        if (kind === 'damage' && existsSync(`${place.path}/blobs/${digest(content)}`)) {
          place.write('damaged', 'x');
          renameSync(`${place.path}/damaged`, `${place.path}/blobs/${digest(content)}`);
        }
        if (kind === 'release') {
          await blobs[Symbol.asyncDispose]();
          held.clear();
          processes[who] = opened();
        }
        for (const each of holds) for (const [whole, file] of each) expect(readFileSync(file, 'utf8')).to.equal(whole);
        if (kind !== 'room') continue;
        const inUse = new Set(holds.flatMap((each) => [...each.keys()].map(digest)));
        const free = readdirSync(`${place.path}/blobs`).filter((name) => !inUse.has(name)).reduce((sum, name) => sum + readFileSync(`${place.path}/blobs/${name}`).length, 0);
        const all = readdirSync(`${place.path}/blobs`).reduce((sum, name) => sum + readFileSync(`${place.path}/blobs/${name}`).length, 0);
        expect(all + content.length <= 8 || free === 0).to.equal(true);
      }
      for (const blobs of processes) await blobs[Symbol.asyncDispose]();
    }), { numRuns: 30 });
  });

  it('are copied where no hard link can be made', async () => {
    await using place = await folder();
    // Another file system, to which none leads.
    const elsewhere = mkdtempSync('/dev/shm/anneal-trainer-test-');
    try {
      symlinkSync(elsewhere, `${place.path}/uses`);
      await using blobs = openBlobs({ folder: place.path, maxBytes: 0, now: Date.now, silenceMs: 600_000 });
      const held = await store(place, blobs, 'a');
      await using other = openBlobs({ folder: place.path, maxBytes: 0, now: Date.now, silenceMs: 600_000 });
      expect(readFileSync(await other.hold(digest('a')) ?? '', 'utf8')).to.equal('a');
      await other.makeRoom(0);
      expect(readFileSync(held, 'utf8')).to.equal('a');
      expect(await blobs.hold(digest('b'))).to.equal(undefined);
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  });
});
