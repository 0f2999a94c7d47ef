import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseWorkspaceId, type WorkspaceId } from '../../src/workspace/workspace-id.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createFleet, createFleetAgent, type FleetAgent } from './fleet.ts';
import type { Shape } from './load.ts';
import { type LoadRun, runLoad } from './load-run.ts';
import { nginxVersion, startNginxTarget } from './nginx-target.ts';
import { startRelayTarget } from './relay-target.ts';
import { type Sink, startSink } from './sink.ts';
import type { ServerFiles, Target } from './target.ts';

const WORKSPACE: WorkspaceId = parseWorkspaceId('be9c4a6e-0000-4000-8000-000000000001');

export interface BenchmarkOptions {
  readonly shape: Shape;
  /** Whether nginx is measured too, if it is installed. */
  readonly nginx: boolean;
  /** Folder for a CPU profile of the relay. */
  readonly profileFolder: string | undefined;
  readonly signal: AbortSignal;
  /** Told what is done next. */
  readonly onStep: (text: string) => void;
}

/** What is measured of one target. */
export interface Measurement {
  readonly run: LoadRun;
  /** Batches that were acknowledged and did not come to the far end. */
  readonly missing: number;
  /** Batches that came to the far end more than once. */
  readonly repeated: number;
  /** Seconds from the last acknowledgement until the far end had everything. */
  readonly drainS: number;
}

export interface BenchmarkResult {
  readonly shape: Shape;
  readonly machine: { readonly cores: number; readonly model: string; readonly node: string };
  readonly relay: Measurement;
  readonly nginx: { readonly version: string; readonly measurement: Measurement } | { readonly version: undefined; readonly why: string };
}

/** Runs the relay, then nginx, each alone under the same load on this machine. Everything it starts is gone when it returns. */
export async function runBenchmark(options: BenchmarkOptions): Promise<BenchmarkResult> {
  await using folder = await temporaryFolder();
  await using started = new AsyncDisposableStack();
  options.onStep(`making ${options.shape.agents} agents`);
  const fleet = await createFleet(WORKSPACE, options.shape.agents);
  const proxy = await createFleetAgent(WORKSPACE);
  const sink = await startSink(join(folder.path, 'sink'), WORKSPACE, [proxy]);
  started.defer(() => sink.stop());
  options.signal.throwIfAborted();

  options.onStep('measuring the relay');
  const target = await startRelayTarget({ folder: join(folder.path, 'relay'), workspaceId: WORKSPACE, fleet, sink, profileFolder: options.profileFolder });
  const relay = await measure(target, fleet, { ...options, folder: folder.path, sink });
  const nginx = await measureNginx(target.server, proxy, fleet, { ...options, folder: folder.path, sink });
  const [{ model } = { model: 'unknown' }] = cpus();
  return { shape: options.shape, machine: { cores: cpus().length, model, node: process.version }, relay, nginx };
}

type Surroundings = BenchmarkOptions & { readonly folder: string; readonly sink: Sink };

async function measureNginx(server: ServerFiles, proxy: FleetAgent, fleet: readonly FleetAgent[], around: Surroundings): Promise<BenchmarkResult['nginx']> {
  if (!around.nginx) return { version: undefined, why: 'it was left out' };
  const version = await nginxVersion();
  if (version === undefined) return { version, why: 'it is not installed (apt-get install nginx-light)' };
  around.onStep('measuring nginx');
  const target = await startNginxTarget({ folder: join(around.folder, 'nginx'), server, sender: proxy, sink: around.sink });
  return { version, measurement: await measure(target, fleet, around) };
}

/** Measures a target, and stops it. */
async function measure(target: Target, fleet: readonly FleetAgent[], { shape, folder, sink, signal }: Surroundings): Promise<Measurement> {
  try {
    const takenBefore = await sink.taken();
    const distinctBefore = (await sink.distinct(0)).size;
    const plan = { shape, port: target.port, trust: target.trust, identities: fleet.map(({ identity }) => identity) };
    const run = await runLoad(plan, { folder, signal, pids: { ...target.pids, sink: sink.pid } });
    const delivered = await sink.distinct(distinctBefore + run.result.acknowledged);
    const drainS = (performance.now() - run.answeredAt) / 1_000;
    const taken = (await sink.taken()) - takenBefore;
    return { run, drainS, missing: missingOf(run, delivered, taken), repeated: taken - (delivered.size - distinctBefore) };
  } finally {
    await target.stop();
  }
}

// The relay names every batch it takes; what names none can only be counted.
function missingOf({ result }: LoadRun, delivered: ReadonlySet<string>, taken: number): number {
  const unnamed = result.acknowledged - result.batchIds.length;
  const lost = result.batchIds.filter((id) => !delivered.has(id)).length;
  return lost + (result.batchIds.length > 0 ? unnamed : Math.max(0, result.acknowledged - taken));
}
