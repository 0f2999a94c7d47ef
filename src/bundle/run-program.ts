import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const MOST_BYTES = 16 * 1024 * 1024;

/** What a program of this machine wrote to its standard output; undefined when it is not there, failed, or was too slow. */
export async function runProgram(program: string, args: readonly string[], signal: AbortSignal): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(program, [...args], { signal, maxBuffer: MOST_BYTES });
    return stdout;
  } catch {
    return undefined;
  }
}
