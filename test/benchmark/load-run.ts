import { fork } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeFileAtomic } from '../../src/files.ts';
import type { LoadEvent, LoadPlan, LoadResult } from './load.ts';
import { type ProcessUsage, readUsage } from './process-usage.ts';

const GENERATOR = fileURLToPath(new URL('generator.ts', import.meta.url));
const CONNECT_MS_AN_AGENT = 100;
const GRACE_MS = 120_000;

/** A run of the load, and what the processes used while it was measured. */
export interface LoadRun {
  readonly result: LoadResult;
  readonly measuredS: number;
  /** By the names given, and `generator`. `cpuS` is that of the measuring, `peakBytes` that of the process's life. */
  readonly usage: Readonly<Record<string, ProcessUsage>>;
  /** When everything had been answered, as `performance.now()` has it. */
  readonly answeredAt: number;
}

export interface LoadRunOptions {
  /** For the plan, while it runs. */
  readonly folder: string;
  /** The processes to watch, by name. */
  readonly pids: Readonly<Record<string, number>>;
  readonly signal: AbortSignal;
}

/** Runs the load generator against a server. Rejects when the generator fails or is not done in time. */
export async function runLoad(plan: LoadPlan, { folder, pids, signal }: LoadRunOptions): Promise<LoadRun> {
  const planFile = join(folder, 'load-plan.json');
  await writeFileAtomic(planFile, JSON.stringify(plan));
  const { agents, warmUpMs, measureMs } = plan.shape;
  const generator = fork(GENERATOR, [planFile], { execArgv: [], signal, timeout: agents * CONNECT_MS_AN_AGENT + warmUpMs + measureMs + GRACE_MS });
  const watched = { ...pids, generator: generator.pid ?? 0 };
  const ended = once(generator, 'exit');
  const samples: Sample[] = [];
  let result: LoadResult | undefined;
  let answeredAt = 0;
  let sampling = Promise.resolve();
  generator.on('message', (message: unknown) => {
    const told = message as LoadEvent;
    if (told.event === 'measuring' || told.event === 'measured') sampling = takeSample(watched, samples);
    if (told.event !== 'done') return;
    answeredAt = performance.now();
    result = told.result;
  });
  try {
    const [code, killedBy] = (await ended) as [number | null, string | null];
    await sampling;
    const [first, last] = samples;
    if (!result || !first || !last) throw new Error(`the load generator ended with ${code ?? killedBy} before it was done; what it said stands above`);
    return { result, answeredAt, measuredS: (last.at - first.at) / 1_000, usage: difference(first, last) };
  } finally {
    generator.kill('SIGKILL');
    await rm(planFile, { force: true });
  }
}

interface Sample {
  readonly at: number;
  readonly usage: Readonly<Record<string, ProcessUsage>>;
}

async function takeSample(pids: Readonly<Record<string, number>>, into: Sample[]): Promise<void> {
  const at = performance.now();
  const entries = await Promise.all(Object.entries(pids).map(async ([name, pid]) => [name, await readUsage(pid)] as const));
  into.push({ at, usage: Object.fromEntries(entries) });
}

// A process that ended on the way counts as nothing.
function difference(first: Sample, last: Sample): Record<string, ProcessUsage> {
  return Object.fromEntries(
    Object.entries(last.usage).map(([name, { cpuS, peakBytes }]) => [name, { cpuS: Math.max(0, cpuS - (first.usage[name]?.cpuS ?? 0)), peakBytes }]),
  );
}
