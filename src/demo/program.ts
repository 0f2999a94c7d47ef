import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { type ErrorCode, RelayError } from '../errors.ts';

const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 10_000;
const POLL_MS = 20;
const PORT_TRIES = 5;
const OUTPUT_CHARACTERS = 4_000;
const PORT_TAKEN = /address already in use/;

/** A program that serves HTTP on loopback, as a child of ours. */
export interface Program {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** The end of what it wrote. */
  output(): string;
  /** Ends it and waits until it is gone: SIGTERM, and SIGKILL after ten seconds. */
  stop(): Promise<void>;
}

export interface ProgramOptions {
  readonly command: string;
  /** Its arguments when it listens on this port of 127.0.0.1. */
  readonly argsFor: (port: number) => readonly string[];
  /** Answers 200 once it serves. */
  readonly readyPath: string;
  /** A free port unless given. */
  readonly port?: number | undefined;
  /** The code of the error when it is not installed, and Debian's package. */
  readonly missingCode: ErrorCode;
  readonly aptPackage: string;
}

/**
 * Starts a program and waits until it serves. When another program was quicker to take the free port,
 * another one is chosen. Throws `missingCode` when it is not installed, `relay.program.port-taken`, and `relay.program.unreachable` with its last words when it does not start.
 */
export async function startProgram(options: ProgramOptions): Promise<Program> {
  for (let tries = 1; ; tries++) {
    const port = await freePort(options);
    const started = await launch(options, port);
    if ('program' in started) return started.program;
    if (options.port === undefined && PORT_TAKEN.test(started.output) && tries < PORT_TRIES) continue;
    throw new RelayError('relay.program.unreachable', `${options.command} did not start on 127.0.0.1:${port}: ${started.output}`);
  }
}

async function launch(options: ProgramOptions, port: number): Promise<{ readonly program: Program } | { readonly output: string }> {
  const { command, aptPackage, missingCode } = options;
  const child = spawn(command, options.argsFor(port), { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = collect(child);
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => {});
  child.on('error', (cause) => {
    failure.reject(new RelayError(missingCode, `${command} cannot be started. Install it: apt-get install ${aptPackage}`, { cause }));
  });
  const url = `http://127.0.0.1:${port}`;
  const stop = (): Promise<void> => end(child);
  if (await Promise.race([failure.promise, isServing(`${url}${options.readyPath}`, child)])) {
    return { program: { url, port, pid: child.pid ?? 0, output, stop } };
  }
  await stop();
  return { output: output() };
}

async function isServing(url: string, child: ChildProcess): Promise<boolean> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (child.exitCode === null && child.signalCode === null && performance.now() < deadline) {
    if (await answers(url)) return true;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return false;
}

async function answers(url: string): Promise<boolean> {
  try {
    const reply = await fetch(url, { signal: AbortSignal.timeout(START_TIMEOUT_MS) });
    await reply.arrayBuffer();
    return reply.ok;
  } catch {
    return false;
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await gone;
  clearTimeout(late);
}

function collect(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      text = (text + chunk.toString()).slice(-OUTPUT_CHARACTERS);
    });
  }
  return () => text.trim();
}

// Asked before the start, so that nobody else's answer is taken for the program's.
async function freePort({ command, port: wanted = 0 }: ProgramOptions): Promise<number> {
  const server = createServer();
  server.listen(wanted, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new RelayError('relay.program.port-taken', `${command} cannot listen on 127.0.0.1:${wanted}: another program does. Choose another port.`, { cause });
  }
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
