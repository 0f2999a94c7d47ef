/** What a scrape costs a relay with a long queue: its time, the relay's processor time, and that it reads no payload. */
import { readFile } from 'node:fs/promises';
import { get } from 'node:http';
import { join } from 'node:path';
import type { Status } from '../../src/control/api.ts';
import { ask } from '../../src/control/client.ts';
import { parseWorkspaceId, type WorkspaceId } from '../../src/workspace/workspace-id.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createFleet } from './fleet.ts';
import { runLoad } from './load-run.ts';
import { type Spread, spreadOf } from './percentile.ts';
import { readUsage } from './process-usage.ts';
import { startRelayTarget } from './relay-target.ts';
import { startSink } from './sink.ts';

const WORKSPACE: WorkspaceId = parseWorkspaceId('be9c4a6e-0000-4000-8000-000000000001');
const AGENTS = 200;
const BODY_BYTES = 1_000;
// One lane, a sync for each.
const GROUPS_PER_S = 400;
const SCRAPES = 300;
const WARM_UP = 30;
/** What the relay promises, in milliseconds, at the median. */
const MOST_MS = 20;

export interface ScrapeOptions {
  /** How many groups are queued. */
  readonly groups: number;
  readonly signal: AbortSignal;
  /** Told what is done next. */
  readonly onStep: (text: string) => void;
}

export interface ScrapeReport {
  readonly groups: number;
  readonly agents: number;
  /** Size of the answer. */
  readonly bytes: number;
  readonly scrape: Spread;
  /** Processor time of the relay for one scrape, in milliseconds. */
  readonly cpuMs: number;
  /** Bytes that the relay read from files and sockets for one scrape; a payload is 1,000 bytes. */
  readonly readBytes: number;
  readonly failures: readonly string[];
}

/** Queues so many groups in a real relay whose workspace is down, then scrapes it. Everything it starts is gone when it returns. */
export async function runScrape({ groups, signal, onStep }: ScrapeOptions): Promise<ScrapeReport> {
  await using folder = await temporaryFolder();
  await using started = new AsyncDisposableStack();
  const fleet = await createFleet(WORKSPACE, AGENTS);
  const sink = await startSink(join(folder.path, 'sink'), WORKSPACE, []);
  started.defer(() => sink.stop());
  const target = await startRelayTarget({
    folder: join(folder.path, 'relay'),
    workspaceId: WORKSPACE,
    fleet,
    sink,
    profileFolder: undefined,
    cache: { groupBatches: 1 },
  });
  started.defer(() => target.stop());
  onStep(`queueing ${groups} groups while the workspace is down`);
  await sink.setFault('down');
  const shape = { agents: AGENTS, bodyBytes: BODY_BYTES, everyMs: (AGENTS * 1_000) / GROUPS_PER_S, warmUpMs: 0, measureMs: (groups * 1_000) / GROUPS_PER_S };
  const plan = { shape, port: target.port, trust: target.trust, identities: fleet.map(({ identity }) => identity) };
  await runLoad(plan, { folder: folder.path, signal, pids: target.pids });
  const status = await ask<Status>(target.controlSocket, 'GET', '/status');
  const queued = status.cache.workspaces.reduce((sum, { groupsWaiting }) => sum + groupsWaiting, 0);

  onStep(`${SCRAPES} scrapes`);
  const relay = target.pids['relay'] ?? 0;
  for (let at = 0; at < WARM_UP; at += 1) await scrape(status.metricsPort);
  const before = { cpuS: (await readUsage(relay)).cpuS, readBytes: await bytesRead(relay) };
  const times: number[] = [];
  let bytes = 0;
  for (let at = 0; at < SCRAPES; at += 1) {
    signal.throwIfAborted();
    const begin = performance.now();
    bytes = await scrape(status.metricsPort);
    times.push(performance.now() - begin);
  }
  const cpuMs = (((await readUsage(relay)).cpuS - before.cpuS) * 1_000) / SCRAPES;
  const readBytes = ((await bytesRead(relay)) - before.readBytes) / SCRAPES;
  const figures = { groups: queued, agents: AGENTS, bytes, scrape: spreadOf(times), cpuMs, readBytes };
  return { ...figures, failures: failuresOf(figures, groups) };
}

function scrape(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: '/metrics' }, (response) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      response.on('end', () => (response.statusCode === 200 ? resolve(bytes) : reject(new Error(`the scrape was answered ${response.statusCode}`))));
    }).on('error', reject);
  });
}

// Whatever the process read by any system call; Linux only.
async function bytesRead(pid: number): Promise<number> {
  return Number(/^rchar: (\d+)$/m.exec(await readFile(`/proc/${pid}/io`, 'utf8'))?.[1] ?? 0);
}

function failuresOf({ groups, scrape: { p50Ms }, readBytes }: Omit<ScrapeReport, 'failures'>, wanted: number): string[] {
  return [
    ...(groups < wanted * 0.95 ? [`only ${groups} groups were queued, ${wanted} were wanted`] : []),
    ...(p50Ms > MOST_MS ? [`a scrape took ${p50Ms.toFixed(1)} ms, ${MOST_MS} are promised`] : []),
    ...(readBytes > 100 * BODY_BYTES ? [`a scrape made the relay read ${readBytes.toFixed(0)} bytes`] : []),
  ];
}

/** The report for a person. */
export function describeScrape({ groups, agents, bytes, scrape: { p50Ms, p99Ms, maxMs }, cpuMs, readBytes, failures }: ScrapeReport): string {
  return [
    `${groups} groups queued, ${agents} agents: a scrape of ${(bytes / 1_000).toFixed(0)} kB takes ${p50Ms.toFixed(1)} ms (p99 ${p99Ms.toFixed(1)}, most ${maxMs.toFixed(1)})`,
    `${cpuMs.toFixed(1)} ms of the relay's processor time with all that it does meanwhile, ${readBytes.toFixed(0)} bytes read`,
    ...(failures.length === 0 ? ['Passed.'] : failures.map((one) => `FAILED: ${one}`)),
  ].join('\n');
}
