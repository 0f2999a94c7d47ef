/** What the local workspace keeps and answers: rows in, bytes on disk, five questions, memory. Real processes, real TLS, everything sealed and synced. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import { Agent, fetch } from 'undici';
import { askControl } from '../../src/local-workspace/control/control-client.ts';
import { openCertificates } from '../../src/local-workspace/intake/certificates.ts';
import { openDatabase } from '../../src/local-workspace/intake/database.ts';
import { UPLOAD_PATH } from '../../src/oms-protocol/paths.ts';
import { parseWorkspaceId, type WorkspaceId } from '../../src/workspace/workspace-id.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createFleet, type FleetAgent } from './fleet.ts';
import { readUsage } from './process-usage.ts';
import { startRelayCommand } from './program.ts';
import { createWorkspaceRows, type RowsBody } from './workspace-rows.ts';

const LARGE: WorkspaceId = parseWorkspaceId('be9c4a6e-0000-4000-8000-00000000000a');
const SMALL: WorkspaceId = parseWorkspaceId('be9c4a6e-0000-4000-8000-00000000000b');
const ROWS_PER_BODY = 500;
const SENDERS = 8;
const DAY_MS = 86_400_000;
const MB = 1_000_000;
const TIMES = 3;

const deflateBody = promisify(deflate);

/** Five questions that are often asked, over the demo's data types. */
const QUESTIONS: readonly (readonly [name: string, query: string])[] = [
  ['how many', 'Syslog | count'],
  ['errors by host', 'Syslog | where SeverityLevel in ("err", "crit") | summarize Errors = count() by Computer | top 10 by Errors'],
  ['a rare word', 'Syslog | where SyslogMessage has "777777" | take 100'],
  ['by hour', 'Perf | summarize avg(CounterValue), percentile(CounterValue, 95) by CounterName, bin(TimeGenerated, 1h)'],
  ['last hour', 'Syslog | where TimeGenerated > ago(1h) | summarize count() by ProcessName, bin(TimeGenerated, 5m)'],
];

export interface WorkspaceOptions {
  /** In the larger of the two workspaces; the smaller gets a tenth. */
  readonly rows: number;
  readonly signal: AbortSignal;
  readonly onStep: (text: string) => void;
}

interface Filled {
  readonly rows: number;
  readonly rawBytes: number;
  readonly wireBytes: number;
}

export interface WorkspaceReport {
  readonly rows: number;
  readonly rawBytes: number;
  readonly wireBytes: number;
  /** From the first POST until the last row was in the tables. */
  readonly seconds: number;
  readonly rowsPerS: number;
  readonly rawMbPerS: number;
  /** Of the local workspace, for one GB of JSON. */
  readonly cpuSPerGb: number;
  readonly diskBytes: number;
  /** Bytes on disk for one byte of JSON. */
  readonly diskShare: number;
  readonly peakBytes: { readonly intake: number; readonly questions: number };
  readonly questions: readonly { readonly name: string; readonly query: string; readonly firstMs: number; readonly againMs: number; readonly rows: number }[];
  readonly failures: readonly string[];
}

interface Started {
  readonly port: number;
  readonly root: string;
  readonly keyFiles: unknown;
}

/** Fills two workspaces of one process at the same time, and asks the larger one. Everything it starts is gone when it returns. */
export async function runWorkspace({ rows, signal, onStep }: WorkspaceOptions): Promise<WorkspaceReport> {
  await using folder = await temporaryFolder();
  await using started = new AsyncDisposableStack();
  const data = join(folder.path, 'data');
  const [large, small] = [await known(data, LARGE), await known(data, SMALL)];
  const ids = [LARGE, SMALL].flatMap((id) => ['--workspace', id]);
  const { line, pid, stop } = await startRelayCommand<Started>(['local-workspace', 'start', '--data', data, '--port', '0', ...ids, '--json'], 'keyFiles');
  started.defer(stop);
  onStep(`${rows} rows into one workspace and ${Math.round(rows / 10)} into another`);
  const before = await readUsage(pid);
  const beganAt = performance.now();
  const filled = await Promise.all([fill(line, large, rows, SENDERS - 1, signal), fill(line, small, Math.round(rows / 10), 1, signal)]);
  const counts = await Promise.all([LARGE, SMALL].map((id) => rowsIn(data, id)));
  const seconds = (performance.now() - beganAt) / 1_000;
  const after = await readUsage(pid);
  const total = filled.reduce((sum, one) => ({ rows: sum.rows + one.rows, rawBytes: sum.rawBytes + one.rawBytes, wireBytes: sum.wireBytes + one.wireBytes }));
  const failures = counts.flatMap((count, at) => (count === filled[at]?.rows ? [] : [`${count} rows are there, ${filled[at]?.rows} were acknowledged`]));
  const questions = [];
  for (const [name, query] of QUESTIONS) {
    onStep(name);
    questions.push(await timed(data, name, query));
  }
  const diskBytes = await sizeOf(join(data, 'workspaces'));
  return {
    ...total,
    seconds,
    rowsPerS: total.rows / seconds,
    rawMbPerS: total.rawBytes / MB / seconds,
    cpuSPerGb: ((after.cpuS - before.cpuS) / total.rawBytes) * 1_000 * MB,
    diskBytes,
    diskShare: diskBytes / total.rawBytes,
    peakBytes: { intake: after.peakBytes, questions: (await readUsage(pid)).peakBytes },
    questions,
    failures,
  };
}

/** The report for people. */
export function describeWorkspace(report: WorkspaceReport): string {
  const { rows, rawBytes, seconds, rowsPerS, rawMbPerS, cpuSPerGb, diskBytes, diskShare, peakBytes, questions, failures } = report;
  const megabytes = (bytes: number): string => `${(bytes / MB).toFixed(0)} MB`;
  return [
    `${rows} rows, ${megabytes(rawBytes)} of JSON, in the tables after ${seconds.toFixed(1)} s: ${rowsPerS.toFixed(0)} rows/s, ${rawMbPerS.toFixed(1)} MB/s`,
    `${cpuSPerGb.toFixed(1)} CPU seconds for a GB of JSON, from the socket to the tables`,
    `${megabytes(diskBytes)} on disk, ${diskShare.toFixed(3)} of the JSON`,
    `memory at most ${megabytes(peakBytes.intake)} while it came, ${megabytes(peakBytes.questions)} after the questions`,
    ...questions.map(
      ({ name, firstMs, againMs, rows: found }) =>
        `${name.padEnd(16)} ${firstMs.toFixed(0).padStart(6)} ms, again ${againMs.toFixed(0).padStart(6)} ms, ${found} rows`,
    ),
    ...failures.map((failure) => `FAILED: ${failure}`),
  ].join('\n');
}

async function known(data: string, id: WorkspaceId): Promise<FleetAgent> {
  const [agent] = await createFleet(id, 1);
  if (!agent) throw new Error('there is no agent');
  const database = await openDatabase(data, id);
  const { fingerprint } = agent.certificate;
  openCertificates(database).register({ fingerprint, agentId: agent.agentId, hostName: 'benchmark', operatingSystem: 'Linux', registeredAt: Date.now() });
  database.close();
  return agent;
}

async function fill({ port, root }: Started, agent: FleetAgent, rows: number, senders: number, signal: AbortSignal): Promise<Filled> {
  const connect = { ca: await readFile(root), cert: agent.identity.certificate, key: agent.identity.privateKey, servername: 'localhost' };
  const dispatcher = new Agent({ connect, connections: senders });
  const now = Date.now();
  const bodies = createWorkspaceRows({ seed: 7, hosts: 200, rows, rowsPerBody: ROWS_PER_BODY, from: now - DAY_MS, to: now });
  const sum = { rows: 0, rawBytes: 0, wireBytes: 0 };
  const send = async ({ json, rows: count }: RowsBody): Promise<void> => {
    const body = await deflateBody(json, { level: 1 });
    const headers = { 'content-type': 'application/json', 'content-encoding': 'deflate' };
    const reply = await fetch(`https://127.0.0.1:${port}${UPLOAD_PATH}`, { method: 'POST', body, headers, dispatcher, signal });
    await reply.arrayBuffer();
    if (reply.status !== 200) throw new Error(`an upload was answered with ${reply.status}`);
    sum.rows += count;
    sum.rawBytes += json.length;
    sum.wireBytes += body.length;
  };
  const work = async (): Promise<void> => {
    for (let next = bodies.next(); !next.done; next = bodies.next()) await send(next.value);
  };
  try {
    await Promise.all(Array.from({ length: senders }, work));
  } finally {
    await dispatcher.close();
  }
  return sum;
}

interface Answer {
  readonly tables: readonly { readonly rows: readonly (readonly unknown[])[] }[];
}

async function ask(data: string, id: WorkspaceId, query: string): Promise<Answer> {
  return (await askControl(data, { method: 'POST', path: `/v1/workspaces/${id}/query`, body: { query } })) as Answer;
}

async function rowsIn(data: string, id: WorkspaceId): Promise<number> {
  const { tables } = await ask(data, id, 'union Syslog, Perf, Heartbeat | count');
  return Number(tables[0]?.rows[0]?.[0]);
}

async function timed(data: string, name: string, query: string): Promise<WorkspaceReport['questions'][number]> {
  const times: number[] = [];
  let rows = 0;
  for (let time = 0; time < TIMES; time += 1) {
    const beganAt = performance.now();
    rows = (await ask(data, LARGE, query)).tables[0]?.rows.length ?? 0;
    times.push(performance.now() - beganAt);
  }
  return { name, query, firstMs: times[0] ?? 0, againMs: Math.min(...times.slice(1)), rows };
}

async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = await Promise.all(entries.filter((entry) => entry.isFile()).map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
