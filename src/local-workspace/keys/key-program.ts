/** Runs the programs that keys are kept by: without a shell, with next to no environment, within ten seconds. */
import { spawn } from 'node:child_process';
import type { Clock } from '../../clock.ts';

const LIMIT_MS = 10_000;
const MOST_OUTPUT_BYTES = 64 * 1024;
const MOST_LINE_CHARS = 300;
const ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C' };

export interface KeyProgramCall {
  /** The program and its arguments; no secrets, everybody on the machine can see them. */
  readonly command: readonly string[];
  /** For its standard input. */
  readonly input: string | Buffer;
  /** What it gets besides PATH and LANG. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Struck out of what is said of it. */
  readonly secrets: readonly string[];
}

/** How a program ended. What it said is the lines of its standard error that are not empty, without control characters and secrets. */
export type KeyProgramEnd =
  | { readonly how: 'ended'; readonly code: number; readonly out: Buffer; readonly said: readonly string[] }
  /** After ten seconds; it was killed, and whatever it had started in its process group. */
  | { readonly how: 'too-slow' }
  /** With why. */
  | { readonly how: 'failed'; readonly reason: string };

export function runKeyProgram({ command, input, environment = {}, secrets }: KeyProgramCall, clock: Pick<Clock, 'after'>): Promise<KeyProgramEnd> {
  const [program = '', ...args] = command;
  return new Promise((resolve) => {
    // A process group of its own: what a script started dies with it.
    const child = spawn(program, args, { stdio: 'pipe', env: { ...ENVIRONMENT, ...environment }, cwd: '/', detached: true });
    const end = (how: KeyProgramEnd): void => {
      cancel();
      resolve(how);
    };
    const kill = (how: KeyProgramEnd): void => {
      killGroup(child.pid);
      for (const stream of child.stdio) stream?.destroy();
      end(how);
    };
    const cancel = clock.after(LIMIT_MS, () => kill({ how: 'too-slow' }));
    const tooMuch = (): void => kill({ how: 'failed', reason: `it wrote more than ${MOST_OUTPUT_BYTES} bytes` });
    const out = collect(child.stdout, tooMuch);
    const err = collect(child.stderr, tooMuch);
    child.on('error', ({ message }) => end({ how: 'failed', reason: `it cannot be started: ${message}` }));
    child.on('close', (code, signal) => {
      if (code === null) end({ how: 'failed', reason: `it was killed by ${signal}` });
      else end({ how: 'ended', code, out: out(), said: linesOf(err().toString(), secrets) });
    });
    // It may end before it has read everything.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

// It may have ended by itself just now.
function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {}
}

function collect(stream: NodeJS.ReadableStream, tooMuch: () => void): () => Buffer {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MOST_OUTPUT_BYTES) tooMuch();
    else chunks.push(chunk);
  });
  return () => Buffer.concat(chunks);
}

function linesOf(text: string, secrets: readonly string[]): readonly string[] {
  const clean = secrets.filter((secret) => secret !== '').reduce((left, secret) => left.replaceAll(secret, '[secret]'), text);
  return clean
    .split(/[\r\n]+/)
    .map((line) =>
      line
        .replace(/\p{Cc}/gu, ' ')
        .trim()
        .slice(0, MOST_LINE_CHARS),
    )
    .filter((line) => line !== '');
}
