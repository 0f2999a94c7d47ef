import { readFile } from 'node:fs/promises';

/** `/proc` counts in hundredths of a second on every Linux (USER_HZ). */
const TICKS_PER_S = 100;
const KIB = 1024;

/** What one or several processes have used so far. */
export interface ProcessUsage {
  /** CPU seconds of all threads, and of children that have ended. */
  readonly cpuS: number;
  /** The largest resident memory so far, in bytes; of several processes the sum. */
  readonly peakBytes: number;
}

/** What a process and its living children have used so far; Linux only. A process that has ended counts as nothing. */
export async function readUsage(pid: number): Promise<ProcessUsage> {
  const pids = [pid, ...(await childrenOf(pid))];
  const usages = await Promise.all(pids.map(readOne));
  return usages.reduce((sum, one) => ({ cpuS: sum.cpuS + one.cpuS, peakBytes: sum.peakBytes + one.peakBytes }), nothing);
}

/** CPU seconds in the text of `/proc/<pid>/stat`. */
export function cpuSecondsIn(stat: string): number {
  // The command's name may hold blanks and parentheses; the third field begins behind its last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return ticks / TICKS_PER_S;
}

/** Peak resident memory in the text of `/proc/<pid>/status`, in bytes. */
export function peakBytesIn(status: string): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * KIB;
}

/** Resident memory at this moment in the text of `/proc/<pid>/status`, in bytes. */
export function residentBytesIn(status: string): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * KIB;
}

const nothing: ProcessUsage = { cpuS: 0, peakBytes: 0 };

async function readOne(pid: number): Promise<ProcessUsage> {
  try {
    const [stat, status] = await Promise.all([readFile(`/proc/${pid}/stat`, 'utf8'), readFile(`/proc/${pid}/status`, 'utf8')]);
    return { cpuS: cpuSecondsIn(stat), peakBytes: peakBytesIn(status) };
  } catch {
    return nothing;
  }
}

async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return text.split(' ').flatMap((field) => (field.trim() === '' ? [] : [Number(field)]));
}
