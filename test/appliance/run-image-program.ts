import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const LIMIT_MS = 170_000;

/** Runs a program of the image's build to its end: `name` of appliance/image, with Node. */
export function runImageProgram(name: string, args: readonly string[], input = ''): SpawnSyncReturns<string> {
  return runProgram(process.execPath, [fileURLToPath(new URL(`../../appliance/image/${name}.ts`, import.meta.url)), ...args], input);
}

/** Runs any program to its end. */
export function runProgram(program: string, args: readonly string[], input = ''): SpawnSyncReturns<string> {
  return spawnSync(program, args, { encoding: 'utf8', input, timeout: LIMIT_MS });
}
