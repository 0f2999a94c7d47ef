/** Facts of the machine that the relay runs on, and of what it needs there. */
import { execFile } from 'node:child_process';
import { randomBytes, X509Certificate } from 'node:crypto';
import { open, readFile, rm, stat, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { connectRedis, judgeRedis, type RedisAddress, readMemoryRatio, readRedisFacts } from '../cache/redis.ts';
import { type Outcome, within } from './within.ts';

export interface DiskFacts {
  /** The folder looked at: the data folder, or what is there of its parents. */
  readonly folder: string;
  readonly exists: boolean;
  readonly freeBytes: number;
  readonly totalBytes: number;
}

export interface RedisHealth {
  readonly version: string;
  readonly refusals: readonly string[];
  readonly warnings: readonly string[];
  /** 0 to 1; 0 when it has no limit. */
  readonly memoryRatio: number;
  readonly maxmemoryBytes: number;
}

export type PortFacts = 'free' | 'taken' | 'not-allowed' | 'no-such-address';

export interface TimeFacts {
  /** Such as `chrony`. */
  readonly service: string;
  readonly synchronized: boolean;
}

export interface CertificateEnd {
  /** Milliseconds since 1970. */
  readonly beginsAt: number;
  readonly endsAt: number;
}

export interface MachineProbes {
  disk(folder: string, limitMs: number): Promise<Outcome<DiskFacts>>;
  redis(address: RedisAddress, limitMs: number): Promise<Outcome<RedisHealth>>;
  port(address: string, port: number, limitMs: number): Promise<Outcome<PortFacts>>;
  /** Undefined when no service can be asked. */
  time(limitMs: number): Promise<Outcome<TimeFacts | undefined>>;
  /** Undefined when there is no such file. */
  certificate(file: string, limitMs: number): Promise<Outcome<CertificateEnd | undefined>>;
}

export const machineProbes: MachineProbes = {
  disk: (folder, limitMs) => within(limitMs, () => lookAtDisk(folder)),
  redis: (address, limitMs) => within(limitMs * 2, () => lookAtRedis(address, limitMs)),
  port: (address, port, limitMs) => within(limitMs, () => tryPort(address, port)),
  time: (limitMs) => within(limitMs, () => askTimeService()),
  certificate: (file, limitMs) => within(limitMs, () => readEnd(file)),
};

async function lookAtDisk(folder: string): Promise<DiskFacts> {
  const found = await nearestFolder(folder);
  await tryWriting(found);
  const { bavail, blocks, bsize } = await statfs(found);
  return { folder: found, exists: found === folder, freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}

async function nearestFolder(folder: string): Promise<string> {
  try {
    await stat(folder);
    return folder;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(folder) === folder) throw error;
    return await nearestFolder(dirname(folder));
  }
}

async function tryWriting(folder: string): Promise<void> {
  const path = join(folder, `.doctor.${randomBytes(6).toString('hex')}`);
  const file = await open(path, 'wx', 0o600);
  try {
    await file.write(Buffer.alloc(4096));
    await file.sync();
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
}

async function lookAtRedis(address: RedisAddress, limitMs: number): Promise<RedisHealth> {
  const redis = await connectRedis(address, limitMs, () => {});
  try {
    const facts = await readRedisFacts(redis);
    return { version: facts.version, maxmemoryBytes: facts.maxmemoryBytes, memoryRatio: await readMemoryRatio(redis), ...judgeRedis(facts) };
  } finally {
    redis.disconnect();
  }
}

function tryPort(address: string, port: number): Promise<PortFacts> {
  const answers: Record<string, PortFacts> = { EADDRINUSE: 'taken', EACCES: 'not-allowed', EADDRNOTAVAIL: 'no-such-address' };
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      const answer = answers[error.code ?? ''];
      if (answer) resolve(answer);
      else reject(error);
    });
    server.listen(port, address, () => server.close(() => resolve('free')));
  });
}

async function askTimeService(): Promise<TimeFacts | undefined> {
  const chrony = await run('chronyc', ['-c', 'tracking']);
  if (chrony !== undefined) return { service: 'chrony', synchronized: !/,Not synchronised/i.test(chrony) };
  const systemd = await run('timedatectl', ['show', '--property=NTPSynchronized', '--value']);
  return systemd === undefined ? undefined : { service: 'systemd', synchronized: systemd.trim() === 'yes' };
}

async function run(command: string, args: readonly string[]): Promise<string | undefined> {
  try {
    return (await promisify(execFile)(command, [...args], { timeout: 3_000 })).stdout;
  } catch {
    return undefined;
  }
}

async function readEnd(file: string): Promise<CertificateEnd | undefined> {
  try {
    const certificate = new X509Certificate(await readFile(file));
    return { beginsAt: certificate.validFromDate.getTime(), endsAt: certificate.validToDate.getTime() };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
