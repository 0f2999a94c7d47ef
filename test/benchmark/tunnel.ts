/**
 * The tunnel's benchmark: memory of idle tunnels, and bytes through busy ones, against haproxy in TCP mode that looks at the same server
 * name. Behind the ClientHello go raw bytes: TLS is the far ends' work, not the tunnel's.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { writeFileAtomic } from '../../src/files.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { goodHello } from '../tunnel/hello-bytes.ts';
import { readUsage } from './process-usage.ts';
import { type Program, startProgram } from './program.ts';

const PROGRAM = fileURLToPath(new URL('tunnel-program.ts', import.meta.url));
const HOST = 'localhost';
const IDLE_TUNNELS = 1_000;
const BUSY_TUNNELS = 8;
const AT_A_TIME = 100;
const CHUNK = Buffer.alloc(256 * 1024);
const TARGET_MB_PER_S = 200;
const [MB, GB, KIB] = [1e6, 1e9, 1_024];

export interface TunnelBenchmarkOptions {
  readonly measureMs: number;
  readonly signal: AbortSignal;
  /** Told what is done next. */
  readonly onStep: (text: string) => void;
}

/** What a gateway did. */
export interface TunnelFigures {
  readonly kibPerIdleTunnel: number;
  readonly idleOpened: number;
  readonly openedPerS: number;
  readonly megabytesPerS: number;
  readonly cpuSPerGb: number;
  readonly cores: number;
}

export interface TunnelReport {
  readonly tunnel: TunnelFigures;
  readonly haproxy: (TunnelFigures & { readonly version: string }) | undefined;
  /** CPU seconds per GB of the tunnel, divided by haproxy's. */
  readonly cpuRatio: number | undefined;
  /** Bytes a second of the tunnel, divided by haproxy's. */
  readonly rateRatio: number | undefined;
  readonly failures: readonly string[];
}

interface Gateway {
  readonly port: number;
  readonly pid: number;
  /** What is sent before the ClientHello. */
  readonly preamble: string;
}

/** Measures one after the other. Everything it starts is gone when it returns. */
export async function runTunnel({ measureMs, signal, onStep }: TunnelBenchmarkOptions): Promise<TunnelReport> {
  await using started = new AsyncDisposableStack();
  const { path: folder } = started.use(await temporaryFolder());
  const farEnd = await startRole(started, 'far-end');
  const own = await startRole(started, 'tunnel', String(farEnd.port));
  const preamble = `CONNECT ${HOST}:${farEnd.port} HTTP/1.1\r\nHost: ${HOST}:${farEnd.port}\r\n\r\n`;
  onStep('the tunnel');
  const tunnel = await measure({ port: own.port, pid: own.program.pid, preamble }, { measureMs, signal });
  const version = await haproxyVersion();
  if (version !== undefined) onStep(`haproxy ${version}`);
  const haproxy = version === undefined ? undefined : { version, ...(await measure(await startHaproxy(started, folder, farEnd.port), { measureMs, signal })) };
  const failures = [
    ...(tunnel.idleOpened < IDLE_TUNNELS ? [`${tunnel.idleOpened} of ${IDLE_TUNNELS} idle tunnels were opened`] : []),
    ...(tunnel.megabytesPerS < TARGET_MB_PER_S ? [`${tunnel.megabytesPerS.toFixed(0)} MB/s, and ${TARGET_MB_PER_S} are wanted`] : []),
  ];
  return {
    tunnel,
    haproxy,
    cpuRatio: haproxy && tunnel.cpuSPerGb / haproxy.cpuSPerGb,
    rateRatio: haproxy && tunnel.megabytesPerS / haproxy.megabytesPerS,
    failures,
  };
}

async function measure(gateway: Gateway, { measureMs, signal }: Pick<TunnelBenchmarkOptions, 'measureMs' | 'signal'>): Promise<TunnelFigures> {
  const before = await residentBytes(gateway.pid);
  const begin = performance.now();
  const idle: Socket[] = [];
  for (let count = 0; count < IDLE_TUNNELS && !signal.aborted; count += AT_A_TIME) {
    idle.push(...(await Promise.all(Array.from({ length: AT_A_TIME }, () => openTunnel(gateway)))));
  }
  const openedPerS = IDLE_TUNNELS / ((performance.now() - begin) / 1_000);
  await sleep(1_000, undefined, { signal });
  const bytesPerTunnel = ((await residentBytes(gateway.pid)) - before) / IDLE_TUNNELS;
  const idleOpened = idle.filter((socket) => !socket.destroyed).length;
  const flow = await measureFlow(gateway, measureMs, signal);
  for (const socket of idle) socket.destroy();
  return { kibPerIdleTunnel: bytesPerTunnel / KIB, idleOpened, openedPerS, ...flow };
}

async function measureFlow(gateway: Gateway, measureMs: number, signal: AbortSignal): Promise<Pick<TunnelFigures, 'megabytesPerS' | 'cpuSPerGb' | 'cores'>> {
  const sockets = await Promise.all(Array.from({ length: BUSY_TUNNELS }, () => openTunnel(gateway)));
  for (const socket of sockets) pump(socket);
  const sent = (): number => sockets.reduce((sum, socket) => sum + socket.bytesWritten - socket.writableLength, 0);
  await sleep(1_000, undefined, { signal });
  const [bytesBefore, usageBefore, begin] = [sent(), await readUsage(gateway.pid), performance.now()];
  await sleep(measureMs, undefined, { signal });
  const [bytes, usage, seconds] = [sent() - bytesBefore, await readUsage(gateway.pid), (performance.now() - begin) / 1_000];
  for (const socket of sockets) socket.destroy();
  const cpuS = usage.cpuS - usageBefore.cpuS;
  return { megabytesPerS: bytes / seconds / MB, cpuSPerGb: (cpuS * GB) / bytes, cores: cpuS / seconds };
}

function pump(socket: Socket): void {
  const fill = (): void => {
    while (!socket.destroyed && socket.write(CHUNK));
  };
  socket.on('drain', fill);
  fill();
}

async function openTunnel({ port, preamble }: Gateway): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  await once(socket, 'connect');
  socket.on('error', () => socket.destroy());
  if (preamble !== '') {
    socket.write(preamble);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    if (!answer.toString().startsWith('HTTP/1.1 200 ')) throw new Error(`the tunnel answered ${answer.toString()}`);
  }
  socket.resume();
  socket.write(goodHello(HOST));
  return socket;
}

async function startRole(started: AsyncDisposableStack, ...args: readonly string[]): Promise<{ readonly port: number; readonly program: Program }> {
  const program = startProgram(process.execPath, [PROGRAM, ...args]);
  started.defer(() => program.stop());
  program.child.once('exit', (code) => program.child.stdout.destroy(new Error(`${args[0]} ended with ${code}: ${program.said()}`)));
  for await (const line of createInterface({ input: program.child.stdout })) return { port: (JSON.parse(line) as { port: number }).port, program };
  throw new Error(`${args[0]} did not start: ${program.said()}`);
}

/** Its version; undefined when it is not installed. */
async function haproxyVersion(): Promise<string | undefined> {
  try {
    return /version (\S+)/.exec((await promisify(execFile)('haproxy', ['-v'])).stdout)?.[1];
  } catch {
    return undefined;
  }
}

async function startHaproxy(started: AsyncDisposableStack, folder: string, farEndPort: number): Promise<Gateway> {
  const port = await freePort();
  const file = join(folder, 'haproxy.cfg');
  await writeFileAtomic(file, haproxyConfiguration(port, farEndPort));
  const program = startProgram('haproxy', ['-db', '-f', file]);
  started.defer(() => program.stop());
  await eventually(
    `haproxy to listen: ${program.said()}`,
    () =>
      new Promise<boolean>((resolve) => {
        const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
        socket.once('connect', () => socket.destroy());
      }),
    10_000,
  );
  return { port, pid: program.pid, preamble: '' };
}

function haproxyConfiguration(port: number, farEndPort: number): string {
  return `
global
  maxconn 4000
  nbthread 1
defaults
  mode tcp
  timeout connect 10s
  timeout client 1h
  timeout server 1h
frontend tunnel
  bind 127.0.0.1:${port}
  tcp-request inspect-delay 10s
  tcp-request content accept if { req.ssl_hello_type 1 } { req.ssl_sni -i ${HOST} }
  tcp-request content reject if WAIT_END
  default_backend far-end
backend far-end
  server far-end 127.0.0.1:${farEndPort}
`;
}

async function residentBytes(pid: number): Promise<number> {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * KIB;
}

/** The report for a person. */
export function describeTunnel({ tunnel, haproxy, cpuRatio = 0, rateRatio = 0, failures }: TunnelReport): string {
  return [
    describeFigures('tunnel', tunnel),
    haproxy ? describeFigures(`haproxy ${haproxy.version}, TCP mode, one thread`, haproxy) : 'haproxy is not installed, so there is nothing to compare with.',
    ...(haproxy ? [`The tunnel costs ${cpuRatio.toFixed(1)} times as much CPU per GB as haproxy, at ${rateRatio.toFixed(2)} times its rate.`] : []),
    ...(failures.length === 0 ? ['Passed.'] : failures.map((one) => `FAILED: ${one}`)),
  ].join('\n');
}

function describeFigures(name: string, { kibPerIdleTunnel, idleOpened, openedPerS, megabytesPerS, cpuSPerGb, cores }: TunnelFigures): string {
  return `${name}: ${idleOpened} idle tunnels, ${kibPerIdleTunnel.toFixed(1)} KiB each, opened at ${openedPerS.toFixed(0)} a second; ${megabytesPerS.toFixed(0)} MB/s, ${cpuSPerGb.toFixed(2)} CPU-s/GB, ${cores.toFixed(2)} cores`;
}
