import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 25_000;
const MAX_OUTPUT_CHARS = 4_000;

/** A process of the benchmark's. */
export interface Program {
  readonly pid: number;
  /** The last of what it said on its standard error. */
  said(): string;
  /** SIGTERM, then SIGKILL after 25 seconds; resolves when it is gone. Safe to call twice. */
  stop(): Promise<void>;
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

/** Starts a program and collects what it says on its standard error. Without an environment of its own it gets this process's. */
export function startProgram(command: string, args: readonly string[], env?: NodeJS.ProcessEnv): Program & { readonly child: Child } {
  const child: Child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-MAX_OUTPUT_CHARS);
  });
  child.on('error', (error) => {
    said += error.message;
  });
  const gone = (): boolean => child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
  return {
    child,
    pid: child.pid ?? 0,
    said: () => said.trim(),
    async stop() {
      if (gone()) return;
      const kill = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
      clearTimeout(kill);
    },
  };
}

// What the command `relay` itself gives to Node, in its first line.
function launcherOptions(): string[] {
  const [first = ''] = readFileSync(MAIN, 'utf8').split('\n', 1);
  return first.split(' ').filter((word) => word.startsWith('--'));
}

/**
 * Starts `relay` with these arguments and waits for the first line on its standard output that is JSON with `member`. `nodeOptions` are for
 * Node itself. No setting of this shell reaches it.
 */
export async function startRelayCommand<Line>(
  args: readonly string[],
  member: keyof Line & string,
  nodeOptions: readonly string[] = [],
): Promise<Program & { readonly line: Line }> {
  const program = startProgram(process.execPath, [...launcherOptions(), ...nodeOptions, MAIN, ...args], {});
  const line = Promise.withResolvers<Line>();
  const timer = setTimeout(() => line.reject(new Error(`relay ${args[0]} did not start in ${START_TIMEOUT_MS} ms: ${program.said()}`)), START_TIMEOUT_MS);
  let last = '';
  createInterface({ input: program.child.stdout }).on('line', (text) => {
    last = text;
    const value = parse(text);
    if (value && member in value) line.resolve(value as Line);
  });
  program.child.once('exit', (code) => line.reject(new Error(`relay ${args[0]} ended with ${code}: ${program.said() || last}`)));
  try {
    return { ...program, line: await line.promise };
  } catch (error) {
    await program.stop();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function parse(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
