import { readFile } from 'node:fs/promises';
import { eventually } from '../../support/eventually.ts';

/** Waits until `strace` has written its last line about a process that is gone. */
export async function traceIsComplete(file: string, pid: number): Promise<void> {
  const isLast = new RegExp(`^${pid} .*\\+\\+\\+ (exited|killed) .*\\+\\+\\+\\n$`, 'm');
  await eventually('the trace is complete', async () => isLast.test((await readFile(file, 'latin1').catch(() => '')).slice(-65_536)));
}
