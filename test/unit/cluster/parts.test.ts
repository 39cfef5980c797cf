import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { CertificateAuthority } from '../../../hack/cluster/certificates.ts';
import { attempt, run } from '../../../hack/cluster/commands.ts';
import { dockerArchive } from '../../../hack/cluster/embedded/images.ts';
import { dnsAddress, nodeAddress, podCidr, serviceCidr } from '../../../hack/cluster/embedded/network.ts';
import { tar } from '../../../hack/cluster/embedded/tar.ts';
import { withLock } from '../../../hack/cluster/lock.ts';
import { isAlive, ready, start, startTicks, stop } from '../../../hack/cluster/processes.ts';
import { ProcessTable } from '../../../hack/cluster/processtable.ts';
import { until } from '../../../hack/cluster/until.ts';

describe('the parts of a cluster', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cluster-parts-'));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  describe('a certificate authority of a cluster', () => {
    it('issues certificates that it signed, for the names and addresses that were asked for', async () => {
      const authority = await CertificateAuthority.create('test');
      const issued = new X509Certificate((await authority.issue({ commonName: 'system:node:a', organizations: ['system:nodes'], hosts: ['10.1.2.3', 'a.example'] })).certificate);
      expect(issued.verify(new X509Certificate(authority.pair.certificate).publicKey)).to.equal(true);
      expect(issued.subject).to.include('O=system:nodes').and.to.include('CN=system:node:a');
      expect(issued.checkIP('10.1.2.3')).to.equal('10.1.2.3');
      expect(issued.checkHost('a.example')).to.equal('a.example');
      expect(issued.checkIP('10.1.2.4')).to.equal(undefined);
    });

    it('goes on issuing after it was loaded from its files', async () => {
      const { pair } = await CertificateAuthority.create('test');
      const issued = new X509Certificate((await (await CertificateAuthority.load(pair)).issue({ commonName: 'later' })).certificate);
      expect(issued.verify(new X509Certificate(pair.certificate).publicKey)).to.equal(true);
    });
  });

  describe('an image archive', () => {
    it('is a tar that tar reads, whatever the sizes of its files', async () => {
      await fc.assert(fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 1500 }), { minLength: 1, maxLength: 4 }), async (contents) => {
        const file = join(folder, 'archive.tar');
        await writeFile(file, tar(contents.map((content, index) => ({ name: `f${index}`, content: Buffer.from(content), mode: 0o644 }))));
        for (const [index, content] of contents.entries()) {
          await run('tar', ['-xf', file, '-C', folder, `f${index}`]);
          expect(await readFile(join(folder, `f${index}`))).to.deep.equal(Buffer.from(content));
        }
      }), { numRuns: 15 });
    });

    it('is the same whenever it is made from the same program', () => {
      const archive = (): Buffer => dockerArchive('example.invalid/a:1', 'a', Buffer.from('program'));
      expect(archive().equals(archive())).to.equal(true);
    });
  });

  describe('the addresses of an embedded cluster', () => {
    it('never meet: nodes, pods of each node, Services', () => {
      fc.assert(fc.property(fc.integer({ min: 200, max: 249 }), fc.uniqueArray(fc.integer({ min: 1, max: 20 }), { minLength: 2, maxLength: 2 }), (block, [one = 1, other = 2]) => {
        const network = { id: 'x', block };
        const third = (address: string): number => Number(address.split('.')[2]);
        expect(nodeAddress(network, one)).not.to.equal(nodeAddress(network, other));
        expect(podCidr(network, one)).not.to.equal(podCidr(network, other));
        expect(third(podCidr(network, one))).to.be.within(17, 127);
        expect(third(serviceCidr(network))).to.equal(128);
        expect(third(dnsAddress(network))).to.equal(128);
      }));
    });
  });

  describe('a process of a cluster', () => {
    const sleeper = { name: 'sleeper', command: 'sleep', args: ['60'] };

    it('is known by pid and start time, so that a pid that somebody else has now is left alone', async () => {
      const record = await start({ ...sleeper, log: join(folder, 'log') });
      try {
        await stop({ ...record, startTicks: record.startTicks - 1 });
        expect(await isAlive(record)).to.equal(true);
      } finally {
        await stop(record, 0);
      }
      expect(await isAlive(record)).to.equal(false);
    });

    it('that dies at its start is reported with its last lines', async () => {
      const table = await ProcessTable.open(folder);
      const record = await table.start({ name: 'failing', command: 'sh', args: ['-c', 'sleep 0.2; echo "no such flag" >&2; exit 1'], log: join(folder, 'log') });
      let message = '';
      await ready(record, () => Promise.resolve(false), 10).catch((error: unknown) => (message = String(error)));
      expect(message).to.include('failing ended').and.to.include('no such flag');
    });

    it('that is kept up starts again after it ended, and ends for good with its record', async () => {
      const log = join(folder, 'log');
      const record = await start({ name: 'fragile', command: 'sh', args: ['-c', 'echo "here I am"; exec sleep 60'], log, keptUp: true });
      const starts = async (): Promise<number> => (await readFile(log, 'utf8')).split('here I am').length - 1;
      const child = async (): Promise<number> => Number(await readFile(`/proc/${record.pid}/task/${record.pid}/children`, 'utf8'));
      try {
        await until('it has started', async () => (await starts()) === 1, { timeoutSeconds: 10 });
        process.kill(await child(), 'SIGKILL');
        await until('it has started again', async () => (await starts()) === 2, { timeoutSeconds: 10 });
        const last = await child();
        await stop(record, 0);
        await until('the command has ended too', async () => (await startTicks(last)) === undefined, { timeoutSeconds: 10 });
      } finally {
        await stop(record, 0);
      }
      expect(await readFile(log, 'utf8')).to.include('fragile ended with status 137; starting it again');
    });

    it('is found by its mark when the record of it was lost, and so are its children', async () => {
      const table = await ProcessTable.open(folder);
      await table.start({ name: 'parent', command: 'sh', args: ['-c', 'sleep 60 & wait'], log: join(folder, 'log') });
      await rm(join(folder, 'processes.json'));
      const reopened = await ProcessTable.open(folder);
      expect(reopened.records).to.deep.equal([]);
      await reopened.stopAll(0);
      expect(await reopened.marked()).to.deep.equal([]);
    });

    it('keeps its record when several are started side by side', async () => {
      const table = await ProcessTable.open(folder);
      await Promise.all([1, 2, 3, 4, 5].map(async (number) => table.start({ ...sleeper, name: `sleeper-${number}`, log: join(folder, `log${number}`) })));
      try {
        expect((await ProcessTable.open(folder)).records.map(({ name }) => name).sort()).to.deep.equal(['sleeper-1', 'sleeper-2', 'sleeper-3', 'sleeper-4', 'sleeper-5']);
      } finally {
        await table.stopAll(0);
      }
    });

    it('has no start time once it is a zombie or gone', async () => {
      expect(await startTicks(2 ** 22 + 1)).to.equal(undefined);
      expect(await startTicks(process.pid)).to.be.a('number');
    });
  });

  describe('a lock', () => {
    it('lets one work at a time', async () => {
      let inside = 0;
      let most = 0;
      await Promise.all([1, 2, 3].map(async () => withLock(join(folder, 'lock'), 'another holds it', async () => {
        most = Math.max(most, (inside += 1));
        await attempt('true', []);
        inside -= 1;
      })));
      expect(most).to.equal(1);
    });

    it('is free again after its work failed', async () => {
      const file = join(folder, 'lock');
      let failed = false;
      await withLock(file, 'another holds it', () => Promise.reject(new Error('no'))).catch(() => (failed = true));
      expect(failed).to.equal(true);
      expect(await withLock(file, 'another holds it', () => Promise.resolve('done'))).to.equal('done');
    });
  });
});
