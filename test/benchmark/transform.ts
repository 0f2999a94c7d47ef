/** The benchmark of the transform: agents' uploads to a Logs Ingestion endpoint, by the relay's transport and by `@azure/monitor-ingestion`, one after the other. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { inflateSync } from 'node:zlib';
import { systemClock } from '../../src/clock.ts';
import type { WrittenDeclaration } from '../../src/local-workspace/intake/ingestion/declaration.ts';
import { createLocalWorkspace } from '../../src/local-workspace/local-workspace.ts';
import { silentLogger } from '../../src/logger.ts';
import { parseWorkspaceId } from '../../src/workspace/workspace-id.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createBodies } from './bodies.ts';

const PROGRAM = fileURLToPath(new URL('transform-program.ts', import.meta.url));
const WORKSPACE = parseWorkspaceId('11111111-1111-4111-8111-111111111111');
const [TENANT, APP, SECRET] = ['aaaaaaaa-0000-4000-8000-00000000000a', 'bbbbbbbb-0000-4000-8000-00000000000b', 'a~secret'];
const RULE = `dcr-${'0123456789abcdef'.repeat(2)}`;
const STREAM = 'Custom-Syslog_CL';
const BATCHES = 400;
const LONGEST_MS = 300_000;
const [MB, GB, LARGEST_REQUEST_BYTES] = [1e6, 1e9, 1_048_576];

/** What a sender is told. */
export interface TransformTask {
  readonly url: string;
  readonly rootPath: string;
  readonly secretFile: string;
  readonly tenantId: string;
  readonly clientId: string;
  readonly ruleId: string;
  readonly stream: string;
  readonly workspaceId: string;
  readonly batches: number;
  readonly bodyBytes: number;
}

/** What a sender did. */
export interface TransformFigures {
  readonly recordsPerCpuS: number;
  /** By the records' own bytes, before compression. */
  readonly cpuSPerGb: number;
  readonly recordsPerS: number;
  readonly requests: number;
  /** Mean share of the largest request that was used. */
  readonly fill: number;
}

export interface TransformReport {
  readonly records: number;
  readonly rawMb: number;
  readonly relay: TransformFigures;
  readonly sdk: TransformFigures;
  /** CPU seconds per GB of the SDK, divided by the relay's. */
  readonly ratio: number;
  readonly failures: readonly string[];
}

export interface TransformBenchmarkOptions {
  readonly bodyBytes: number;
  readonly signal: AbortSignal;
  /** Told what is done next. */
  readonly onStep: (text: string) => void;
}

/** Runs both; each is a process of its own, whose CPU is counted with all its threads. */
export async function runTransform({ bodyBytes, signal, onStep }: TransformBenchmarkOptions): Promise<TransformReport> {
  await using folder = await temporaryFolder();
  const key = Buffer.alloc(64, 1).toString('base64');
  const ingestion: WrittenDeclaration = {
    tenantId: TENANT,
    apps: [{ clientId: APP, secrets: [SECRET] }],
    rules: [
      {
        immutableId: RULE,
        workspace: WORKSPACE,
        streams: { [STREAM]: { table: 'Syslog_CL', columns: [{ name: 'TimeGenerated', type: 'datetime' }] } },
        allowedApps: [APP],
      },
    ],
  };
  const workspace = createLocalWorkspace(
    {
      dataFolder: join(folder.path, 'far-end'),
      address: '127.0.0.1',
      port: 0,
      names: ['localhost', '127.0.0.1'],
      workspaces: [{ id: WORKSPACE, key }],
      sink: true,
      ingestion,
    },
    { clock: systemClock, log: silentLogger },
  );
  const { url, rootPath } = await workspace.start();
  await using _ = { [Symbol.asyncDispose]: () => workspace.stop() };
  const secretFile = join(folder.path, 'secret');
  await writeFile(secretFile, SECRET, { mode: 0o600 });
  const task: TransformTask = {
    url,
    rootPath,
    secretFile,
    tenantId: TENANT,
    clientId: APP,
    ruleId: RULE,
    stream: STREAM,
    workspaceId: WORKSPACE,
    batches: BATCHES,
    bodyBytes,
  };
  const { records, rawBytes } = sizeOf(bodyBytes);

  const measure = async (who: 'relay' | 'sdk'): Promise<TransformFigures> => {
    onStep(`${BATCHES} uploads by ${who}`);
    const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, who, JSON.stringify(task)], { signal, timeout: LONGEST_MS });
    const { cpuS, wallS, sent } = JSON.parse(stdout) as { cpuS: number; wallS: number; sent: number[] };
    return {
      recordsPerCpuS: records / cpuS,
      cpuSPerGb: cpuS / (rawBytes / GB),
      recordsPerS: records / wallS,
      requests: sent.length,
      fill: sent.reduce((sum, bytes) => sum + bytes, 0) / sent.length / LARGEST_REQUEST_BYTES,
    };
  };
  const relay = await measure('relay');
  const sdk = await measure('sdk');
  const failures = relay.requests > 0 && sdk.requests > 0 ? [] : ['nothing arrived'];
  return { records, rawMb: rawBytes / MB, relay, sdk, ratio: sdk.cpuSPerGb / relay.cpuSPerGb, failures };
}

function sizeOf(bodyBytes: number): { readonly records: number; readonly rawBytes: number } {
  const bodies = createBodies(bodyBytes).map((body) => inflateSync(body));
  const counts = bodies.map((raw) => (JSON.parse(raw.toString()) as { DataItems: unknown[] }).DataItems.length);
  const all = (of: readonly number[]): number => Array.from({ length: BATCHES }, (_, at) => of[at % of.length] ?? 0).reduce((sum, one) => sum + one, 0);
  return { records: all(counts), rawBytes: all(bodies.map((raw) => raw.length)) };
}

/** The report for people. */
export function describeTransform({ records, rawMb, relay, sdk, ratio }: TransformReport): string {
  const line = (name: string, { recordsPerCpuS, cpuSPerGb, recordsPerS, requests, fill }: TransformFigures): string =>
    `${name}  ${Math.round(recordsPerCpuS)} records per CPU second, ${cpuSPerGb.toFixed(1)} CPU-s/GB raw, ${Math.round(recordsPerS)} records/s; ${requests} requests, ${(fill * 100).toFixed(1)} % full`;
  return [
    `${records} records, ${rawMb.toFixed(0)} MB raw, in ${BATCHES} uploads of agents, to a Logs Ingestion endpoint on this machine`,
    line('relay                  ', relay),
    line('@azure/monitor-ingestion', sdk),
    `@azure/monitor-ingestion costs ${ratio.toFixed(1)} times as much CPU per GB.`,
  ].join('\n');
}
