import { execFileSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';

const KIB = 1024;

/** What a process holds now, and the most memory it ever held. */
export interface ProcessSize {
  readonly memoryBytes: number;
  readonly mostMemoryBytes: number;
  readonly openFiles: number;
}

export async function processSize(pid: number): Promise<ProcessSize> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kib = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * KIB;
  return { memoryBytes: kib('VmRSS'), mostMemoryBytes: kib('VmHWM'), openFiles: (await readdir(`/proc/${pid}/fd`)).length };
}

/** Bytes that a folder takes on its disk. */
export function folderBytes(folder: string): number {
  return Number.parseInt(execFileSync('du', ['-sk', folder], { encoding: 'utf8' }), 10) * KIB;
}
