import { readFile, writeFile } from 'node:fs/promises';

const kibPerMib = 1024;
/** USER_HZ: proc(5) counts CPU time in hundredths of a second on every Linux that Node runs on. */
const msPerTick = 10;

/** Resident memory of a process in MiB. */
export async function rssMiB(pid: number): Promise<number> {
  return statusField(pid, 'VmRSS');
}

/** Most memory that was resident since the start, or since `forgetPeak`, in MiB. */
export async function peakRssMiB(pid: number): Promise<number> {
  return statusField(pid, 'VmHWM');
}

/** proc(5), clear_refs: 5 sets the peak to what is resident now. */
export async function forgetPeak(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, '5');
}

/** CPU time of all threads in milliseconds, user and kernel, to 10 ms. */
export async function cpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The second field is the name in brackets and may itself hold spaces and brackets.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * msPerTick;
}

async function statusField(pid: number, name: string): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kib = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
  if (kib === undefined) throw new Error(`/proc/${pid}/status has no ${name}.`);
  return Number(kib) / kibPerMib;
}
