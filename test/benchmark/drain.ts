/** How fast a backlog drains: the workspace is down under load, then back. */
import { join } from 'node:path';
import type { Status } from '../../src/control/api.ts';
import { ask } from '../../src/control/client.ts';
import { parseWorkspaceId, type WorkspaceId } from '../../src/workspace/workspace-id.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createFleet } from './fleet.ts';
import type { Shape } from './load.ts';
import { type LoadRun, runLoad } from './load-run.ts';
import { startRelayTarget } from './relay-target.ts';
import { type Sink, startSink } from './sink.ts';

const WORKSPACE: WorkspaceId = parseWorkspaceId('be9c4a6e-0000-4000-8000-000000000001');
const MB = 1e6;
/** What the relay promises. */
const LEAST_RATIO = 3;

export interface DrainOptions {
  readonly shape: Shape;
  readonly signal: AbortSignal;
  /** Told what is done next. */
  readonly onStep: (text: string) => void;
}

export interface DrainReport {
  readonly shape: Shape;
  readonly batches: number;
  readonly megabytes: number;
  /** How fast the backlog came in and how fast it went out, in 10⁶ bytes of compressed bodies a second. */
  readonly inMegabytesPerS: number;
  readonly outMegabytesPerS: number;
  readonly drainS: number;
  readonly ratio: number;
  readonly missing: number;
  readonly failures: readonly string[];
}

/** Gathers a backlog while the far end is down, then measures how long it takes to be delivered. Everything it starts is gone when it returns. */
export async function runDrain({ shape, signal, onStep }: DrainOptions): Promise<DrainReport> {
  await using folder = await temporaryFolder();
  await using started = new AsyncDisposableStack();
  onStep(`making ${shape.agents} agents`);
  const fleet = await createFleet(WORKSPACE, shape.agents);
  const sink = await startSink(join(folder.path, 'sink'), WORKSPACE, []);
  started.defer(() => sink.stop());
  const target = await startRelayTarget({ folder: join(folder.path, 'relay'), workspaceId: WORKSPACE, fleet, sink, profileFolder: undefined });
  started.defer(() => target.stop());

  onStep('the workspace is down, data comes in');
  await sink.setFault('down');
  const plan = { shape, port: target.port, trust: target.trust, identities: fleet.map(({ identity }) => identity) };
  const begin = performance.now();
  const run = await runLoad(plan, { folder: folder.path, signal, pids: target.pids });
  const loadS = (run.answeredAt - begin) / 1_000;
  const bytes =
    (await ask<Status>(target.controlSocket, 'GET', '/status')).cache.workspaces[0]?.balance.reduce((sum, { cached }) => sum + cached.bytes, 0) ?? 0;

  onStep('the workspace is back, the backlog drains');
  await sink.setFault('none');
  const back = performance.now();
  const drained = await drain(target.controlSocket, sink, run);
  const drainS = (performance.now() - back) / 1_000;
  const [inRate, outRate] = [bytes / loadS, bytes / drainS];
  const report = { shape, batches: run.result.acknowledged, megabytes: bytes / MB, inMegabytesPerS: inRate / MB, outMegabytesPerS: outRate / MB, drainS };
  return { ...report, ratio: outRate / inRate, missing: drained.missing, failures: failuresOf(run, outRate / inRate, drained.missing) };
}

async function drain(controlSocket: string, sink: Sink, { result }: LoadRun): Promise<{ readonly missing: number }> {
  // The listener may need a moment to be there again.
  await eventually('the workspace is reached', async () => {
    await ask(controlSocket, 'POST', '/cache/retry-now', { workspaceIds: [WORKSPACE], by: 'benchmark' });
    return (await ask<Status>(controlSocket, 'GET', '/status')).cache.workspaces[0]?.upstream.state === 'awake';
  });
  const delivered = await sink.distinct(result.acknowledged);
  return { missing: result.batchIds.filter((id) => !delivered.has(id)).length };
}

function failuresOf({ result }: LoadRun, ratio: number, missing: number): string[] {
  return [
    ...Object.entries(result.errors).map(([error, count]) => `${count} × ${error}`),
    ...(missing > 0 ? [`${missing} acknowledged batches did not come to the far end`] : []),
    ...(ratio < LEAST_RATIO ? [`the backlog went ${ratio.toFixed(1)} times as fast as it came, ${LEAST_RATIO} are promised`] : []),
  ];
}

/** The report for a person. */
export function describeDrain(report: DrainReport): string {
  const { batches, megabytes, inMegabytesPerS, outMegabytesPerS, drainS, ratio, missing, failures } = report;
  return [
    `backlog of ${batches} batches, ${megabytes.toFixed(0)} MB: came in at ${inMegabytesPerS.toFixed(1)} MB/s, went out at ${outMegabytesPerS.toFixed(1)} MB/s in ${drainS.toFixed(1)} s`,
    `that is ${ratio.toFixed(1)} times as fast; ${missing} missing`,
    ...(failures.length === 0 ? ['Passed.'] : failures.map((one) => `FAILED: ${one}`)),
  ].join('\n');
}
