import { systemPrograms } from '../host/run-program.ts';

/** What a program of this machine wrote to its standard output; undefined when it is not there, failed, or was too slow. */
export async function runProgram(program: string, args: readonly string[], signal: AbortSignal): Promise<string | undefined> {
  const { code, out } = await systemPrograms.run(program, args, { signal });
  return code === 0 ? out : undefined;
}
