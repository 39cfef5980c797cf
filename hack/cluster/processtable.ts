import { existsSync } from 'node:fs';
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive, isGone, start, startTicks, stop } from './processes.ts';
import type { ProcessRecord, ProcessSpec } from './processes.ts';

/** In the environment of each process of a cluster and of all it starts: how they are found when no record of them is left. */
const marker = 'ANNEAL_CLUSTER_DIR';

/** The processes of one cluster, kept in its folder so that another program can tell their state and end them. */
export class ProcessTable {
  readonly #dir: string;
  readonly #file: string;
  #records: ProcessRecord[];
  #saved: Promise<void> = Promise.resolve();

  private constructor(dir: string, file: string, records: ProcessRecord[]) {
    this.#dir = dir;
    this.#file = file;
    this.#records = records;
  }

  static async open(dir: string): Promise<ProcessTable> {
    const file = join(dir, 'processes.json');
    return new ProcessTable(dir, file, await readRecords(file));
  }

  get records(): readonly ProcessRecord[] {
    return this.#records;
  }

  find(name: string): ProcessRecord | undefined {
    return this.#records.find((record) => record.name === name);
  }

  async start(spec: ProcessSpec): Promise<ProcessRecord> {
    const record = await start({ ...spec, env: { ...spec.env, [marker]: this.#dir } });
    await this.#save([...this.#records.filter(({ name }) => name !== spec.name), record]);
    return record;
  }

  /** Starts it unless it runs. */
  async ensure(spec: ProcessSpec): Promise<ProcessRecord> {
    const known = this.find(spec.name);
    return known !== undefined && (await isAlive(known)) ? known : this.start(spec);
  }

  async stop(name: string, graceSeconds?: number): Promise<void> {
    const record = this.find(name);
    if (record === undefined) return;
    await stop(record, graceSeconds);
    await this.#save(this.#records.filter((other) => other !== record));
  }

  /** Kills the recorded processes whose names are asked for. */
  async stopWhere(asked: (name: string) => boolean): Promise<void> {
    for (const { name } of this.#records.filter((record) => asked(record.name))) await this.stop(name, 0);
  }

  /** Ends every process of the cluster, recorded or only marked. */
  async stopAll(graceSeconds?: number): Promise<void> {
    await Promise.all(this.#records.map(async (record) => stop(record, graceSeconds)));
    await this.#save([]);
    // A process that was just being made by another is only seen by the next look.
    for (let found = await this.marked(); found.length > 0; found = await this.marked()) await Promise.all(found.map(async (each) => stop(each, 0)));
  }

  async dead(): Promise<ProcessRecord[]> {
    const alive = await Promise.all(this.#records.map(isAlive));
    return this.#records.filter((_, index) => alive[index] !== true);
  }

  /** Running processes that carry this cluster's mark. */
  async marked(): Promise<Pick<ProcessRecord, 'name' | 'pid' | 'startTicks'>[]> {
    const found = [];
    for (const entry of await readdir('/proc')) {
      if (!/^\d+$/.test(entry) || !(await carries(entry, `${marker}=${this.#dir}`))) continue;
      const pid = Number(entry);
      const ticks = await startTicks(pid);
      if (ticks !== undefined) found.push({ name: await commandOf(entry), pid, startTicks: ticks });
    }
    return found;
  }

  /** Parts of a cluster are started side by side, so the writes stand in line. */
  async #save(records: ProcessRecord[]): Promise<void> {
    this.#records = records;
    this.#saved = this.#saved.then(async () => {
      if (!existsSync(this.#dir)) return;
      await writeFile(`${this.#file}.new`, JSON.stringify(this.#records, null, 2));
      await rename(`${this.#file}.new`, this.#file);
    });
    await this.#saved;
  }
}

async function readRecords(file: string): Promise<ProcessRecord[]> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as ProcessRecord[];
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

async function carries(pid: string, mark: string): Promise<boolean> {
  try {
    return (await readFile(`/proc/${pid}/environ`, 'utf8')).split('\0').includes(mark);
  } catch (error) {
    // Other users' processes cannot be ours.
    if (isGone(error) || (error as NodeJS.ErrnoException).code === 'EACCES') return false;
    throw error;
  }
}

async function commandOf(pid: string): Promise<string> {
  try {
    return (await readFile(`/proc/${pid}/comm`, 'utf8')).trim();
  } catch (error) {
    if (isGone(error)) return 'a process';
    throw error;
  }
}
