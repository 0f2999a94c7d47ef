import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';

const MOST_CHARACTERS = 16 * 1024 * 1024;

/** How a program ended, and what it wrote. */
export interface Ended {
  /** 128 or more when a signal ended it. */
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a program to its end; kills it after `limitMs`. */
export async function runProgram(program: string, args: readonly string[], limitMs: number, input?: string): Promise<Ended> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], timeout: limitMs, killSignal: 'SIGKILL' });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out = (out + text).slice(-MOST_CHARACTERS);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err = (err + text).slice(-MOST_CHARACTERS);
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input ?? '');
  const [code] = (await once(child, 'close')) as [number | null];
  return { code: code ?? 137, out, err };
}

/** The same at once; its output. Throws with its last words when it does not end with 0. */
export function runNow(program: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (error) throw error;
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}: ${stderr.trim() || stdout.trim()}`);
  return stdout;
}

/** A program that runs on, its output in a file. */
export interface Daemon {
  readonly pid: number;
  hasEnded(): boolean;
  /** Ends it by this signal and waits until it is gone. Does nothing when it is gone. */
  end(signal: NodeJS.Signals): Promise<void>;
  /** Waits until it is gone. */
  readonly ended: Promise<void>;
}

export function startDaemon(program: string, args: readonly string[], logFile: string): Daemon {
  const log = openSync(logFile, 'a');
  const child = spawn(program, args, { stdio: ['ignore', log, log] });
  closeSync(log);
  const ended = once(child, 'close').then(() => undefined);
  ended.catch(() => {});
  // It does not outlive this process, however that ends.
  process.once('exit', () => child.kill('SIGKILL'));
  return {
    pid: child.pid ?? 0,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    ended,
    async end(signal) {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill(signal);
      await ended;
    },
  };
}
