import { spawn } from 'node:child_process';

const TIMEOUT_MS = 60_000;
const MOST_BYTES = 16 * 1024 * 1024;
/** As a shell says it. */
const NOT_FOUND = 127;
const KILLED = 137;

/** How a program ended, and what it wrote (16 MiB of each at most). */
export interface Ran {
  /** 127: there is no such program. 137: it was killed, for being too slow among others. */
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  /** For its standard input: the only way for secrets. */
  readonly input?: string | Uint8Array;
  /** A minute unless told. */
  readonly timeoutMs?: number;
  /** Ends it at once. */
  readonly signal?: AbortSignal;
}

/** Programs of the machine. */
export interface Programs {
  /** Runs one to its end. Never throws: how it ended is the answer. */
  run(program: string, args: readonly string[], options?: RunOptions): Promise<Ran>;
}

/** The real ones. */
export const systemPrograms: Programs = { run: runProgram };

function runProgram(program: string, args: readonly string[], { input, timeoutMs = TIMEOUT_MS, signal }: RunOptions = {}): Promise<Ran> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    // Not by the option of spawn, whose timer outlives a program that is not there.
    const kill = (): void => void child.kill('SIGKILL');
    const timer = setTimeout(kill, timeoutMs);
    signal?.addEventListener('abort', kill);
    if (signal?.aborted) kill();
    const end = (ran: Ran): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', kill);
      resolve(ran);
    };
    const out = collect(child.stdout);
    const err = collect(child.stderr);
    child.on('error', (error) => end({ code: NOT_FOUND, out: '', err: error.message }));
    child.on('close', (code) => end({ code: code ?? KILLED, out: out(), err: err() }));
    // It may end before it has read everything.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    if (bytes >= MOST_BYTES) return;
    bytes += chunk.length;
    chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString('utf8', 0, MOST_BYTES);
}
