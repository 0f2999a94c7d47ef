import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const MAX_OUTPUT_CHARACTERS = 4 * 1024 * 1024;
const COMMAND_TIMEOUT_MS = 30_000;

/** What a command did. */
export interface Ran {
  /** Undefined when a signal ended it. */
  readonly code: number | undefined;
  readonly out: string;
  readonly err: string;
}

/** A process of the `relay` command that runs on. */
export interface Running {
  readonly pid: number;
  /** What it wrote so far. */
  out(): string;
  err(): string;
  hasEnded(): boolean;
  /** Resolves when it is gone. */
  readonly ended: Promise<Ran>;
  /** Sends a signal, waits until it is gone. */
  end(signal: NodeJS.Signals): Promise<Ran>;
}

/** Starts `relay <args>` as a process of its own. A `launcher` is a command that starts what comes after it, such as strace; the process must stay the same. */
export function startCommand(args: readonly string[], launcher: readonly string[] = []): Running {
  const [command = '', ...rest] = [...launcher, process.execPath, MAIN, ...args];
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  const out = collect(child.stdout);
  const err = collect(child.stderr);
  const ended = once(child, 'close').then(([code]): Ran => ({ code: (code as number | null) ?? undefined, out: out(), err: err() }));
  return {
    pid: child.pid ?? 0,
    out,
    err,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    ended,
    async end(signal) {
      child.kill(signal);
      return await ended;
    },
  };
}

/** How a command is run: within half a minute, and by itself, unless told. */
export interface RunSettings {
  readonly launcher?: readonly string[];
  readonly timeoutMs?: number;
}

/** Runs `relay <args>` to its end. */
export async function runCommand(args: readonly string[], { launcher = [], timeoutMs = COMMAND_TIMEOUT_MS }: RunSettings = {}): Promise<Ran> {
  const running = startCommand(args, launcher);
  const timer = setTimeout(() => void running.end('SIGKILL'), timeoutMs);
  const ran = await running.ended;
  clearTimeout(timer);
  return ran;
}

/** Runs `relay <args>`, and fails when it did not end with 0; what it wrote. */
export async function runWell(args: readonly string[], settings: RunSettings = {}): Promise<string> {
  const { code, out, err } = await runCommand(args, settings);
  if (code !== 0) throw new Error(`relay ${args.join(' ')} ended with ${code}: ${err || out}`);
  return out;
}

function collect(stream: ChildProcess['stdout']): () => string {
  let text = '';
  stream?.setEncoding('utf8').on('data', (piece: string) => {
    text = (text + piece).slice(-MAX_OUTPUT_CHARACTERS);
  });
  return () => text;
}
